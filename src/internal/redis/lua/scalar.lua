-- Operations on one scalar text: a field of a hash, an item of a list or the value of a map entry. The specification has
-- the kind, the default that a missing text reads as, whether the text `null` means missing, and the bounds.
-- uses: code, input (input) · fail (call) · checkTextLength, isReadable, lengthOf, numberKind (kinds)
--   · makeComparisons (order)
local testOrOperand

-- The greatest length of an appended text in bytes. The call has it only if it is not the default of `maximumValueBytes`.
local maxAppended = input[3] or 1000000

-- Comes before the length of a text is counted, because to count a long one costs much.
local function checkBytes(bytes)
  if bytes > maxAppended then return fail("tooLong", maxAppended) end
end

-- Takes the stored text, or false. Returns the new text, false to remove it, or nil to write nothing; and the result. The
-- operation's arguments begin at `at`.
local function applyScalar(op, text, spec, at, n)
  if op == OP.get then return nil, text end
  local isNull = spec.z and text == "null"
  if isNull then text = false end
  if op >= OP.increment then
    local current = text or spec.d or fail("type")
    local result = numberKind(spec.k).arithmetic(op, current, spec, at, n)
    return result, result
  end
  if op == OP.set then return code[at], 1 end
  if op >= OP.compare then
    if op == OP.isSet then return nil, text and 1 or 0 end
    if not testOrOperand then testOrOperand = makeComparisons() end
    return testOrOperand(op, text, isNull, spec, at, n)
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
    if text and not isReadable(text, spec.k) then return fail("type") end
    return code[at], text
  end
  local current = text or spec.d
  if op == OP.compareAndSet then
    local expected = code[at]
    if isNull then current = nil end -- a missing text reads as the default, but `null` does not
    if current and current ~= expected then
      local family = numberKind(spec.k)
      if family and family.same(current, expected) then current = expected end
    end
    if current == expected then return code[at + 1], 1 end
    return nil, 0
  end
  if not current then return fail("type") end
  if op == OP.appendText then
    local added = code[at]
    checkBytes(#current + #added)
    return current .. added, checkTextLength(lengthOf(current) + lengthOf(added), spec)
  end
  if current ~= "true" and current ~= "false" then return fail("type") end
  local flipped = current == "true" and "false" or "true"
  return flipped, flipped
end

return applyScalar, numberKind, { lengthOf = lengthOf, checkBytes = checkBytes, checkLength = checkTextLength }
