-- Within a program an entity is read from its hash where needed, changed here, and written when all has succeeded: a
-- program that fails has written nothing of it, and four operations on it cost one write.
local entities, changed, changes = {}, {}, 0

local function versionOf(text)
  return text and find(text, "^%d+$") and tonumber(text) or 0
end

local function entity(index)
  local e = entities[index]
  if not e then
    e = {
      key = KEYS[index], fields = {}, before = false, whole = false,
      version = false, exists = false, stored = 0, existed = false, changed = false
    }
    entities[index] = e
  end
  return e
end

-- The first look tells whether an entity exists, and its version; one stored by hand has none, which counts as 0.
local function seen(e, version, present)
  e.version, e.exists = versionOf(version), present
  e.stored, e.existed = e.version, present
end

local function look(e, name)
  local found = call("HMGET", e.key, "$v", name)
  local version, value = found[1], found[2]
  seen(e, version, (version or value or call("EXISTS", e.key) == 1) and true or false)
  e.fields[name] = value
end

local function exists(e)
  if not e.version then
    local version = call("HGET", e.key, "$v")
    seen(e, version, version ~= false or call("EXISTS", e.key) == 1)
  end
  return e.exists
end

-- The same for a new entity, which most often is not there: one command.
local function absent(e)
  if not e.version and call("EXISTS", e.key) == 0 then seen(e, false, false) end
  return not exists(e)
end

local function field(e, name)
  local value = e.fields[name]
  if value == nil then
    value = e.existed and not e.whole and call("HGET", e.key, name)
    e.fields[name] = value
  end
  return value
end

-- A program that changes an entity makes its version grow by one.
local function touch(e)
  if e.version == e.stored then
    record(e, "version", e.version)
    e.version = e.version + 1
    if not e.changed then
      changes = changes + 1
      changed[changes], e.changed = e, true
    end
  end
end

local function write(e, name, value)
  touch(e)
  local old = e.fields[name]
  if not e.whole then
    if not e.before then e.before = {} end
    if e.before[name] == nil then e.before[name] = old end
  end
  record(e.fields, name, old)
  e.fields[name] = value
end

local function swap(e, fields, present)
  touch(e)
  record(e, "fields", e.fields)
  record(e, "whole", e.whole)
  record(e, "exists", e.exists)
  e.fields, e.whole, e.exists = fields, true, present
end

-- A new incarnation begins at the server's time, and past the version of the one that this program removed.
local function replace(e, fields)
  local existed = e.exists
  swap(e, fields, true)
  if not existed and now > e.version then
    record(e, "version", e.version)
    e.version = now
  end
end
