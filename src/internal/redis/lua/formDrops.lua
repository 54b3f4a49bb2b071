-- Removes other forms (see forms.lua). The keys are only noted; the commit removes them.
-- uses: call, dropped, fail, forms (call) · droppedCount (program) · record (journal) · touch, undoField
--   (entity)
local sub, match = string.sub, string.match
local none = {}

local function undoDrop(keys)
  for _, key in ipairs(keys) do dropped[key] = nil end
end

local function drop(e, names)
  local keys = {}
  for _, name in ipairs(names) do
    local key = e.key .. ":" .. name
    if not dropped[key] then keys[#keys + 1], dropped[key] = key, true end
  end
  droppedCount = droppedCount + #keys
  if #keys > 0 then record(keys, undoDrop) end
end

-- Returns the names under which other forms of an entity may have a key. `filled` has the fields and collections that are left
-- out; unset: none.
local function formerNames(spec, filled)
  local names, isNamed = {}, {}
  local function add(name)
    if not isNamed[name] then isNamed[name], names[#names + 1] = true, name end
  end
  local function addAround(path)
    local name = match(path, "^(.+)%.")
    while name do
      add(name)
      name = match(name, "^(.+)%.")
    end
  end
  for _, path in ipairs(spec.fs) do
    if not (filled and filled[path]) then
      add(path)
      addAround(path)
      for _, name in ipairs(spec.ic or none) do
        if sub(name, 1, #path + 1) == path .. "." then add(name) end
      end
    end
  end
  for _, c in ipairs(spec.cs) do
    if not (filled and filled[c.f]) then addAround(c.f) end
  end
  return names
end

-- Fails if a missing field is stored in another form, unless the operation replaces the field. Then the other form is removed. A
-- struct around the field that is stored in another form is never removed, because it holds other fields too. Returns whether
-- something is removed.
local function leaveForm(e, spec, isCollection, replaces, isOther)
  local path = spec.f
  local found = forms.find(e.key, isCollection and none or { path }, isCollection and { path } or none, spec.ic)
  local form = found and found[path]
  if not form then return false end
  if not replaces or form > 10 then return fail("type", isOther and { path, 1 } or nil) end
  touch(e)
  for _, name in ipairs(call("HKEYS", e.key)) do
    if name == path or sub(name, 1, #path + 1) == path .. "." then
      local old = call("HGET", e.key, name)
      call("HDEL", e.key, name)
      record(e, undoField, name, old)
    end
  end
  if not isCollection then drop(e, { path }) end
  if spec.ic then drop(e, spec.ic) end
  return true
end

return { leave = leaveForm, drop = drop, names = formerNames }
