-- Removes other forms (see forms.lua). Their keys are only noted; the commit removes them.
-- uses: call, find (input) · dropped, fail, forms (call) · droppedCount, droppedKeys (program) ·
--   record (journal) · touch, undoField (entity)
local allSuffixes = {} -- by specification

local function note(key)
  if not dropped[key] then
    droppedCount = droppedCount + 1
    droppedKeys[droppedCount], dropped[key] = key, true
    record(dropped, key)
  end
end

-- Calls `f` with each field and collection that is not filled. `filled` is unset if none is.
local function eachMissing(spec, filled, f)
  for _, path in ipairs(spec.fs) do
    if not (filled and filled[path]) then f(path, false) end
  end
  for _, c in ipairs(spec.cs) do
    if not (filled and filled[c.f]) then f(c.f, true) end
  end
end

-- Returns the names under which other forms of an entity may have a key, each with the colon before it.
local function suffixesOf(spec)
  local found, isKnown = allSuffixes[spec], {}
  if found then return found end
  found = {}
  eachMissing(spec, nil, function(path, isCollection)
    for _, suffix in ipairs(forms.suffixes(spec, path, isCollection)) do
      if not isKnown[suffix] then isKnown[suffix], found[#found + 1] = true, suffix end
    end
  end)
  allSuffixes[spec] = found
  return found
end

-- Notes the keys of all other forms of an entity, or only of those fields that are not filled.
local function drop(e, spec, filled)
  if not filled then
    for _, suffix in ipairs(suffixesOf(spec)) do note(e.key .. suffix) end
    return
  end
  eachMissing(spec, filled, function(path, isCollection)
    for _, suffix in ipairs(forms.suffixes(spec, path, isCollection)) do note(e.key .. suffix) end
  end)
end

-- Fails if a missing field is stored in another form, unless the operation replaces the field. Then the other form is removed. A
-- struct around the field that is stored in another form is never removed, because it holds other fields too. Returns whether
-- something is removed.
local function leaveForm(e, spec, isCollection, replaces, isOther)
  local path, names = spec.f, call("HKEYS", e.key)
  local form = forms.find(e.key, spec, isCollection, names)
  if not form then return false end
  if not replaces or form > 10 then return fail("type", isOther and { path, 1 } or nil) end
  touch(e)
  for _, name in ipairs(names) do
    if name == path or find(name, path .. ".", 1, true) == 1 then
      local old = call("HGET", e.key, name)
      call("HDEL", e.key, name)
      record(e, undoField, name, old)
    end
  end
  if not isCollection then note(e.key .. ":" .. path) end
  for _, name in ipairs(spec.ic or {}) do note(e.key .. ":" .. name) end
  return true
end

-- Fails if another form has keys of its own, because they would be missing in a copy. What is in the hash is copied with it.
local function failIfFormHasKey(e, spec, filled)
  eachMissing(spec, filled, function(path, isCollection)
    local form = forms.formOf(e.key, spec, path, isCollection, call("HKEYS", e.key))
    if form and form % 10 > 2 then return fail("type", { path }) end
  end)
end

return { leave = leaveForm, drop = drop, suffixes = suffixesOf, failIfFormHasKey = failIfFormHasKey }
