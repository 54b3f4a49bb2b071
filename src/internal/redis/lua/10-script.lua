-- One call carries a batch: ARGV[1] = [specs, code]. The code is flat: for each program its number of instructions, then
-- for each instruction `op, key, spec, n, argument 1..n`. The reply is one flat array too: for each program true and a result
-- for each instruction, or one array that says why it failed. No program leaves anything behind for the next one here.
local call, pcall, error, type, unpack, ipairs, pairs = redis.call, pcall, error, type, unpack, ipairs, pairs
local tonumber, format, find, gsub, sub, rep = tonumber, string.format, string.find, string.gsub, string.sub, string.rep
local floor, ceil, fmod, KEYS = math.floor, math.ceil, math.fmod, KEYS
local input = cjson.decode(ARGV[1])
local specs, code = input[1], input[2]

local out, size = {}, 0 -- the reply
local step = 0 -- which instruction of its program runs
local now = 0 -- the server's time in microseconds

-- The journal undoes a program: a target, a name and an old value; or a target, a function and its argument.
local targets, names, olds, top = {}, {}, {}, 0

local function record(target, name, old)
  top = top + 1
  targets[top], names[top], olds[top] = target, name, old
end

local function undo(mark)
  while top > mark do
    local target, name = targets[top], names[top]
    if type(name) == "function" then name(target, olds[top]) else target[name] = olds[top] end
    top = top - 1
  end
end

local function fail(tag, detail)
  error({ tag, step, detail })
end
