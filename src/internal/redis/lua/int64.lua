-- Arithmetic on exact integers. The kinds are "l", an int64, and "u", a duration of at most MAX_DIGITS digits. Integers that
-- doubles hold exactly are computed as doubles.
-- uses: code, find, format (input) · MAX_SAFE, fail, floor (call) · SHORT, divided, halves, integer,
--   limbsOf, plus, shortSum, smaller, textOf, times (digits)
local MAX_DIGITS = 1000
local ceil, fmod = math.ceil, math.fmod

local function isBelow(a, b)
  if #a <= SHORT and #b <= SHORT then
    local high, low = halves(a)
    local otherHigh, otherLow = halves(b)
    return high < otherHigh or high == otherHigh and low < otherLow
  end
  local x, y = limbsOf(a), limbsOf(b)
  if x.negative ~= y.negative then return x.negative end
  if x.negative then return smaller(y, x) end
  return smaller(x, y)
end

local function isInt64(text)
  return #text < 19 or not (isBelow(text, "-9223372036854775808") or isBelow("9223372036854775807", text))
end

-- Returns a stored text without leading zeros, or nil if it is not of the kind.
local function integerOf(text, kind)
  local digits = integer(text)
  return digits and (kind == "u" or isInt64(digits)) and digits or nil
end

local function digitCount(text)
  return find(text, "^%-") and #text - 1 or #text
end

-- Larger integers would block the server for too long.
local function checkDigits(text)
  if #text > MAX_DIGITS and digitCount(text) > MAX_DIGITS then return fail("arithmetic", "outOfRange") end
  return text
end

local function sum(a, b)
  if #a <= SHORT and #b <= SHORT then return shortSum(a, b) end
  return textOf(plus(limbsOf(a), limbsOf(b)))
end

local function calculate(op, a, b)
  checkDigits(a)
  checkDigits(b)
  if op == OP.assign then return b end
  if op == OP.min then return isBelow(b, a) and b or a end
  if op == OP.max then return isBelow(a, b) and b or a end
  if op ~= OP.increment and op ~= OP.multiply and b == "0" then return fail("arithmetic", "divisionByZero") end
  if #a < 16 and #b < 16 then
    local x, y = tonumber(a), tonumber(b)
    local n
    if op == OP.increment then n = x + y
    elseif op == OP.multiply then n = x * y
    elseif op == OP.modulo then n = fmod(x, y)
    else
      n = x / y
      n = n < 0 and ceil(n) or floor(n)
    end
    if n <= MAX_SAFE and n >= -MAX_SAFE then return format("%d", n) end
  end
  if op == OP.increment then return checkDigits(sum(a, b)) end
  if op == OP.multiply then
    -- a product has as many digits as both factors together, or one fewer
    if digitCount(a) + digitCount(b) > MAX_DIGITS + 1 then return fail("arithmetic", "outOfRange") end
    return checkDigits(textOf(times(limbsOf(a), limbsOf(b))))
  end
  local quotient, remainder = divided(a, limbsOf(b))
  return op == OP.modulo and remainder or quotient
end

local function arithmetic(op, text, spec, at, n)
  local value = integerOf(text, spec.k) or fail("type")
  if op == OP.clamp then
    local low, high = integer(code[at]), integer(code[at + 1])
    value = isBelow(value, low) and low or isBelow(high, value) and high or value
  else
    value = calculate(op, value, integer(code[at]))
  end
  if spec.k == "l" and not isInt64(value) then return fail("arithmetic", "outOfRange") end
  if spec.ge and isBelow(value, integer(spec.ge)) then return fail("bounds", "minimum") end
  if spec.gt and not isBelow(integer(spec.gt), value) then return fail("bounds", "exclusiveMinimum") end
  if spec.le and isBelow(integer(spec.le), value) then return fail("bounds", "maximum") end
  if spec.lt and not isBelow(value, integer(spec.lt)) then return fail("bounds", "exclusiveMaximum") end
  local low, high = n > 2 and code[at + n - 2], n > 2 and code[at + n - 1]
  if low and isBelow(value, integer(low)) then return fail("bounds", "atLeast") end
  if high and isBelow(integer(high), value) then return fail("bounds", "atMost") end
  return value
end

local function same(a, b)
  local x = integer(a)
  return x ~= nil and x == integer(b)
end

local function order(a, b)
  b = integer(b)
  return a == b and 0 or isBelow(a, b) and -1 or 1
end

return {
  arithmetic = arithmetic, same = same, valueOf = integerOf, compute = calculate, integer = integer, order = order, sum = sum
}
