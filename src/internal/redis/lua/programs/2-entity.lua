-- Entities are changed in place, each change journalled. One that is deleted stays until the program has succeeded: no key
-- is removed before, and what comes later in the program finds it marked.
local time = call("TIME")
local now = tonumber(time[1]) * 1000000 + tonumber(time[2]) -- microseconds
local entities, gone, goneCount = {}, {}, 0

local function entity(index)
  local e = entities[index]
  if not e then
    -- `exists` is unknown until the first look; `stored` also of one that this program deletes
    e = { key = KEYS[index], exists = nil, stored = false, changed = false }
    entities[index] = e
  end
  return e
end

local function seen(e, present)
  e.exists, e.stored = present, present
  return present
end

-- A key of another kind is found out by the first command on it.
local function exists(e)
  if e.exists == nil then return seen(e, call("HGET", e.key, "$v") ~= false or call("EXISTS", e.key) == 1) end
  return e.exists
end

-- The same for an entity that most often is not there.
local function absent(e)
  if e.exists == nil and call("EXISTS", e.key) == 0 then seen(e, false) end
  return not exists(e)
end

local function field(e, name)
  if e.exists == false then return fail("missing") end
  local text = call("HGET", e.key, name)
  if e.exists == nil and not seen(e, text ~= false or call("EXISTS", e.key) == 1) then return fail("missing") end
  return text
end

-- No version and 0 are the same; but a hash that had nothing else had that.
local function undoVersion(e)
  if call("HINCRBY", e.key, "$v", "-1") == 0 and call("HLEN", e.key) > 1 then call("HDEL", e.key, "$v") end
end

-- Before the first change: the version grows, or says that it is none.
local function touch(e)
  if not e.changed then
    call("HINCRBY", e.key, "$v", "1")
    record(e, undoVersion)
    record(e, "changed", false)
    e.changed = true
  end
end

local function undoField(e, name, old)
  if old then call("HSET", e.key, name, old) else call("HDEL", e.key, name) end
end

local function write(e, name, text, old)
  touch(e)
  if text then call("HSET", e.key, name, text) else call("HDEL", e.key, name) end
  record(e, undoField, name, old)
end

local function undoInsert(e)
  call("UNLINK", e.key)
end

local function undoReplace(e, added, old)
  if #added > 0 then chunked("HDEL", e.key, added, 1, #added) end
  if #old > 0 then chunked("HSET", e.key, old, 1, #old) end
end

local function present(e, is)
  record(e, "exists", e.exists)
  e.exists = is
end

-- Writes every field, in place of all that are stored.
local function replace(e, pairs, fields)
  if not e.stored then
    pairs[#pairs + 1], pairs[#pairs + 2] = "$v", format("%d", now)
    chunked("HSET", e.key, pairs, 1, #pairs)
    record(e, undoInsert)
    record(e, "stored", false)
    record(e, "changed", false)
    e.stored, e.changed = true, true
  else
    touch(e)
    local found, old, known, stale, added = call("HGETALL", e.key), {}, {}, {}, {}
    for i = 1, #found, 2 do
      local name = found[i]
      if name ~= "$v" then
        old[#old + 1], old[#old + 2], known[name] = name, found[i + 1], true
        if not fields[name] then stale[#stale + 1] = name end
      end
    end
    for i = 1, #pairs, 2 do
      if not known[pairs[i]] then added[#added + 1] = pairs[i] end
    end
    chunked("HSET", e.key, pairs, 1, #pairs)
    chunked("HDEL", e.key, stale, 1, #stale)
    record(e, undoReplace, added, old)
  end
  present(e, true)
end

local function remove(e)
  touch(e)
  present(e, false)
  goneCount = goneCount + 1
  gone[goneCount] = e
end
