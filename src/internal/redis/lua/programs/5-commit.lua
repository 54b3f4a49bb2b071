-- The end of a program that has succeeded: only now keys are removed, since in a cluster slot that is moving a removed key is
-- elsewhere. A refusal by the server before the first removal still undoes the program.
local removing = false

local function commit()
  for i = 1, goneCount do
    local e = gone[i]
    if not e.exists and e.stored then
      call("UNLINK", e.key)
      removing = true
    end
  end
  for i = 1, listedCount do
    local l = listed[i]
    if l.skip > 0 then
      if l.skip == l.length then call("UNLINK", l.key) else call("LTRIM", l.key, l.skip, -1) end
      removing = true
    end
  end
end

local function execute(pc, count)
  entities, lists, goneCount, listedCount = {}, {}, 0, 0
  for i = 1, count do
    step, size = i, size + 1
    out[size] = instruct(pc)
    pc = pc + 4 + code[pc + 3]
  end
  if goneCount > 0 or listedCount > 0 then commit() end
  top, removing = 0, false
  return pc
end

-- Whether a program that stopped has left nothing behind.
local function recover()
  local undone = not removing
  if undone then undo() end
  top, removing = 0, false
  return undone
end

return execute, recover
