-- Arithmetic on doubles: "n" any number, "i" an integer, "d" a date in milliseconds.
local FURTHEST = 8640000000000000

local function whole(n, kind)
  local limit = kind == "d" and FURTHEST or SAFE
  return n % 1 == 0 and n <= limit and n >= -limit
end

-- nil where it is none of the kind, infinite or NaN where the kind has that.
local function numberOf(text, kind)
  local n = parse(text)
  if n and n - n == 0 then return (kind == "n" or whole(n, kind)) and n or nil end
  return kind == "n" and (text == "NaN" or text == "Infinity" or text == "-Infinity") and 1 / 0 or nil
end

-- By multiplication, since `^` is not JavaScript's.
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

local function bounded(n, spec, low, high)
  if spec.ge and n < spec.ge then return fail("bounds", "minimum") end
  if spec.gt and n <= spec.gt then return fail("bounds", "exclusiveMinimum") end
  if spec.le and n > spec.le then return fail("bounds", "maximum") end
  if spec.lt and n >= spec.lt then return fail("bounds", "exclusiveMaximum") end
  if low and n < low then return fail("bounds", "atLeast") end
  if high and n > high then return fail("bounds", "atMost") end
end

-- One function for what is asked most: calls cost here.
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
  local isWhole = value % 1 == 0
  if spec.k ~= "n" then
    -- an operand may be a fraction even where the result is none
    if not isWhole or code[at] % 1 ~= 0 and (op == OP.increment or op == OP.min or op == OP.max or op == OP.clamp)
      or op == OP.clamp and code[at + 1] % 1 ~= 0 then
      return fail("arithmetic", "notWhole")
    end
    if not whole(value, spec.k) then return fail("arithmetic", "outOfRange") end
  end
  bounded(value, spec, n > 2 and code[at + n - 2], n > 2 and code[at + n - 1])
  if isWhole and value <= SAFE and value >= -SAFE then return format("%d", value) end
  return shortest(value)
end

local function same(a, b)
  local x, y = parse(a), parse(b)
  return x ~= nil and x == y
end

return { arithmetic = arithmetic, same = same, valueOf = numberOf, compute = compute }
