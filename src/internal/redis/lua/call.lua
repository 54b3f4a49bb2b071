-- One call carries a batch: ARGV[1] = [specs, code]. The code is flat: for each program its number of instructions, then
-- for each instruction `op, key, spec, n, argument 1..n`. Before the number of a program that happens once stand
-- `-1, key, token, mode, milliseconds`, and its position under the token, or its digest; or only `-2`, where it follows the
-- last such program in the same way. The reply is one flat array too: for each program true and a result for each
-- instruction, or one array that says why it failed. No program leaves anything behind for the next one here.
--
-- All of this text runs with every call, and making a function costs: what stands in a folder is a family of functions that
-- is made when it is first needed (`cells()`, `programs()`), and the way of the most frequent programs needs none.
local call, error, type, unpack, tonumber, KEYS = redis.call, error, type, unpack, tonumber, KEYS
local format, find, floor = string.format, string.find, math.floor
local SAFE = 9007199254740991
local LARGEST = 4096 -- of results that are kept
local input = cjson.decode(ARGV[1])
local specs, code = input[1], input[2]

local out, size = {}, 0 -- the reply
local step = 0 -- which instruction of its program runs
local ordinal = 0 -- which program of the batch
local now, millis -- the time of the whole call, in microseconds and in milliseconds
local apply, numeric, together, execute, recover, more, lock -- of the families
local part -- the collection that is read, while it may be of another kind
local known, keep, cancel, settle, guarded -- of programs that happen once: functions, and whether one runs
local kept, position -- under the token of the one that runs: what became of programs, and which of them it is
local caught, rest -- of programs with attempts: whether one catches a failure, and what is then left to run

local function fail(tag, detail)
  error({ tag, step, detail })
end

-- One time for the whole call.
local function clock()
  if now then return end
  local time = call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  millis = floor(now / 1000)
end

-- What `apply` does to add to an integer, where all is well; gives nothing where it may not be.
local function plus(text, spec, at, n)
  if n == 1 and spec.k == "i" and #text < 16 and find(text, "^%-?%d+$") then
    local sum, ge, gt, le, lt = text + code[at], spec.ge, spec.gt, spec.le, spec.lt
    if sum <= SAFE and sum >= -SAFE
      and not (ge and sum < ge or gt and sum <= gt or le and sum > le or lt and sum >= lt) then
      return format("%d", sum)
    end
  end
end
