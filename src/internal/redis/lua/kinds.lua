-- The kinds of scalars.
local doubles, exact -- made when first needed

-- What a kind of number has: its arithmetic, its equality, and its reading of a text.
local function numeric(kind)
  if kind == "i" or kind == "n" or kind == "d" then
    if not doubles then doubles = numbers() end
    return doubles
  elseif kind == "l" or kind == "u" then
    if not exact then exact = integers() end
    return exact
  end
end

-- Whether a stored text is of the field's kind, as far as a kind tells: what is not must not be lost.
local function readable(text, kind)
  if kind == "b" then return text == "true" or text == "false" end
  local family = numeric(kind)
  return not family or family.valueOf(text, kind) ~= nil
end

-- A text's length as the schema counts it: in UTF-16 units, of which four bytes of UTF-8 are two.
local function lengthOf(text, spec)
  local _, continuation = string.gsub(text, "[\128-\191]", "")
  local _, four = string.gsub(text, "[\240-\247]", "")
  local length = #text - continuation + four
  if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
  if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
  return length
end
