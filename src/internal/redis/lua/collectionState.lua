-- The state of each collection that the program has opened. Collections are changed in place, and no key is removed before
-- the program has succeeded. So removed elements may stay in the key until then: the first `skip` items of a list; or, if
-- `void` is set, everything in a set, map or sorted set.
-- uses: find (input) · fail, helpers (call) · appends, opened, openedCount, openedInOrder (program) ·
--   record (journal)
local SIZE = { list = "LLEN", set = "SCARD", map = "HLEN", zset = "ZCARD" }

local function isWrongType(message)
  return find(type(message) == "table" and message.err or message[1] or message, "^%-?WRONGTYPE")
end

local function failWrongType(c, other)
  return fail("type", { c.name, other })
end

-- A collection has
--   key, name, entity
--   kind    false if the key has another type: such a key can only be deleted, at commit
--   count   how many elements it has for the program
--   skip    how many items at the head of a list are removed
--   void    whether all elements of another collection are removed
--   pending the texts with appended pieces: see append.lua
--   stored  whether the key existed when the program opened it
local function openCollection(e, spec)
  local key = e.key .. ":" .. spec.f
  local c = opened[key]
  if not c then
    local kind = spec.of or spec.k
    local count = redis.pcall(SIZE[kind], key)
    if type(count) == "table" then
      if not isWrongType(count) then return error(count) end
      kind, count = false, 1
    end
    c = { key = key, name = spec.f, kind = kind, entity = e, count = count, skip = 0, void = false, stored = count > 0 }
    opened[key] = c
    openedCount = openedCount + 1
    openedInOrder[openedCount] = c
  elseif c.pending and not spec.of then
    appends.settleAll(c)
    appends.forgetAll(c)
  end
  return c
end

local function setCount(c, count)
  record(c, "count", c.count)
  c.count = count
end

-- Removes the first items of a list.
local function dropFirst(c, count)
  record(c, "skip", c.skip)
  c.skip = c.skip + count
  setCount(c, c.count - count)
end

local function discard(c)
  if c.count == 0 then return end
  if c.kind == "list" then return dropFirst(c, c.count) end
  record(c, "void", false)
  c.void = true
  setCount(c, 0)
end

local function contents(c)
  return c.count > 0 and helpers.readAll(c.key, c.kind, c.skip) or {}
end

-- As `Array.prototype.slice`: the end is exclusive, and negative positions count from the end.
local function sliceBounds(from, to, count)
  if from < 0 then from = from + count < 0 and 0 or from + count elseif from > count then from = count end
  if to < 0 then to = to + count elseif to > count then to = count end
  return from, to < from and from or to
end

-- Looks at a second entity. If its key is not a hash, the error carries a mark, so that the client reports it for the right
-- entity.
local function lookAtOther(look, e)
  local ok, result = pcall(look, e)
  if ok then return result end
  if isWrongType(result) then return fail("type", { "", 1 }) end
  return error(result, 0)
end
