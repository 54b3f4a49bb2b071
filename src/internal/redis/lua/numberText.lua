-- Numbers travel as text, since cjson keeps 14 digits, and read back to the same double. The text is JavaScript's own.
local NORMAL = 2.2250738585072014e-308
local abs, frexp, ceil, fmod, sqrt = math.abs, math.frexp, math.ceil, math.fmod, math.sqrt
local gsub, sub, rep = string.gsub, string.sub, string.rep

local function parse(text)
  if find(text, "^%-?%d+$") then return tonumber(text) end
  if find(text, "^%-?%d+%.%d+$")
    or find(text, "^%-?%d+e[%+%-]?%d+$") or find(text, "^%-?%d+%.%d+e[%+%-]?%d+$") then
    return tonumber(text)
  end
end

-- The fewest digits that read back to `n`: 15 to 17 of them, but for the smallest doubles any number, and for a power of two
-- perhaps not the nearest 16: doubles are twice as dense below it, so the next ones up may do where the nearest don't.
local function shortest(n)
  local text
  for digits = n < NORMAL and n > -NORMAL and 0 or 14, 16 do
    text = format("%." .. digits .. "e", n)
    if tonumber(text) == n then break end
    if digits == 15 and abs(frexp(n)) == 0.5 then
      text = gsub(text, "%de", function(last) return sub(last, 1, 1) + 1 .. "e" end)
      if tonumber(text) == n then break end
    end
  end
  local _, _, sign, head, tail, exponent = find(text, "^(%-?)(%d)%.?(%d*)e([%+%-]%d+)$")
  local digits, e = gsub(head .. tail, "0+$", ""), tonumber(exponent)
  local count = #digits
  if e >= 21 or e < -6 then
    local mantissa = count > 1 and (sub(digits, 1, 1) .. "." .. sub(digits, 2)) or digits
    return sign .. mantissa .. "e" .. (e < 0 and "-" or "+") .. format("%d", e < 0 and -e or e)
  elseif e < 0 then
    return sign .. "0." .. rep("0", -e - 1) .. digits
  elseif count <= e + 1 then
    return sign .. digits .. rep("0", e + 1 - count)
  end
  return sign .. sub(digits, 1, e + 1) .. "." .. sub(digits, e + 2)
end

