-- Runs the batch: each program by itself, wholly or not at all, in one protected call.
local function execute(pc, count)
  local op, spec = code[pc], specs[code[pc + 2]]
  if count == 1 and (op < OP.append and op > OP.fail and not spec.at
      or (op == OP.read or op == OP.find) and #spec.cs == 0) then
    step, size = 1, size + 1
    out[size] = alone(op, KEYS[code[pc + 1]], spec, pc + 4, code[pc + 3])
    return pc + 4 + code[pc + 3]
  end
  entities, lists, changes, listedCount, top, removing = {}, {}, 0, 0, 0, false
  for i = 1, count do
    step, size = i, size + 1
    out[size] = instruct(pc)
    pc = pc + 4 + code[pc + 3]
  end
  commit()
  return pc
end

local pc, last = 1, #code
if WRITES then
  local time = call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
while pc <= last do
  local count = code[pc]
  local head = size + 1
  size, out[head] = head, 1
  local ok, result = pcall(execute, pc + 1, count)
  if not ok then
    for i = head + 1, size do out[i] = nil end
    size = head
    if removing then
      out[head] = { "broken", step, result.err or result }
    else
      undo(0)
      out[head] = result[1] and result or { "error", step, result.err or result }
    end
    result = pc + 1
    for _ = 1, count do result = result + 4 + code[result + 3] end
  end
  pc = result
end
return cjson.encode(out)
