local walk -- of programs with flow, or operands: made when first needed

local function execute(pc, count)
  entities, opened, goneCount, orderCount, armedCount, messageCount = {}, {}, 0, 0, 0, 0
  local first = pc
  for i = 1, count do
    local op = code[pc]
    if op < OP.get or op == OP.load or op == OP.loadSize then
      if not walk then walk = flow() end
      pc = walk(first, i, count)
      break
    end
    step, size = i, size + 1
    out[size] = instruct(pc)
    pc = pc + 4 + code[pc + 3]
  end
  finish()
  return pc
end

-- Whether a program that stopped has left nothing behind.
local function recover()
  local undone = not isFinal
  if undone then undo(0) end
  top, isFinal = 0, false
  return undone
end

return execute, recover
