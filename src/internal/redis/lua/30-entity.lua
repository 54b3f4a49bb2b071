-- Within a program an entity is read from its hash where needed, changed here, and written when all has succeeded: a
-- program that fails has written nothing of it, and four operations on it cost one write.
local entities, changed, changes = {}, {}, 0

local function entity(index)
  local e = entities[index]
  if not e then
    -- `exists` is unknown until the first look; `existed` is what that saw
    e = { key = KEYS[index], fields = {}, before = {}, exists = nil, existed = false, whole = false, changed = false }
    entities[index] = e
  end
  return e
end

local function seen(e, present)
  e.exists, e.existed = present, present
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

-- The first look at a field also tells whether the entity exists.
local function field(e, name)
  local value = e.fields[name]
  if value == nil then
    if e.exists == nil then
      value = call("HGET", e.key, name)
      if not seen(e, value ~= false or call("EXISTS", e.key) == 1) then return fail("missing") end
    else
      value = e.existed and not e.whole and call("HGET", e.key, name)
    end
    e.fields[name], e.before[name] = value, value
  end
  return value
end

local function touch(e)
  if not e.changed then
    changes = changes + 1
    changed[changes], e.changed, e.step = e, true, step
  end
end

-- The version, as this program leaves it: a stored one grows by one, and a new one is the server's time.
local function versionOf(e)
  if not e.existed then return format("%d", now) end
  local version = call("HGET", e.key, "$v")
  return format("%d", (version and tonumber(version) or 0) + (e.changed and 1 or 0))
end

-- Replaces every field.
local function swap(e, fields, present)
  touch(e)
  e.fields, e.whole, e.exists = fields, true, present
end
