-- Arithmetic on doubles. The kinds are "n", any number; "i", an integer; "d", a date in milliseconds.
-- uses: code, format (input) · MAX_SAFE, fail, floor (call) · abs, ceil, fmod, shortest, sqrt
--   (numberText) · parse (parseNumber)
local MAX_DATE = 8640000000000000

local function isWhole(n, kind)
  local limit = kind == "d" and MAX_DATE or MAX_SAFE
  return n % 1 == 0 and n <= limit and n >= -limit
end

-- Returns nil if the text is not of the kind, and infinity for NaN and the infinities of "n": no arithmetic takes these.
local function numberOf(text, kind)
  local n = parse(text)
  if n and n - n == 0 then return (kind == "n" or isWhole(n, kind)) and n or nil end
  return kind == "n" and (text == "NaN" or text == "Infinity" or text == "-Infinity") and 1 / 0 or nil
end

-- Multiplies, because `^` of Lua and `**` of JavaScript differ in the last digits.
local function power(base, exponent)
  if exponent == 0.5 then return sqrt(base) end
  if base == 0 and exponent < 0 then return fail("arithmetic", "divisionByZero") end
  local m, result = abs(exponent), 1
  while m > 0 do
    if m % 2 == 1 then result = result * base end
    m = floor(m / 2)
    if m > 0 then base = base * base end
  end
  return exponent < 0 and 1 / result or result
end

local function compute(op, a, b)
  if op == OP.multiply then return a * b end
  if op == OP.assign then return b + 0 end
  if op == OP.min then return b < a and b or a end
  if op == OP.max then return b > a and b or a end
  if op == OP.power then return power(a, b) end
  if b == 0 then return fail("arithmetic", "divisionByZero") end
  if op == OP.divide then return a / b end
  if op == OP.modulo then return fmod(a, b) end
  local q = a / b
  return q < 0 and ceil(q) or floor(q)
end

local function checkBounds(n, spec, low, high)
  if spec.ge and n < spec.ge then return fail("bounds", "minimum") end
  if spec.gt and n <= spec.gt then return fail("bounds", "exclusiveMinimum") end
  if spec.le and n > spec.le then return fail("bounds", "maximum") end
  if spec.lt and n >= spec.lt then return fail("bounds", "exclusiveMaximum") end
  if low and n < low then return fail("bounds", "atLeast") end
  if high and n > high then return fail("bounds", "atMost") end
end

-- One long function, because function calls are expensive here.
local function arithmetic(op, text, spec, at, n)
  local value = numberOf(text, spec.k) or fail("type")
  if value - value ~= 0 then return fail("arithmetic", "notFinite") end
  if op == OP.increment then
    value = value + code[at]
  elseif op == OP.clamp then
    local low, high = code[at], code[at + 1]
    value = value < low and low or value > high and high or value
  else
    value = compute(op, value, code[at])
  end
  if value - value ~= 0 then return fail("arithmetic", "notFinite") end
  local hasNoFraction = value % 1 == 0
  if spec.k ~= "n" then
    -- an operand may have a fraction although the result has none
    if not hasNoFraction or code[at] % 1 ~= 0 and (op == OP.increment or op == OP.min or op == OP.max or op == OP.clamp)
      or op == OP.clamp and code[at + 1] % 1 ~= 0 then
      return fail("arithmetic", "notWhole")
    end
    if not isWhole(value, spec.k) then return fail("arithmetic", "outOfRange") end
  end
  checkBounds(value, spec, n > 2 and code[at + n - 2], n > 2 and code[at + n - 1])
  if hasNoFraction and value <= MAX_SAFE and value >= -MAX_SAFE then return format("%d", value) end
  return shortest(value)
end

local function same(a, b)
  local x, y = parse(a), parse(b)
  return x ~= nil and x == y
end

return { arithmetic = arithmetic, same = same, valueOf = numberOf, compute = compute }
