-- Programs of the general path with tests, jumps, operands or attempts. Jumps go forward, so each instruction runs at most
-- once.
-- uses: code, nowMillis, reply, replySize, specs, step (input) · appended, applyScalar, catchFailure, fail, helpers, numberKind,
--   resume (call) · indexedCount, indexes, journalSize,
--   messageCount, spendResult (program) · undo (journal) · runInstruction (instruction) · finish (commit) · makeOperands,
--   makeScalars (order)
local operands
local flag = false -- the result of the last test
local attempts, depth = {}, 0 -- the open attempts: what a failure goes back to
local base, size -- of the running program: the size of the reply before its results, and its number of instructions
local nextPc -- the position of the instruction after the running one
local undoneFrom = {} -- ranges of results that are false since an attempt failed: the first step by the last one

local function needOperands()
  if not operands then operands = makeOperands() end
  return operands
end

-- Returns the number that an earlier instruction gave: a score is a text. Nothing if it gave none.
local function numberIn(result)
  if result == "inf" then return 1 / 0 end
  if result == "-inf" then return -1 / 0 end
  return result and tonumber(result)
end

-- Compares an exact integer, which is a text, with another one.
local function compareExact(comparison, result, expected)
  if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
  local integers = numberKind("u")
  return helpers.compare(comparison, integers.order(integers.integer(result), expected), 0)
end

local function operandIn(result)
  local number = numberIn(result)
  if number and number - number ~= 0 then return fail("arithmetic", "notFinite") end
  return number
end

local function runFrom(pc, i)
  while i <= size do
    step, replySize = i, base + i
    local op, n, at, result, skipped = code[pc], code[pc + 3], pc + 4, 1, 0
    pc = at + n
    nextPc = pc
    if op >= FIRST.scalar then
      if operands then operands.fill(at, n) end
      result = runInstruction(at - 4)
      spendResult(result)
      if OPS.scalar.putsOperand(op) or OPS.collection.putsOperand(op) then
        needOperands().push(result)
        result = 1
      elseif OPS.isTest(op) then
        flag = result == 1
      end
    elseif op == OP.attempt then
      -- a value of before that a unique index refuses is no failure of the attempt
      if indexedCount > 0 then indexes.flush() end
      depth = depth + 1
      attempts[depth] = {
        step = i,
        distance = code[at],
        mode = code[at + 1],
        journalSize = journalSize,
        flag = flag,
        messages = messageCount
      }
      result = 0
    elseif op == OP.endAttempt then
      -- what the attempt has written may be refused by a unique index
      if indexedCount > 0 then indexes.flush() end
      depth = depth - 1
      skipped = code[at]
    elseif op == OP.constant then
      needOperands().push(code[at])
    elseif op == OP.now then
      needOperands().push(nowMillis)
      result = nowMillis
    elseif op == OP.combine then
      operands.combine(code[at], code[at + 1])
    elseif op == OP.encode then
      operands.encode(specs[code[at - 2]], at)
    elseif op == OP.loadResult then
      local found, default = reply[replySize - code[at]], n > 1 and code[at + 1]
      -- an exact integer stays a text
      found = type(default) == "string" and found or operandIn(found)
      needOperands().push(found or default or fail("type"))
    elseif op == OP.compareResult then
      if operands then operands.fill(at, n) end
      local found = reply[replySize - code[at]]
      local number = numberIn(found)
      if number and type(code[at + 2]) == "string" then
        result = compareExact(code[at + 1], found, code[at + 2])
      else
        result = number and helpers.compare(code[at + 1], number, code[at + 2]) or code[at + 1] == COMPARISON.neq and 1 or 0
      end
      flag = result == 1
    else
      result, skipped, flag = helpers.branch(op, at, flag)
    end
    reply[replySize] = result
    i = i + 1
    for _ = 1, skipped do
      reply[base + i] = false
      pc, i = pc + 4 + code[pc + 3], i + 1
    end
  end
  replySize, depth = base + size, 0
  return pc
end

-- If an attempt catches the failure, it is undone, and its results become false. Results that an inner attempt has set to
-- false are skipped, because attempts may be nested deeply.
function catchFailure(why)
  local tag, attempt = why[1], nil
  local isAny = tag == "exists" or tag == "index" or tag == "bounds" or tag == "arithmetic" or tag == "fail"
    or tag == "lost" or tag == "unique"
  while depth > 0 and not attempt do
    if tag == "missing" or isAny and attempts[depth].mode == 1 then attempt = attempts[depth] end
    depth = depth - 1
  end
  if not attempt then return false end
  undo(attempt.journalSize)
  if indexedCount > 0 then indexes.noteAgain() end
  messageCount, flag = attempt.messages, attempt.flag
  if operands then operands.clear() end
  function resume()
    local pc, last = nextPc, attempt.step + attempt.distance
    for i = step + 1, last do
      reply[base + i] = false
      pc = pc + 4 + code[pc + 3]
    end
    local i = step
    while i > attempt.step do
      if not undoneFrom[i] then reply[base + i] = false end
      i = (undoneFrom[i] or i) - 1
    end
    reply[base + i], undoneFrom[last] = 1, i + 1
    pc = runFrom(pc, last + 1)
    finish()
    return pc
  end
  return true
end

-- Runs a program that begins at `pc` from its instruction `i` on. `runGeneral` has run those before it.
return function(pc, i, count)
  base, size, flag, depth, undoneFrom = replySize - i + 1, count, false, 0, {}
  if operands then operands.clear() end
  for j = 1, i - 1 do
    local op = code[pc]
    if OPS.isTest(op) then flag = reply[base + j] == 1 end
    pc = pc + 4 + code[pc + 3]
  end
  return runFrom(pc, i)
end
