-- Entities: reads, and writes of single fields. Each write is journalled. A deleted entity is only marked: its key stays
-- until the program has succeeded, because in a cluster slot that is moving a removed key cannot be written again.
-- uses: call (input) · fail, forms, helpers, isPartial, readingCollection (call) · appends, entities,
--   opened (program) · record (journal) · makeForms (order)

-- An entity has
--   key
--   exists       whether it exists for the program; nil before the first look
--   stored       whether its key exists on the server, also after the program has deleted the entity
--   changed      whether the program has increased its version
--   wrote        whether the running instruction has written to it
--   pending      the texts with appended pieces: see append.lua
--   expiresAt    when it expires, in milliseconds of the clock; false for never; nil before the first look
--   expiryNames  the collections that get its expiry at commit; nil if its expiry does not change
local function entityAt(index)
  local e = entities[index]
  if not e then
    e = { key = KEYS[index], exists = nil, stored = false, changed = false, wrote = false }
    entities[index] = e
  end
  return e
end

local function noteExists(e, present)
  e.exists, e.stored = present, present
  return present
end

-- Looks with a command on a hash, which fails if the key has another type.
local function exists(e)
  if e.exists == nil then return noteExists(e, call("HGET", e.key, "$v") ~= false or call("EXISTS", e.key) == 1) end
  return e.exists
end

local function readField(e, name)
  if e.exists == false then return fail("missing") end
  local known = e.pending and appends.settle(e, name)
  if known then return known end
  local text = call("HGET", e.key, name)
  if e.exists == nil and not noteExists(e, text ~= false or call("EXISTS", e.key) == 1) then return fail("missing") end
  return text
end

-- A missing `$v` means 0. It is removed again, unless it is the hash's only field.
local function undoVersion(e)
  if call("HINCRBY", e.key, "$v", "-1") == 0 and call("HLEN", e.key) > 1 then call("HDEL", e.key, "$v") end
end

-- Comes before each change of an entity. The first one increases the version, which fails if the stored one is not a number.
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

local function writeField(e, name, text, old)
  touch(e)
  if e.pending then appends.forget(e, name) end
  if text then call("HSET", e.key, name, text) else call("HDEL", e.key, name) end
  record(e, undoField, name, old)
end

local function needForms()
  if not forms then forms = makeForms() end
end

-- Returns the version, each field and each collection; false if the entity does not exist.
local function readEntity(e, spec)
  if e.exists == false then return false end
  if e.pending then appends.settleAll(e) end
  local fields = spec.fs
  local found = call("HMGET", e.key, "$v", unpack(fields))
  if e.exists == nil and not noteExists(e, found[1] ~= false or call("EXISTS", e.key) == 1) then return false end
  for i, c in ipairs(spec.cs) do
    local key = e.key .. ":" .. c.f
    local state = opened[key]
    if state and state.pending then appends.settleAll(state) end
    readingCollection = c.f
    found[#fields + 1 + i] = state and state.count == 0 and {} or helpers.readAll(key, c.k, state and state.skip or 0)
  end
  readingCollection = nil
  if isPartial(found, #fields) then
    needForms()
    forms.mark(e.key, spec, found)
  end
  return found
end
