-- Operations of maps alone, and scalar operations on the value of one entry.
-- uses: applyScalar, call, code (call) · checkGrowth, lookUp, put, takeOut, takeOutRow (edit)

local function popAnyEntry(c, spec, wanted)
  if wanted then
    local entries = c.count > 0 and call("HRANDFIELD", c.key, wanted, "withvalues") or {}
    takeOutRow(c, spec, entries)
    return entries
  end
  if c.count == 0 then return false end
  local entry = call("HRANDFIELD", c.key, 1, "withvalues")
  takeOut(c, spec, { entry[1] }, entry)
  return entry
end

local function onMap(op, c, spec, at)
  if op == OP.keys then return c.count > 0 and call("HKEYS", c.key) or {} end
  local name = code[at]
  local text = lookUp(c, { name })[1] or false
  if text then takeOut(c, spec, { name }, { name, text }) end
  return text
end

-- The entry's name is the first argument.
local function onEntry(op, c, spec, at, n)
  local name = code[at]
  local old = c.count > 0 and call("HGET", c.key, name)
  local value, result = applyScalar(op, old, spec, at + 1, n - 1)
  if value then
    if not old then checkGrowth(c, spec, 1) end
    put(c, { name, value }, old and {} or { name }, old and { name, old } or {})
  elseif value == false then
    takeOut(c, spec, { name }, { name, old })
  end
  return result
end
