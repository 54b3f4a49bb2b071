-- What the general path needs of indexes.
-- uses: note, noteAgain, flush, sweepSome (indexes) · makeIndexReads (order)
local readIndex

local function read(...)
  if not readIndex then readIndex = makeIndexReads() end
  return readIndex(...)
end

return { note = note, noteAgain = noteAgain, flush = flush, read = read, sweepSome = sweepSome }
