-- Edits of sets, maps and sorted sets. All have names: members, or the names of entries. Each edit is journalled as the
-- names that it added and the elements that it removed or replaced.
-- uses: call, code, fail, format, helpers (call) · spend (program) · chunked, record (journal) · touch
--   (entity) · discard, setCount (collectionState)
local LOOK = { set = "SMISMEMBER", map = "HMGET", zset = "ZMSCORE" }
local STORE = { set = "SADD", map = "HSET", zset = "ZADD" }
local ERASE = { set = "SREM", map = "HDEL", zset = "ZREM" }

-- An empty table for all edits that add nothing or replace nothing, because the journal keeps it. Nothing writes to it.
local NONE = {}

-- Returns a score as the server writes it.
local function storedScore(text)
  if type(text) == "number" then text = format("%.17g", text) end
  if text == "Infinity" then return "inf" end
  if text == "-Infinity" then return "-inf" end
  return text == "-0" and "0" or text
end

local function store(c, flat)
  local items = flat
  if c.kind == "zset" then
    items = {}
    for i = 1, #flat, 2 do items[i], items[i + 1] = storedScore(flat[i + 1]), flat[i] end
  end
  chunked(STORE[c.kind], c.key, items, 1, #items)
end

local function erase(c, names)
  chunked(ERASE[c.kind], c.key, names, 1, #names)
end

-- Puts back first and erases last, so that the key is never removed.
local function undoEdit(c, added, old)
  store(c, old)
  erase(c, added)
end

-- Returns what is stored under each name, by position: 1 for a member of a set; nil if the name is missing.
local function lookUp(c, names)
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

local function replaceAll(c, items, first, last)
  if last < first then return discard(c) end
  local width = c.kind == "set" and 1 or 2
  local old = (c.void or c.count > 0) and helpers.readAll(c.key, c.kind) or {}
  spend(16 * #old)
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
  setCount(c, count)
end

-- Stores the elements `flat`. Of their names `added` are new; `old` has the elements that the others replace.
local function put(c, flat, added, old)
  touch(c.entity)
  if c.void then return replaceAll(c, flat, 1, #flat) end
  store(c, flat)
  record(c, undoEdit, added, old)
  if #added > 0 then setCount(c, c.count + #added) end
end

-- Removes names that exist; `old` has their elements.
local function takeOut(c, spec, names, old)
  local after = c.count - #names
  if spec.minc and after < spec.minc then return fail("bounds", "minSize") end
  touch(c.entity)
  if after == 0 then return discard(c) end
  erase(c, names)
  record(c, undoEdit, NONE, old)
  setCount(c, after)
end

-- The same for a row of names, each with its value or its score. Returns how many names there are.
local function takeOutRow(c, spec, row)
  local names = {}
  for i = 1, #row, 2 do names[#names + 1] = row[i] end
  if #names > 0 then takeOut(c, spec, names, row) end
  return #names
end

local function checkGrowth(c, spec, by)
  if by > 0 and spec.maxc and c.count + by > spec.maxc then return fail("bounds", "maxSize") end
end

-- Returns each name among the arguments once, and its last value.
local function distinct(at, n, width)
  local names, values = {}, {}
  for i = at, at + n - 1, width do
    local name = code[i]
    if values[name] == nil then names[#names + 1] = name end
    values[name] = code[i + width - 1]
  end
  return names, values
end
