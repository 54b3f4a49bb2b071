-- Arithmetic on exact integers: "l" int64, "u" of as many digits as are computed with. Doubles do for what they hold exactly.
local MOST_DIGITS = 1000
local ceil, fmod = math.ceil, math.fmod

local function below(a, b)
  if #a < 16 and #b < 16 then return tonumber(a) < tonumber(b) end
  local x, y = limbsOf(a), limbsOf(b)
  if x.negative ~= y.negative then return x.negative end
  if x.negative then return smaller(y, x) end
  return smaller(x, y)
end

local function isInt64(text)
  return #text < 19 or not (below(text, "-9223372036854775808") or below("9223372036854775807", text))
end

-- A stored text in its one form; nil where it is none of the kind.
local function digitsOf(text, kind)
  local digits = integer(text)
  return digits and (kind == "u" or isInt64(digits)) and digits or nil
end

local function digitCount(text)
  return find(text, "^%-") and #text - 1 or #text
end

-- Larger ones take their time, which is everybody's here.
local function limited(text)
  if #text > MOST_DIGITS and digitCount(text) > MOST_DIGITS then return fail("arithmetic", "outOfRange") end
  return text
end

local function calculate(op, a, b)
  limited(a)
  limited(b)
  if op == OP.assign then return b end
  if op == OP.min then return below(b, a) and b or a end
  if op == OP.max then return below(a, b) and b or a end
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
    if n <= SAFE and n >= -SAFE then return format("%d", n) end
  end
  if op == OP.increment then return limited(textOf(plus(limbsOf(a), limbsOf(b)))) end
  if op == OP.multiply then
    -- the product has as many digits as both, or one fewer
    if digitCount(a) + digitCount(b) > MOST_DIGITS + 1 then return fail("arithmetic", "outOfRange") end
    return limited(textOf(times(limbsOf(a), limbsOf(b))))
  end
  local quotient, rest = divided(a, limbsOf(b))
  return op == OP.modulo and rest or quotient
end

local function exact(op, text, spec, at, n)
  local value = digitsOf(text, spec.k) or fail("type")
  if op == OP.clamp then
    local low, high = integer(code[at]), integer(code[at + 1])
    value = below(value, low) and low or below(high, value) and high or value
  else
    value = calculate(op, value, integer(code[at]))
  end
  if spec.k == "l" and not isInt64(value) then return fail("arithmetic", "outOfRange") end
  if spec.ge and below(value, integer(spec.ge)) then return fail("bounds", "minimum") end
  if spec.gt and not below(integer(spec.gt), value) then return fail("bounds", "exclusiveMinimum") end
  if spec.le and below(integer(spec.le), value) then return fail("bounds", "maximum") end
  if spec.lt and not below(value, integer(spec.lt)) then return fail("bounds", "exclusiveMaximum") end
  local low, high = n > 2 and code[at + n - 2], n > 2 and code[at + n - 1]
  if low and below(value, integer(low)) then return fail("bounds", "atLeast") end
  if high and below(integer(high), value) then return fail("bounds", "atMost") end
  return value
end

local function same(a, b)
  local x = integer(a)
  return x ~= nil and x == integer(b)
end

local function order(a, b)
  b = integer(b)
  return a == b and 0 or below(a, b) and -1 or 1
end

return { arithmetic = exact, same = same, valueOf = digitsOf, compute = calculate, integer = integer, order = order }
