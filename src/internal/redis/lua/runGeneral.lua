-- The general path, for every program that `runSingle` and `runFields` cannot run. Each instruction writes at once and
-- journals how to undo it. `finish` commits; `undoProgram` undoes a program that has stopped.
-- uses: code, reply, replySize, step (input) · dropped (call) · deletedCount, droppedCount, entities, expiryChangeCount,
--   indexedCount, isFinal, journalSize, messageCount, opened, openedCount, ownerCount, spendResult, work (program) · undo (journal) ·
--   runInstruction (instruction) · finish (commit) · makeFlow (order)
local runFlow

local function runGeneral(pc, count)
  entities, opened, deletedCount, openedCount, expiryChangeCount, messageCount = {}, {}, 0, 0, 0, 0
  ownerCount, indexedCount, work = 0, 0, 0
  local first = pc
  for i = 1, count do
    local op = code[pc]
    if op <= LAST.flow or OPS.scalar.putsOperand(op) or OPS.collection.putsOperand(op) then
      if not runFlow then runFlow = makeFlow() end
      pc = runFlow(first, i, count)
      break
    end
    step, replySize = i, replySize + 1
    local result = runInstruction(pc)
    spendResult(result)
    reply[replySize] = result
    pc = pc + 4 + code[pc + 3]
  end
  finish()
  return pc
end

-- Returns whether the program is undone. It is not if it has stopped in the middle of its commit, or if the server refuses a
-- command that undoes a write.
local function undoProgram()
  local undone = not isFinal and pcall(undo, 0)
  journalSize, isFinal = 0, false
  if droppedCount > 0 then dropped, droppedCount = {}, 0 end
  return undone
end

return runGeneral, undoProgram
