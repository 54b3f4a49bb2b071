-- Operations on one scalar text, wherever it is stored: each takes the text that is there, and gives the new text and the
-- result. The specification names the kind ("t" text, "i" integer, "n" number, "b" boolean, "v" any other value), the default
-- that an absent text reads as, and the bounds.
local function numberOf(text, spec)
  local n = parse(text)
  if n and n - n == 0 then
    if spec.k ~= "i" or (n % 1 == 0 and n <= SAFE and n >= -SAFE) then return n end
  elseif spec.k == "n" and (text == "NaN" or text == "Infinity" or text == "-Infinity") then
    return fail("arithmetic", "notFinite")
  end
  return fail("type")
end

local function compute(op, a, b)
  if op == OP.multiply then return a * b end
  if op == OP.min then return b < a and b or a end
  if op == OP.max then return b > a and b or a end
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
  local value = numberOf(text or spec.d or fail("type"), spec)
  if op == OP.add then
    value = value + code[at]
  elseif op == OP.clamp then
    local low, high = code[at], code[at + 1]
    value = value < low and low or value > high and high or value
  else
    value = compute(op, value, code[at])
  end
  if value - value ~= 0 then return fail("arithmetic", "notFinite") end
  local whole = value % 1 == 0
  if spec.k == "i" then
    if not whole then return fail("arithmetic", "notWhole") end
    if value > SAFE or value < -SAFE then return fail("arithmetic", "outOfRange") end
  end
  bounded(value, spec, n > 2 and code[at + n - 2], n > 2 and code[at + n - 1])
  if whole and value <= SAFE and value >= -SAFE then return format("%d", value) end
  return shortest(value)
end

-- The length of a text as the schema counts it: in UTF-16 units, of which four bytes of UTF-8 are two.
local function units(text)
  local _, continuation = gsub(text, "[\128-\191]", "")
  local _, four = gsub(text, "[\240-\247]", "")
  return #text - continuation + four
end

local function sized(length, spec)
  if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
  if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
  return length
end

local function same(a, b, spec)
  if a == b then return true end
  if not a or not b or (spec.k ~= "i" and spec.k ~= "n") then return false end
  local x, y = parse(a), parse(b)
  return x ~= nil and x == y
end

-- Whether a stored text is of the field's kind, as far as a kind tells: what is not must not be lost.
local function readable(text, spec)
  if spec.k == "b" then return text == "true" or text == "false" end
  if spec.k ~= "i" and spec.k ~= "n" then return true end
  local n = parse(text)
  if n and n - n == 0 then return spec.k == "n" or n % 1 == 0 and n <= SAFE and n >= -SAFE end
  return spec.k == "n" and (text == "NaN" or text == "Infinity" or text == "-Infinity")
end

-- Gives nil as the new text where nothing is written, false where it goes. The operation's arguments begin at `at`.
local function apply(op, text, spec, at, n)
  if op >= OP.add then
    local result = arithmetic(op, text, spec, at, n)
    return result, result
  end
  if op == OP.get then return nil, text end
  if op == OP.set then return code[at], 1 end
  if op == OP.clear then
    if text then return false, 1 end
    return nil, 0
  end
  if op == OP.setIfAbsent then
    if text then return nil, 0 end
    return code[at], 1
  end
  if op == OP.getAndSet then
    if text and not readable(text, spec) then return fail("type") end
    return code[at], text
  end
  local current = text or spec.d
  if op == OP.compareAndSet then
    if same(current or false, code[at], spec) then return code[at + 1], 1 end
    return nil, 0
  end
  if not current then return fail("type") end
  if op == OP.appendText then
    local joined = current .. code[at]
    return joined, sized(units(joined), spec)
  end
  if current ~= "true" and current ~= "false" then return fail("type") end
  local flipped = current == "true" and "false" or "true"
  return flipped, flipped
end

return apply, sized
