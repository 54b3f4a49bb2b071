-- Other forms: what an earlier schema stored under the name of a field that is missing. They are looked for only if a field is
-- missing or a collection is empty. A form is a number: `Form` in reply.ts lists them. The twin of memory/forms.ts.
-- uses: call, dropped, find (call)
local sub, match = string.sub, string.match
local AROUND = "^(.+)%." -- matches the name of the struct around a field
-- the command that only one type of key answers, and the form of this type
local TYPES = { { "LLEN", 3 }, { "SCARD", 4 }, { "HLEN", 5 }, { "ZCARD", 6 } }
local CHUNK = 1000

-- Returns the forms of those keys that exist, by name.
local function formsOfKeys(key, names)
  local count, types = 0, {}
  for from = 1, #names, CHUNK do
    local keys = {}
    for i = from, from + CHUNK - 1 < #names and from + CHUNK - 1 or #names do
      keys[#keys + 1] = key .. ":" .. names[i]
    end
    count = count + call("EXISTS", unpack(keys))
  end
  if count == 0 then return types end
  for _, name in ipairs(names) do
    local full = key .. ":" .. name
    if call("EXISTS", full) == 1 then
      types[name] = 8
      for _, kind in ipairs(TYPES) do
        if type(redis.pcall(kind[1], full)) == "number" then types[name] = kind[2] end
      end
    end
  end
  return types
end

-- Returns the other forms of missing fields and collections by their names, or nil if there are none. `inner` has the names of
-- collections that may be below the fields. `isComplete` says that the hash has no other fields than those that were found.
local function findForms(key, fields, collections, inner, isComplete)
  local stored, below, names, isNamed, forms = {}, {}, {}, {}, nil
  if not isComplete then
    for _, name in ipairs(call("HKEYS", key)) do
      stored[name] = true
      local dot = find(name, ".", 1, true)
      while dot do
        below[sub(name, 1, dot - 1)] = true
        dot = find(name, ".", dot + 1, true)
      end
    end
  end
  local function add(name)
    if not isNamed[name] and not dropped[key .. ":" .. name] then
      isNamed[name], names[#names + 1] = true, name
    end
  end
  local function addAround(path)
    local name = match(path, AROUND)
    while name do
      add(name)
      name = match(name, AROUND)
    end
  end
  for _, path in ipairs(fields) do
    add(path)
    addAround(path)
    for _, name in ipairs(inner or {}) do add(name) end
  end
  for _, path in ipairs(collections) do addAround(path) end
  local types = formsOfKeys(key, names)

  local function formOf(path, isCollection)
    if below[path] then return 2 end
    if isCollection then
      if stored[path] then return 1 end
    else
      if types[path] then return types[path] end
      for _, name in ipairs(inner or {}) do
        if types[name] and sub(name, 1, #path + 1) == path .. "." then return 7 end
      end
    end
    local name, levels = match(path, AROUND), 10
    while name do
      if stored[name] then return levels + 1 end
      if types[name] then return levels + types[name] end
      name, levels = match(name, AROUND), levels + 10
    end
  end
  local function note(path, form)
    if form then
      forms = forms or {}
      forms[path] = form
    end
  end
  for _, path in ipairs(fields) do note(path, formOf(path, false)) end
  for _, path in ipairs(collections) do note(path, formOf(path, true)) end
  return forms
end

-- Puts the other form of each missing field into the row of an entity.
local function markForms(key, spec, row)
  local fields, missing, empty, present = spec.fs, {}, {}, row[1] and 1 or 0
  for i, path in ipairs(fields) do
    if row[i + 1] then present = present + 1 else missing[#missing + 1] = path end
  end
  for i, c in ipairs(spec.cs) do
    if #row[#fields + 1 + i] == 0 then empty[#empty + 1] = c.f end
  end
  if #missing + #empty == 0 then return end
  local forms = findForms(key, missing, empty, spec.ic, call("HLEN", key) == present)
  if not forms then return end
  for i, path in ipairs(fields) do row[i + 1] = row[i + 1] or forms[path] or false end
  for i, c in ipairs(spec.cs) do
    if forms[c.f] then row[#fields + 1 + i] = forms[c.f] end
  end
end

return { find = findForms, mark = markForms }
