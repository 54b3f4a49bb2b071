-- Runs the batch. Each program is applied wholly or not at all, by the first of three paths that can run it:
--
--   runSingle   One read of an entity, or one insert of an entity without collections. It checks everything before its write, so
--               there is nothing to undo.
--   runFields   Operations on scalars, of however many entities, with tests and jumps. It reads each entity once and writes
--               it once, after the last operation has succeeded, so there is nothing to undo. See runFields.lua.
--   runGeneral  Everything else: collections, operands, attempts, messages. Each instruction writes at once,
--               and a journal undoes the writes of a program that stops. See runGeneral.lua.
--
-- The first two are fast paths of the third, so some operations have several implementations. All paths compute scalars
-- with `applyScalar`; fast.lua and runFields.lua write the most frequent operations out. `insert` has two implementations here, in
-- `runSingle` and in entityWrites.lua, and one in memory/entity.ts. The differential tests compare the layers, so that they
-- stay equal.
-- uses: call, code, format, nowMicros, nowMillis, ordinal, pc, reply, replySize, specs, step, total (input) ·
--   catchFailure, catchUp, clock, dedupIndex, fail, findOutcome, forms, head, helpers, isDeduplicated, isPartial,
--   isUndecided, keepResults, keptOutcomes, leaveTombstone, MAX_KEPT, moveRun, nextArgument, readingCollection, resume,
--   runArguments, runBehind, runEnd, runFields, runGeneral, runLeft, runLock, runStart, runStride, saveOutcomes, undoProgram (call) ·
--   makeDedup, makeFields, makeForms, makeGeneral, makeHelpers, makeLocks (order)
local start = 1 -- the position of the number of instructions of the running program

