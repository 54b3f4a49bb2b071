-- Other forms: what an earlier schema stored under the name of a field that is missing. They are looked for only if a field is
-- missing or a collection is empty. A form is a number: `Form` in reply.ts lists them. The twin of memory/forms.ts.
--
-- Most missing fields have no other form. So the common question is whether any key is there under one of the names, and whether
-- the hash holds other fields than those found; only then is each name looked at.
-- uses: call, find (input) · dropped (call)
local match = string.match
local AROUND = "^(.+)%." -- matches the name of the struct around a field
-- the command that only one type of key answers, and the form of this type
local TYPES = { { "LLEN", 3 }, { "SCARD", 4 }, { "HLEN", 5 }, { "ZCARD", 6 } }
local suffixes = {} -- by specification and name: what follows the entity's key in the names of keys that may hold another form

local function isBelow(name, path)
  return find(name, path .. ".", 1, true) == 1
end

-- Returns the ends of the keys that may hold another form of a field or, if it is a collection, of a struct around it.
local function suffixesOf(spec, path, isCollection)
  local known = suffixes[spec]
  if not known then
    known = {}
    suffixes[spec] = known
  end
  local found = known[path]
  if found then return found end
  found = {}
  if not isCollection then
    found[1] = ":" .. path
    for _, name in ipairs(spec.ic or {}) do
      if isBelow(name, path) then found[#found + 1] = ":" .. name end
    end
  end
  local name = match(path, AROUND)
  while name do
    found[#found + 1] = ":" .. name
    name = match(name, AROUND)
  end
  known[path] = found
  return found
end

local function formOfKey(key)
  if dropped[key] or call("EXISTS", key) == 0 then return nil end
  for i = 1, #TYPES do
    if type(redis.pcall(TYPES[i][1], key)) == "number" then return TYPES[i][2] end
  end
  return 8
end

-- Returns the form of one missing field or collection, or nil. `names` are those of the hash; false: it has no unknown ones.
local function formOf(key, spec, path, isCollection, names)
  local stored = {}
  for i = 1, names and #names or 0 do
    if isBelow(names[i], path) then return 2 end
    stored[names[i]] = true
  end
  if isCollection then
    if stored[path] then return 1 end
  else
    local form = formOfKey(key .. ":" .. path)
    if form then return form end
    for _, name in ipairs(spec.ic or {}) do
      if isBelow(name, path) and formOfKey(key .. ":" .. name) then return 7 end
    end
  end
  local name, levels = match(path, AROUND), 10
  while name do
    local form = stored[name] and 1 or formOfKey(key .. ":" .. name)
    if form then return levels + form end
    name, levels = match(name, AROUND), levels + 10
  end
end

-- Adds the keys that may hold another form. Returns their number.
local function addKeys(keys, count, key, spec, path, isCollection)
  local found = suffixesOf(spec, path, isCollection)
  for i = 1, #found do keys[count + i] = key .. found[i] end
  return count + #found
end

local function anyExists(keys, count)
  for from = 1, count, 1000 do
    if call("EXISTS", unpack(keys, from, from + 999 < count and from + 999 or count)) > 0 then return true end
  end
  return false
end

-- Returns the form of a missing field or collection, or nil. `names` are those of the hash.
local function findForm(key, spec, isCollection, names)
  local path, isSuspect = spec.f, false
  for i = 1, #names do
    local name = names[i]
    isSuspect = isSuspect or name == path or isBelow(name, path) or isBelow(path, name)
  end
  local keys = {}
  local count = addKeys(keys, 0, key, spec, path, isCollection)
  if isSuspect or count > 0 and anyExists(keys, count) then return formOf(key, spec, path, isCollection, names) end
end

-- Puts the other form of each missing field into the row of an entity.
local function markForms(key, spec, row)
  local fields, collections = spec.fs, spec.cs
  local keys, count, present, width = {}, 0, row[1] and 1 or 0, #fields
  for i = 1, width do
    if row[i + 1] then present = present + 1 else count = addKeys(keys, count, key, spec, fields[i], false) end
  end
  for i = 1, #collections do
    if #row[width + 1 + i] == 0 then count = addKeys(keys, count, key, spec, collections[i].f, true) end
  end
  local names = call("HLEN", key) ~= present and call("HKEYS", key)
  if not (names or count > 0 and anyExists(keys, count)) then return end
  for i = 1, width do row[i + 1] = row[i + 1] or formOf(key, spec, fields[i], false, names) or false end
  for i = 1, #collections do
    local at = width + 1 + i
    if #row[at] == 0 then row[at] = formOf(key, spec, collections[i].f, true, names) or row[at] end
  end
end

return {
  find = findForm,
  mark = markForms,
  formOf = formOf,
  suffixes = suffixesOf,
  addKeys = addKeys,
  anyExists = anyExists
}
