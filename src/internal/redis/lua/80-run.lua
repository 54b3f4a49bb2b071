-- Runs the batch: each program by itself, wholly or not at all.
local pc, last = 1, #code
local start, head = 1, 0 -- of the program that runs

local function run()
  while pc <= last do
    local count = code[pc]
    start, head, size = pc, size + 1, size + 2
    out[head] = true
    pc = pc + 1
    local op, spec, n = code[pc], specs[code[pc + 2]], code[pc + 3]
    if count == 1 and (op < OP.append and op > OP.fail and not spec.at
        or (op == OP.read or op == OP.find) and #spec.cs == 0) then
      step = 1
      out[size] = alone(op, KEYS[code[pc + 1]], spec, pc + 4, n)
      pc = pc + 4 + n
    else
      entities, lists, changes, listedCount = {}, {}, 0, 0
      size = head
      for i = 1, count do
        step, size = i, size + 1
        out[size] = instruct(pc)
        pc = pc + 4 + code[pc + 3]
      end
      commit()
      top, removing = 0, false
    end
  end
end

-- A program that stops is undone, and the next one runs.
local function stopped(why)
  for i = head + 1, size do out[i] = nil end
  size = head
  local message = type(why) == "table" and why.err or not why[1] and why
  if removing then
    out[head], removing, top = { "broken", step, message or why[1] }, false, 0
  else
    undo(0)
    out[head] = message and { "error", step, message } or why
  end
  local count = code[start]
  pc = start + 1
  for _ = 1, count do pc = pc + 4 + code[pc + 3] end
end

if WRITES then
  local time = call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
end
local ok, why
repeat
  ok, why = pcall(run)
  if not ok then stopped(why) end
until ok
return cjson.encode(out)
