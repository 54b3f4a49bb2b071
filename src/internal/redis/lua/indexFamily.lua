-- The functions of indexes that the general path uses.
-- uses: find (input) · fail (call) · announce, compare, flush, note, noteAgain, sweepSome (indexes) · makeIndexReads (order)
local readIndex

-- A hash in place of an index means that a later definition has replaced it.
local function guarded(f)
  return function(...)
    local ok, result = pcall(f, ...)
    if ok then return result end
    local message = type(result) == "table" and result.err or type(result) == "string" and result
    if message and find(message, "WRONGTYPE ", 1, true) then return fail("plan") end
    error(result, 0)
  end
end

local function read(...)
  if not readIndex then readIndex = makeIndexReads() end
  return readIndex(...)
end

local function finish()
  announce()
  sweepSome()
end

return {
  note = note, noteAgain = noteAgain, flush = guarded(flush), compare = guarded(compare), read = guarded(read),
  finish = finish
}
