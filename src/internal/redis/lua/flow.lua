-- Programs that jump, and that go on after a failure. Jumps go forward: each instruction runs at most once.
local operand -- the family, made when first needed
local flag = false
local attempts, depth = {}, 0 -- what it takes to go on where an attempt began
local base, total -- of the program: the reply before its results, and how many they are
local following -- where the instruction after the one that runs begins
local undone = {} -- where the results that are none begin, by where they end

local function isTest(op)
  return op >= OP.compare and op <= OP.isSet or op == OP.compareSize or op == OP.contains or op == OP.has
    or op == OP.exists
end

local function needOperand()
  if not operand then operand = operands() end
  return operand
end

local function proceed(pc, i)
  while i <= total do
    step, size = i, base + i
    local op, n, at, result, skipped = code[pc], code[pc + 3], pc + 4, 1, 0
    pc = at + n
    following = pc
    if op >= OP.get then
      if operand then operand.fill(at, n) end
      result = instruct(at - 4)
      if op == OP.load or op == OP.loadSize then
        needOperand().push(result)
        result = 1
      elseif isTest(op) then
        flag = result == 1
      end
    elseif op == OP.attempt then
      depth = depth + 1
      attempts[depth] = {
        step = i,
        distance = code[at],
        mode = code[at + 1],
        top = top,
        flag = flag,
        messages = messageCount
      }
      result = 0
    elseif op == OP.endAttempt then
      depth = depth - 1
      skipped = code[at]
    elseif op == OP.constant then
      needOperand().push(code[at])
    elseif op == OP.combine then
      operand.combine(code[at], code[at + 1])
    else
      result, skipped, flag = more.steer(op, at, flag)
    end
    out[size] = result
    i = i + 1
    for _ = 1, skipped do
      out[base + i] = false
      pc, i = pc + 4 + code[pc + 3], i + 1
    end
  end
  size, depth = base + total, 0
  return pc
end

-- An attempt that catches a failure is undone: the program goes on as if it had not been. What an attempt within it has left
-- is not gone over again, since there may be many, each within the next.
function caught(why)
  local tag, attempt = why[1], nil
  local isAny = tag == "exists" or tag == "index" or tag == "bounds" or tag == "arithmetic" or tag == "fail"
    or tag == "lost"
  while depth > 0 and not attempt do
    if tag == "missing" or isAny and attempts[depth].mode == 1 then attempt = attempts[depth] end
    depth = depth - 1
  end
  if not attempt then return false end
  undo(attempt.top)
  messageCount, flag = attempt.messages, attempt.flag
  if operand then operand.clear() end
  function rest()
    local pc, last = following, attempt.step + attempt.distance
    for i = step + 1, last do
      out[base + i] = false
      pc = pc + 4 + code[pc + 3]
    end
    local i = step
    while i > attempt.step do
      if not undone[i] then out[base + i] = false end
      i = (undone[i] or i) - 1
    end
    out[base + i], undone[last] = 1, i + 1
    pc = proceed(pc, last + 1)
    finish()
    return pc
  end
  return true
end

-- Goes on at an instruction, of a program that began at `pc`.
return function(pc, i, count)
  base, total, flag, depth, undone = size - i + 1, count, false, 0, {}
  if operand then operand.clear() end
  for j = 1, i - 1 do
    if isTest(code[pc]) then flag = out[base + j] == 1 end
    pc = pc + 4 + code[pc + 3]
  end
  return proceed(pc, i)
end
