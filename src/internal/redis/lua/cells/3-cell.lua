-- Operations on one scalar text, wherever it is stored: each takes the text that is there, and gives the new text and the
-- result. The specification names the kind, the default that an absent text reads as, whether the text `null` is absent, and
-- the bounds.
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

-- Gives nil as the new text where nothing is written, false where it goes. The operation's arguments begin at `at`.
local function apply(op, text, spec, at, n)
  if op == OP.get then return nil, text end
  local isNull = spec.z and text == "null"
  if isNull then text = false end
  if op >= OP.add then
    local current = text or spec.d or fail("type")
    local result = numeric(spec.k).arithmetic(op, current, spec, at, n)
    return result, result
  end
  if op == OP.set then return code[at], 1 end
  if op == OP.clear then
    if text then return spec.z and "null" or false, 1 end
    return nil, 0
  end
  if op == OP.setIfAbsent then
    if text then return nil, 0 end
    return code[at], 1
  end
  if op == OP.getAndSet then
    if text and not readable(text, spec.k) then return fail("type") end
    return code[at], text
  end
  local current = text or spec.d
  if op == OP.compareAndSet then
    local expected = code[at]
    if isNull then current = nil end -- `null` is not what an absent one reads as
    if current and current ~= expected then
      local family = numeric(spec.k)
      if family and family.same(current, expected) then current = expected end
    end
    if current == expected then return code[at + 1], 1 end
    return nil, 0
  end
  if not current then return fail("type") end
  if op == OP.appendText then
    -- its length as the schema counts it: in UTF-16 units, of which four bytes of UTF-8 are two
    local joined = current .. code[at]
    local _, continuation = string.gsub(joined, "[\128-\191]", "")
    local _, four = string.gsub(joined, "[\240-\247]", "")
    local length = #joined - continuation + four
    if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
    if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
    return joined, length
  end
  if current ~= "true" and current ~= "false" then return fail("type") end
  local flipped = current == "true" and "false" or "true"
  return flipped, flipped
end

return apply
