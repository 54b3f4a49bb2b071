-- A second set: what is wrong with it is told apart from what is wrong with the first.
local function second(e, spec)
  if not guarded(exists, e) then return fail("missing", 1) end
  local c = collection(e, spec)
  return c.kind and c or mistyped(c, 1)
end

local function algebra(op, c, at)
  local o = second(entity(code[at]), specs[code[at + 1]])
  if c.count == 0 or o.count == 0 then
    if op == OP.intersection or c.count + o.count == 0 then return {} end
    if c.count > 0 then return contents(c) end
    return op == OP.union and contents(o) or {}
  end
  return call(op == OP.union and "SUNION" or op == OP.intersection and "SINTER" or "SDIFF", c.key, o.key)
end

-- Members, entries or scored members: how many of them are new.
local function add(c, spec, at, n)
  local isSet = c.kind == "set"
  local names, values = distinct(at, n, isSet and 1 or 2)
  local found, flat, added, old = look(c, names), {}, {}, {}
  for i, name in ipairs(names) do
    local was = found[i]
    if not was then
      added[#added + 1] = name
    elseif not isSet then
      old[#old + 1], old[#old + 2] = name, was
    end
    if not isSet then flat[#flat + 1], flat[#flat + 2] = name, values[name] end
  end
  if isSet then flat = added end
  if #flat > 0 then
    grown(c, spec, #added)
    put(c, flat, added, old)
  end
  return #added
end

local function removeNames(c, spec, at, n)
  local names = distinct(at, n, 1)
  local found, gone, old = look(c, names), {}, {}
  for i, name in ipairs(names) do
    local was = found[i]
    if was then
      gone[#gone + 1], old[#old + 1] = name, name
      if c.kind ~= "set" then old[#old + 1] = was end
    end
  end
  if #gone > 0 then takeOut(c, spec, gone, old) end
  return #gone
end

local function takeAny(c, spec)
  if c.count == 0 then return false end
  if c.kind == "set" then
    local member = call("SRANDMEMBER", c.key)
    takeOut(c, spec, { member }, { member })
    return member
  end
  local entry = call("HRANDFIELD", c.key, 1, "withvalues")
  takeOut(c, spec, { entry[1] }, entry)
  return entry
end

local function onCollection(op, c, spec, at, n)
  if op == OP.addMembers or op == OP.putEntries or op == OP.addScores then return add(c, spec, at, n) end
  if op >= OP.incrementScore then return onSorted(op, c, spec, at) end
  if op == OP.has then return look(c, { code[at] })[1] and 1 or 0 end
  if op == OP.remove then return removeNames(c, spec, at, n) end
  if op == OP.popAny then return takeAny(c, spec) end
  if op == OP.popEntry then
    local name = code[at]
    local text = look(c, { name })[1] or false
    if text then takeOut(c, spec, { name }, { name, text }) end
    return text
  end
  if op == OP.keys then return c.count > 0 and call("HKEYS", c.key) or {} end
  return algebra(op, c, at)
end

-- An entry of a map, whose name is the first argument.
local function onEntry(op, c, spec, at, n)
  local name = code[at]
  local old = c.count > 0 and call("HGET", c.key, name)
  local value, result = apply(op, old, spec, at + 1, n - 1)
  if value then
    if not old then grown(c, spec, 1) end
    put(c, { name, value }, old and {} or { name }, old and { name, old } or {})
  elseif value == false then
    takeOut(c, spec, { name }, { name, old })
  end
  return result
end

return { operate = onCollection, onCell = onEntry, refill = refillOther }
