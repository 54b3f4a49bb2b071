-- Tests of scalars, and the two operations with operands: `load`, which reads one, and `assign`, which stores one.
-- uses: code (input) · fail, helpers (call) · checkTextLength, lengthOf, numberKind (kinds) ·
--   makeHelpers (order)
if not helpers then helpers = makeHelpers() end
local SPECIAL = { NaN = 0 / 0, Infinity = 1 / 0, ["-Infinity"] = -1 / 0 }

-- Returns the value that a test compares: a double, the digits of an exact integer, or the text.
local function comparable(text, kind)
  local family = numberKind(kind)
  if not family then return text end
  return kind == "n" and SPECIAL[text] or family.valueOf(text, kind) or fail("type")
end

local function compare(comparison, value, expected, kind)
  if type(value) == "number" then return helpers.compare(comparison, value, SPECIAL[expected] or expected) end
  if kind == "l" or kind == "u" then return helpers.compare(comparison, numberKind(kind).order(value, expected), 0) end
  return helpers.compare(comparison, helpers.order(value, expected), 0)
end

local function testOrOperand(op, text, isNull, spec, at, n)
  local kind = spec.k
  if op == OP.assign then
    local value = code[at]
    local family = numberKind(kind)
    if family then return family.arithmetic(op, "0", spec, at, n), 1 end
    if kind == "t" then checkTextLength(lengthOf(value), spec) end
    return value, 1
  end
  local current = text or (op == OP.load or not isNull) and spec.d
  if op == OP.load then
    local value = comparable(current or fail("type"), kind)
    if type(value) == "number" and value - value ~= 0 then return fail("arithmetic", "notFinite") end
    return nil, value
  end
  if op == OP.compare then
    if not current then return nil, code[at] == 1 and 1 or 0 end
    return nil, compare(code[at], comparable(current, kind), code[at + 1], kind)
  end
  local value = current and n > 0 and comparable(current, kind)
  for i = at, value and at + n - 1 or 0 do
    if compare(0, value, code[i], kind) == 1 then return nil, 1 end
  end
  return nil, 0
end

return testOrOperand
