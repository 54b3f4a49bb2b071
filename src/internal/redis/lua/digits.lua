-- Integers of any size. Between operations they are texts without leading zeros and without a negative zero. An operation
-- cuts a text into limbs of seven digits, the lowest first, and a sign. Zero has no limbs.
-- uses: find, format (input) · floor (call)
local BASE = 10000000
local SHORT = 28 -- the greatest length of a text that has two halves
local HALF = 1e14
local gsub, sub, concat = string.gsub, string.sub, table.concat

local function integer(text)
  if not find(text, "^%-?%d+$") then return nil end
  local _, _, sign, digits = find(text, "^(%-?)0*(%d+)$")
  return digits == "0" and digits or sign .. digits
end

-- Returns two numbers, the first of which counts 10^14. Both have the sign of the text, which has at most 28 characters.
local function halves(text)
  local size, first = #text, sub(text, 1, 1) == "-" and 2 or 1
  if size - first < 14 then return 0, tonumber(text) end
  local high, low = tonumber(sub(text, first, size - 14)), tonumber(sub(text, size - 13))
  if first == 2 then return -high, -low end
  return high, low
end

-- Returns the sum of two texts that have at most 28 characters each. Most integers are such, and limbs cost five times as much.
local function shortSum(a, b)
  local high, low = halves(a)
  local otherHigh, otherLow = halves(b)
  high, low = high + otherHigh, low + otherLow
  if low >= HALF or high < 0 and low > 0 then high, low = high + 1, low - HALF end
  if low <= -HALF or high > 0 and low < 0 then high, low = high - 1, low + HALF end
  if high == 0 then return format("%d", low) end
  return format("%d%014d", high, low < 0 and -low or low)
end

local function trimmed(limbs)
  local count = #limbs
  while limbs[count] == 0 do
    limbs[count] = nil
    count = count - 1
  end
  return limbs
end

local function limbsOf(text)
  local negative = sub(text, 1, 1) == "-"
  local limbs, count, first = { negative = negative }, 0, negative and 2 or 1
  for last = #text, first, -7 do
    count = count + 1
    limbs[count] = tonumber(sub(text, last - 6 < first and first or last - 6, last))
  end
  return trimmed(limbs)
end

local function textOf(limbs)
  local count = #limbs
  if count == 0 then return "0" end
  local parts = { (limbs.negative and "-" or "") .. format("%d", limbs[count]) }
  for i = count - 1, 1, -1 do parts[#parts + 1] = format("%07d", limbs[i]) end
  return concat(parts)
end

-- Compares two integers without their signs.
local function smaller(a, b)
  if #a ~= #b then return #a < #b end
  for i = #a, 1, -1 do
    if a[i] ~= b[i] then return a[i] < b[i] end
  end
  return false
end

local function plus(a, b)
  local sign = 1
  if a.negative ~= b.negative then
    sign = -1
    if smaller(a, b) then a, b = b, a end
  end
  local sum, carry = { negative = a.negative }, 0
  for i = 1, #a > #b and #a or #b do
    local limb = (a[i] or 0) + sign * (b[i] or 0) + carry
    carry = floor(limb / BASE)
    sum[i] = limb - carry * BASE
  end
  if carry > 0 then sum[#sum + 1] = carry end
  return trimmed(sum)
end

local function times(a, b)
  local product = { negative = a.negative ~= b.negative }
  for i = 1, #a + #b do product[i] = 0 end
  for i = 1, #a do
    local carry = 0
    for j = 1, #b do
      local limb = product[i + j - 1] + a[i] * b[j] + carry
      carry = floor(limb / BASE)
      product[i + j - 1] = limb - carry * BASE
    end
    if carry > 0 then product[i + #b] = carry end
  end
  return trimmed(product)
end

-- Long division: returns the quotient, rounded towards zero, and the remainder.
local function divided(text, divisor)
  local digits, negative = gsub(text, "^%-", "")
  local negated, ten, remainder, quotient = { negative = true }, { 10, negative = false }, { negative = false }, {}
  for i = 1, #divisor do negated[i] = divisor[i] end
  for i = 1, #digits do
    remainder = plus(times(remainder, ten), trimmed({ tonumber(sub(digits, i, i)), negative = false }))
    local digit = 0
    while not smaller(remainder, negated) do
      remainder, digit = plus(remainder, negated), digit + 1
    end
    quotient[i] = digit
  end
  remainder.negative = negative == 1
  local sign = (negative == 1) ~= divisor.negative and "-" or ""
  return integer(sign .. concat(quotient)), textOf(remainder)
end
