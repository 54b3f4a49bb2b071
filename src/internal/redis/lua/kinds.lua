-- The kinds of scalars: how their texts are read, compared and measured.
-- uses: fail (call) · makeDoubles, makeIntegers (order)
local doubles, integers

-- Returns the functions of a kind of number, or nothing if the kind is not a number.
local function numberKind(kind)
  if kind == "i" or kind == "n" or kind == "d" then
    if not doubles then doubles = makeDoubles() end
    return doubles
  elseif kind == "l" or kind == "u" then
    if not integers then integers = makeIntegers() end
    return integers
  end
end

-- Whether a stored text parses as this kind. A text that does not is never overwritten silently.
local function isReadable(text, kind)
  if kind == "b" then return text == "true" or text == "false" end
  local family = numberKind(kind)
  return not family or family.valueOf(text, kind) ~= nil
end

-- Returns the length of a text in UTF-16 units, as the schema counts it. A character of four bytes has two of them.
local function lengthOf(text)
  if not string.find(text, "[\128-\255]") then return #text end
  local _, continuation = string.gsub(text, "[\128-\191]", "")
  local _, four = string.gsub(text, "[\240-\247]", "")
  return #text - continuation + four
end

-- Returns the length of a text, if it is within its bounds.
local function checkTextLength(length, spec)
  if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
  if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
  return length
end
