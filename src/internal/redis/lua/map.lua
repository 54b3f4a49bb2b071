-- Operations of maps alone, and scalar operations on the value of one entry.
-- uses: applyScalar, call, code (call) · makeAppends (order) · appends, spend (program) · NONE,
--   checkGrowth, lookUp, put, takeOut, takeOutRow (edit)

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

local function readEntry(c, name)
  return c.count > 0 and call("HGET", c.key, name)
end

-- The entry's name is the first argument.
local function onEntry(op, c, spec, at, n)
  local name = code[at]
  if op == OP.appendText then
    if not appends then appends = makeAppends() end
    local length = appends.append(c, name, readEntry, spec, at + 1)
    if length then return length end
  end
  local old = c.pending and appends.settle(c, name) or readEntry(c, name)
  if old and #old > 1000 then spend(#old / 4) end
  local value, result = applyScalar(op, old, spec, at + 1, n - 1)
  if value ~= nil and c.pending then appends.forget(c, name) end
  if value then
    if not old then checkGrowth(c, spec, 1) end
    put(c, { name, value }, old and NONE or { name }, old and { name, old } or NONE)
  elseif value == false then
    takeOut(c, spec, { name }, { name, old })
  end
  return result
end
