-- Operations that sets, maps and sorted sets share: adding, removing, looking for a name.
-- uses: code (call) · NONE, checkGrowth, distinct, lookUp, put, replaceAll, takeOut (edit) · algebra,
--   popAnyMember (set) · onEntry, onMap, popAnyEntry (map) · onSortedSet (sortedSet)

-- Adds members, entries or members with scores. Returns how many of them are new.
local function add(c, spec, at, n)
  local isSet = c.kind == "set"
  local names, values = distinct(at, n, isSet and 1 or 2)
  local found, flat, added, old = lookUp(c, names), {}, {}, NONE
  for i, name in ipairs(names) do
    local was = found[i]
    if not was then
      added[#added + 1] = name
    elseif not isSet then
      if old == NONE then old = {} end
      old[#old + 1], old[#old + 2] = name, was
    end
    if not isSet then flat[#flat + 1], flat[#flat + 2] = name, values[name] end
  end
  if isSet then flat = added end
  if #flat > 0 then
    checkGrowth(c, spec, #added)
    put(c, flat, added, old)
  end
  return #added
end

local function removeNames(c, spec, at, n)
  local names = distinct(at, n, 1)
  local found, removed, old = lookUp(c, names), {}, {}
  for i, name in ipairs(names) do
    local was = found[i]
    if was then
      removed[#removed + 1], old[#old + 1] = name, name
      if c.kind ~= "set" then old[#old + 1] = was end
    end
  end
  if #removed > 0 then takeOut(c, spec, removed, old) end
  return #removed
end

local function onNamed(op, c, spec, at, n)
  if op == OP.addMembers or op == OP.putEntries or op == OP.addScores then return add(c, spec, at, n) end
  if op >= FIRST.sortedSet then return onSortedSet(op, c, spec, at, n) end
  if op >= FIRST.map then return onMap(op, c, spec, at) end
  if op >= FIRST.set then return algebra(op, c, at) end
  if op == OP.has then return lookUp(c, { code[at] })[1] and 1 or 0 end
  if op == OP.remove then return removeNames(c, spec, at, n) end
  return (c.kind == "set" and popAnyMember or popAnyEntry)(c, spec, n > 0 and code[at])
end

return { operate = onNamed, onScalar = onEntry, replace = replaceAll }
