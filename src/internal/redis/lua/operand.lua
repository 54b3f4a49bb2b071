-- Operands: a queue of values that the program has loaded. An instruction takes one for each of its arguments that is `true`.
-- uses: appended, applyScalar, code, fail, find, numberKind (call) · makeScalars (order)
local queue, first, last = {}, 1, 0

local function push(value)
  last = last + 1
  queue[last] = value
end

-- Replaces the last two operands by one. They are doubles, or exact integers of any size.
local function combine(op, exact)
  local a, b, result = queue[last - 1], queue[last], nil
  if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
  if exact == 1 then
    local integer = numberKind("l").integer
    a, b = integer(a), integer(b)
    if op == SUBTRACT then op, b = OP.increment, find(b, "^%-") and string.sub(b, 2) or integer("-" .. b) end
    result = numberKind("l").compute(op, a, b)
  elseif op == OP.increment then
    result = a + b
  elseif op == SUBTRACT then
    result = a - b
  else
    result = numberKind("n").compute(op, a, b)
  end
  if exact == 0 and result - result ~= 0 then return fail("arithmetic", "notFinite") end
  last = last - 1
  queue[last] = result
end

-- Makes the last operand the text that a field stores. Its place in `code` is at `at`.
local function encode(spec, at)
  if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
  code[at] = queue[last]
  queue[last] = applyScalar(OP.assign, false, spec, at, 1)
end

local function fill(at, n)
  if first > last then return end
  for i = at, at + n - 1 do
    if code[i] == true and first <= last then
      code[i] = queue[first]
      first = first + 1
    end
  end
end

local function clear()
  first, last = 1, 0
end

return { push = push, combine = combine, encode = encode, fill = fill, clear = clear }
