-- The state and the functions that all paths through the script share.
-- uses: call, code, nowMicros, nowMillis, reply, replySize, step (input)
local error, floor = error, math.floor
local MAX_SAFE = 9007199254740991 -- the largest integer up to which doubles are exact
local MAX_KEPT = 4096 -- the length of the longest result that a dedup record keeps
local head = 0 -- the position of the running program's `true` in the reply

-- Functions, and one table of functions, of the lazy families. Each is unset until its family is made.
local findOutcome, keepResults, leaveTombstone, saveOutcomes
local runGeneral, undoProgram
local runFields, runLock
local applyScalar, numberKind, appended
local helpers, forms

-- The keys of other forms that the running program removes at its end, each with true. Empty but in the general path.
local dropped = {}

-- The name of the collection that is being read as a part of its entity, else unset. A WRONGTYPE error is about its key.
local readingCollection

-- Whether the running program has a dedup header and no earlier outcome, so that its end must be recorded.
local isDeduplicated
-- The last dedup header, valid until the next one, because a `-2` continues it.
local keptOutcomes -- the outcomes under its token, by index; unset if the caller made the idempotency key
local dedupIndex -- the index of its program under the token; not valid if the caller made the idempotency key

-- `catchFailure`, which flow.lua sets, says whether an attempt of the running program catches a failure. If so, it sets `resume`,
-- which runs what follows the attempt; `run` calls it once and unsets it. `runAll` sets `resume` to run a program again by the general
-- path: see `isUndecided`.
local catchFailure, resume

-- A run is a number of programs of one shape. The first of them stands in `code`; before another one runs, its keys and arguments
-- are moved there, unless `runFields` runs it.
local runLeft -- how many of its programs have not begun; nil if no run is going on
local runStart, runEnd -- where its first program begins, and what follows the run
local runStride, runArguments = 0, 0 -- how far keys move from one program to the next; how many arguments a program has
local nextArgument = 0 -- where those of the next program are
local runBehind = 0 -- how far the keys in `code` are behind those of the running program

-- Whether `runFields` was computing a program that had changed something, and with which arguments. If that fails, the general path
-- runs the program again, because it looks at the version of an entity at its first change, and may fail earlier.
local isUndecided, ownArguments = false, false

-- Moves the keys of the program in `code`, and copies its arguments from `from`, unless that is false.
local function moveRun(distance, from)
  local at = runStart + 1
  for _ = 1, code[runStart] do
    local n = code[at + 3]
    if code[at + 1] > 0 then code[at + 1] = code[at + 1] + distance end
    at = at + 4
    if from then
      for i = 0, n - 1 do code[at + i] = code[from + i] end
      from = from + n
    end
    at = at + n
  end
end

-- Makes the running program of a run the one in `code`, and takes its results back, for the general path.
local function catchUp(count)
  if runBehind > 0 or ownArguments then moveRun(runBehind, ownArguments) end
  runBehind, replySize = 0, head
  for i = head + 1, head + count do reply[i] = nil end
end

-- Whether a field is missing or a collection is empty in the row of an entity that has `width` fields.
local function isPartial(row, width)
  for i = 2, width + 1 do
    if not row[i] then return true end
  end
  for i = width + 2, #row do
    if #row[i] == 0 then return true end
  end
  return false
end

local function fail(tag, detail)
  error({ tag, step, detail })
end

local function clock()
  if nowMicros then return end
  local time = call("TIME")
  nowMicros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  nowMillis = floor(nowMicros / 1000)
end
