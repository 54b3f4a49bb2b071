-- Entities are changed in place, each change journalled. One that is deleted stays until the program has succeeded: no key
-- is removed before, and what comes later in the program finds it marked.
if not more then more = besides() end
clock()
local entities, gone, goneCount = {}, {}, 0
local armed, armedCount = {}, 0 -- whose expiry changes
local opened, order, orderCount = {}, {}, 0 -- collections by key, and as they came
local made -- the entity that this instruction creates
local isFinal = false -- whether something has been done that stays
local expiring, parted, onWrite -- of the families

local function entity(index)
  local e = entities[index]
  if not e then
    -- `exists` is unknown until the first look; `stored` also of one that this program deletes
    e = { key = KEYS[index], exists = nil, stored = false, changed = false, wrote = false }
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

-- Before a change: with the first the version grows, or says that it is none.
local function touch(e)
  if not e.changed then
    call("HINCRBY", e.key, "$v", "1")
    record(e, undoVersion)
    record(e, "changed", false)
    e.changed = true
  end
  e.wrote = true
end

local function undoField(e, name, old)
  if old then call("HSET", e.key, name, old) else call("HDEL", e.key, name) end
end

local function write(e, name, text, old)
  touch(e)
  if text then call("HSET", e.key, name, text) else call("HDEL", e.key, name) end
  record(e, undoField, name, old)
end

-- The version, each field, then each collection.
local function readEntity(e, spec)
  if e.exists == false then return false end
  local fields = spec.fs
  local found = call("HMGET", e.key, "$v", unpack(fields))
  if e.exists == nil and not seen(e, found[1] ~= false or call("EXISTS", e.key) == 1) then return false end
  for i, c in ipairs(spec.cs) do
    local key = e.key .. ":" .. c.f
    local known = opened[key]
    part = c.f
    found[#fields + 1 + i] = known and known.count == 0 and {} or more.row(key, c.k, known and known.skip or 0)
  end
  part = nil
  return found
end