-- Runs `read`, `find` or `insert`. Returns the result; or nil and true if the program must take the general path, because a field
-- is stored in another form.
local function runSingle(op, key, spec, at)
  local expiry = spec.life
  if (expiry or op == OP.insert and code[at]) and not helpers then helpers = makeHelpers() end
  if op == OP.insert then
    -- the fast path of `insert`: entityWrites.lua and memory/entity.ts must do the same
    if call("EXISTS", key) == 1 then
      call("HGET", key, "$v") -- fails if the key is not a hash
      return fail("exists")
    end
    clock()
    -- one table for all entities with this specification, because a table that grows costs more than the call
    local content, fields, count, missing, missingCount = spec.content or { "$v" }, spec.fs, 2, nil, 0
    spec.content = content
    content[2] = format("%d", nowMicros + ordinal)
    for i = 1, #fields do
      local text = code[at + i]
      if text then
        content[count + 1], content[count + 2] = fields[i], text
        count = count + 2
      else
        if not forms then forms = makeForms() end
        missing = missing or {}
        missingCount = forms.addKeys(missing, missingCount, key, spec, fields[i], false)
      end
    end
    if missing and forms.anyExists(missing, missingCount) then return nil, true end
    call("HSET", key, unpack(content, 1, count))
    if code[at] then helpers.expireAt(key, spec.cs, nowMillis + code[at]) end
    return 1
  end
  local fields, collections = spec.fs, spec.cs
  local found = call("HMGET", key, "$v", unpack(fields))
  if not found[1] and call("EXISTS", key) == 0 then return op ~= OP.find and fail("missing") end
  if #collections > 0 and not helpers then helpers = makeHelpers() end
  for i = 1, #collections do
    readingCollection = collections[i].f
    found[#fields + 1 + i] = helpers.readAll(key .. ":" .. readingCollection, collections[i].k, 0)
  end
  readingCollection = nil
  if isPartial(found, #fields) then
    if not forms then forms = makeForms() end
    forms.mark(key, spec, found)
  end
  local target = expiry and expiry.access and helpers.renewalDue(key, expiry)
  if target then helpers.expireAt(key, expiry.cs, target, expiry.fo) end
  return found
end

-- Returns the position after the program whose number of instructions is at `from`.
local function skipProgram(from)
  local count = code[from]
  from = from + 1
  for _ = 1, count do from = from + 4 + code[from + 3] end
  return from
end

-- Reads the header of a run at `pc`. Returns the position of its first program.
local function beginRun(at)
  runLeft, runStride, runArguments, runStart, runBehind = code[at + 1] - 1, code[at + 2], code[at + 3], at + 4, 0
  nextArgument = skipProgram(runStart)
  runEnd = nextArgument + runLeft * runArguments
  return runStart
end

-- Puts the next program of the run into the place of the last one. Returns its position.
local function nextOfRun()
  moveRun(runBehind + runStride, runArguments > 0 and nextArgument)
  runLeft, runBehind, nextArgument = runLeft - 1, 0, nextArgument + runArguments
  return runStart
end

-- Reads the dedup header before `pc`. Returns the reply of a program that must not run, or nothing if it must run.
local function checkDedup()
  local at = pc - 1
  if code[at] == -1 then pc = pc + 5 end
  start, head, replySize, step = pc, replySize + 1, replySize + 1, 1
  reply[head] = true
  if not findOutcome then findOutcome, keepResults, leaveTombstone, saveOutcomes = makeDedup() end
  local outcome = findOutcome(at)
  replySize, isDeduplicated = head - 1, not outcome
  return outcome
end

-- Keeps the results of a deduplicated program that has succeeded. Most programs have one text as their result.
local function completeDedup()
  isDeduplicated = false
  local text = reply[replySize]
  if keptOutcomes and replySize == head + 1 and type(text) == "string" and #text <= MAX_KEPT then
    keptOutcomes[dedupIndex] = text
    return
  end
  local refused = keepResults(head, replySize)
  if refused then reply[head], replySize = refused, head end
end

-- Runs to the end of the batch, or to the first failure.
local function run()
  if resume then
    local proceed = resume
    resume = nil
    pc = proceed()
    if isDeduplicated then completeDedup() end
  end
  while true do
    if runLeft == 0 then pc, runLeft = runEnd, nil elseif runLeft then pc = nextOfRun() end
    if pc > total then return end
    local count, outcome = code[pc], nil
    if count == -3 then
      pc = beginRun(pc)
      count = code[pc]
    elseif count < 0 then
      pc = pc + 1
      if count == -2 and keptOutcomes and not keptOutcomes[dedupIndex + 1] and code[pc] > 0 then
        dedupIndex, isDeduplicated, count = dedupIndex + 1, true, code[pc]
      else
        outcome = checkDedup()
        count = outcome and 0 or code[pc]
      end
    end
    start, head, replySize, ordinal = pc, replySize + 1, replySize + 2, ordinal + 1
    reply[head] = outcome or true
    pc = pc + 1
    local op, spec, n = code[pc], specs[code[pc + 2]], code[pc + 3]
    local result, isGeneral
    if count == 1 and (op == OP.read or op == OP.find or op == OP.insert and n < 500 and #spec.cs == 0)
      and not (spec.ix and (op == OP.insert or spec.life and spec.life.access)) then
      step = 1
      result, isGeneral = runSingle(op, KEYS[code[pc + 1]], spec, pc + 4)
      reply[replySize] = result
      if not isGeneral then pc = pc + 4 + n end
    elseif count == 1 and op >= FIRST.lock then
      step = 1
      if not runLock then runLock = makeLocks() end
      reply[replySize] = runLock(op, KEYS[code[pc + 1]], pc + 4)
      pc = pc + 4 + n
    elseif count == 0 then
      replySize = head
      if outcome then pc = skipProgram(start) end
    else
      local after
      if count < 500 then
        if not runFields then runFields = makeFields() end
        after = runFields(pc, count)
      end
      isGeneral = not after
      pc = after or pc
    end
    if isGeneral then
      if not runGeneral then runGeneral, undoProgram = makeGeneral() end
      replySize = head
      pc = runGeneral(pc, count)
    end
    if isDeduplicated then completeDedup() end
  end
end

local function runAll()
  local ok, why
  repeat
    ok, why = pcall(run)
    if not ok and isUndecided then
      isUndecided = false
      catchUp(code[start])
      if not runGeneral then runGeneral, undoProgram = makeGeneral() end
      function resume() return runGeneral(start + 1, code[start]) end
    elseif not ok and not (catchFailure and catchFailure(why)) then
      -- undo the program that stopped, report why, and run the next one
      for i = head + 1, replySize do reply[i] = nil end
      replySize = head
      local message = type(why) == "table" and why.err or not why[1] and why
      if not undoProgram or undoProgram() then
        reply[head] = message and { "error", step, message, readingCollection } or why
      else
        reply[head] = { "broken", step, message or why[1] }
      end
      readingCollection = nil
      if isDeduplicated then
        isDeduplicated = false
        leaveTombstone()
      end
      pc = skipProgram(start)
    end
  until ok
end

-- No error leaves the script, because its message would not prove how far the batch had come.
local ok, why = pcall(runAll)
if ok and saveOutcomes then ok, why = pcall(saveOutcomes) end
if not ok then
  local message = type(why) == "table" and why.err or why
  reply, replySize, pc = {}, 0, 1
  while pc <= total do
    local programs = 1
    if code[pc] == -3 then
      pc, programs = beginRun(pc), code[pc + 1]
    elseif code[pc] < 0 then
      pc = pc + (code[pc] == -1 and 6 or 1)
    end
    for _ = 1, programs do
      replySize = replySize + 1
      reply[replySize] = { "broken", 1, message }
    end
    pc = programs > 1 and runEnd or skipProgram(pc)
  end
end
return cjson.encode(reply)
