-- The functions of indexes that the general path uses.
-- uses: announce, note, noteAgain, flush, sweepSome (indexes) · makeIndexReads (order)
local readIndex

local function read(...)
  if not readIndex then readIndex = makeIndexReads() end
  return readIndex(...)
end

local function finish()
  announce()
  sweepSome()
end

return { note = note, noteAgain = noteAgain, flush = flush, read = read, finish = finish }
