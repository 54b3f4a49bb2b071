-- Collections, whatever their kind, are changed in place too. No key is removed before the program has succeeded, so what
-- is dead stays: of a list the first `skip` items, of the others all that is stored or nothing (`void`).
--
-- A key of another kind has no kind here. It can go, at the end, and nothing else: what takes its place would need it gone.
local SIZE = { list = "LLEN", set = "SCARD", map = "HLEN", zset = "ZCARD" }

local function isWrongType(message)
  return find(type(message) == "table" and message.err or message[1] or message, "^%-?WRONGTYPE")
end

local function mistyped(c, other)
  return fail("type", { c.name, other })
end

-- Of any kind.
local function collection(e, spec)
  local key = e.key .. ":" .. spec.f
  local c = opened[key]
  if not c then
    local kind = spec.of or spec.k
    local count = redis.pcall(SIZE[kind], key)
    if type(count) == "table" then
      if not isWrongType(count) then return error(count) end
      kind, count = false, 1
    end
    c = { key = key, name = spec.f, kind = kind, e = e, count = count, skip = 0, void = false, stored = count > 0 }
    opened[key] = c
    orderCount = orderCount + 1
    order[orderCount] = c
  end
  return c
end

local function counted(c, count)
  record(c, "count", c.count)
  c.count = count
end

-- Only of a list: its first items die.
local function drop(c, count)
  record(c, "skip", c.skip)
  c.skip = c.skip + count
  counted(c, c.count - count)
end

local function discard(c)
  if c.count == 0 then return end
  if c.kind == "list" then return drop(c, c.count) end
  record(c, "void", false)
  c.void = true
  counted(c, 0)
end

local function contents(c)
  return c.count > 0 and more.row(c.key, c.kind, c.skip) or {}
end

-- Like Array.prototype.slice: the end is exclusive, and negative positions count from the end.
local function slice(from, to, count)
  if from < 0 then from = from + count < 0 and 0 or from + count elseif from > count then from = count end
  if to < 0 then to = to + count elseif to > count then to = count end
  return from, to < from and from or to
end

-- The hash of a second entity may be of another kind: that it is this one is told.
local function guarded(look, e)
  local ok, result = pcall(look, e)
  if ok then return result end
  if isWrongType(result) then return fail("type", { "", 1 }) end
  return error(result, 0)
end
