-- Sets, maps and sorted sets, which all have names: members, or the names of entries. Each change is one edit, journalled:
-- the names that it added, and what it removed or replaced.
local LOOK = { set = "SMISMEMBER", map = "HMGET", zset = "ZMSCORE" }
local STORE = { set = "SADD", map = "HSET", zset = "ZADD" }
local ERASE = { set = "SREM", map = "HDEL", zset = "ZREM" }

-- A score as the server writes it.
local function scoreOf(text)
  if type(text) == "number" then text = format("%.17g", text) end
  if text == "Infinity" then return "inf" end
  if text == "-Infinity" then return "-inf" end
  return text == "-0" and "0" or text
end

local function store(c, flat)
  local items = flat
  if c.kind == "zset" then
    items = {}
    for i = 1, #flat, 2 do items[i], items[i + 1] = scoreOf(flat[i + 1]), flat[i] end
  end
  chunked(STORE[c.kind], c.key, items, 1, #items)
end

local function erase(c, names)
  chunked(ERASE[c.kind], c.key, names, 1, #names)
end

-- First what puts back, so that the key is never gone.
local function undoEdit(c, added, old)
  store(c, old)
  erase(c, added)
end

-- What stands under each name: nil where there is none.
local function look(c, names)
  local found = {}
  if c.count == 0 then return found end
  for from = 1, #names, 1000 do
    local values = call(LOOK[c.kind], c.key, unpack(names, from, from + 999 < #names and from + 999 or #names))
    for i, value in ipairs(values) do
      if value and value ~= 0 then found[from + i - 1] = value end
    end
  end
  return found
end

local function refillOther(c, items, first, last)
  if last < first then return discard(c) end
  local width = c.kind == "set" and 1 or 2
  local old = (c.void or c.count > 0) and more.row(c.key, c.kind) or {}
  local known, new, added, stale, flat = {}, {}, {}, {}, {}
  for i = 1, #old, width do known[old[i]] = true end
  local count = 0
  for i = first, last, width do
    local name = items[i]
    if not new[name] then
      new[name], count = true, count + 1
      if not known[name] then added[#added + 1] = name end
    end
    flat[#flat + 1] = name
    if width == 2 then flat[#flat + 1] = items[i + 1] end
  end
  for i = 1, #old, width do
    if not new[old[i]] then stale[#stale + 1] = old[i] end
  end
  store(c, flat)
  erase(c, stale)
  record(c, undoEdit, added, old)
  record(c, "void", c.void)
  c.void = false
  counted(c, count)
end

-- `flat` is stored; of its names `added` are new, and `old` is what the others had.
local function put(c, flat, added, old)
  touch(c.e)
  if c.void then return refillOther(c, flat, 1, #flat) end
  store(c, flat)
  record(c, undoEdit, added, old)
  counted(c, c.count + #added)
end

-- Names that are there, and all that stands under them.
local function takeOut(c, spec, names, old)
  local after = c.count - #names
  if spec.minc and after < spec.minc then return fail("bounds", "minSize") end
  touch(c.e)
  if after == 0 then return discard(c) end
  erase(c, names)
  record(c, undoEdit, {}, old)
  counted(c, after)
end

local function grown(c, spec, by)
  if by > 0 and spec.maxc and c.count + by > spec.maxc then return fail("bounds", "maxSize") end
end

-- The names among the arguments, each once; and the last value of each.
local function distinct(at, n, width)
  local names, values = {}, {}
  for i = at, at + n - 1, width do
    local name = code[i]
    if values[name] == nil then names[#names + 1] = name end
    values[name] = code[i + width - 1]
  end
  return names, values
end
