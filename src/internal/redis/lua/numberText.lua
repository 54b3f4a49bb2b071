-- Writes doubles as text, as JavaScript does. They travel as text, because cjson keeps only 14 digits of a number.
-- uses: find, format (input)
local MIN_NORMAL = 2.2250738585072014e-308
local abs, frexp, ceil, fmod, sqrt = math.abs, math.frexp, math.ceil, math.fmod, math.sqrt
local gsub, sub, rep = string.gsub, string.sub, string.rep

-- Returns the shortest text that reads back to `n`. It has 15 to 17 digits, but any number of them for the smallest
-- doubles. For a power of two the text with 16 digits may not be the nearest one: doubles are twice as dense below it, so
-- the next text above may read back although the nearest one does not.
local function shortest(n)
  local text
  for digits = n < MIN_NORMAL and n > -MIN_NORMAL and 0 or 14, 16 do
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
