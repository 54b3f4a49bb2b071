-- Operations on one scalar text, wherever it is stored: each takes the text that is there, and gives the new text and the
-- result. The specification names the kind, the default that an absent text reads as, whether the text `null` is absent, and
-- the bounds.
local try -- made when first needed

-- Of a text that is appended to, in bytes of UTF-8: one that doubles would block the server. What is written as a whole has
-- the limit of the layer, which may be larger.
local LONGEST = 1000000

-- Gives nil as the new text where nothing is written, false where it goes. The operation's arguments begin at `at`.
local function apply(op, text, spec, at, n)
  if op == OP.get then return nil, text end
  local isNull = spec.z and text == "null"
  if isNull then text = false end
  if op >= OP.increment then
    local current = text or spec.d or fail("type")
    local result = numeric(spec.k).arithmetic(op, current, spec, at, n)
    return result, result
  end
  if op == OP.set then return code[at], 1 end
  if op >= OP.compare then
    if op == OP.isSet then return nil, text and 1 or 0 end
    if not try then try = tests() end
    return try(op, text, isNull, spec, at, n)
  end
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
    local added = code[at]
    if #current + #added > LONGEST then return fail("tooLong") end
    local joined = current .. added
    return joined, lengthOf(joined, spec)
  end
  if current ~= "true" and current ~= "false" then return fail("type") end
  local flipped = current == "true" and "false" or "true"
  return flipped, flipped
end

return apply, numeric
