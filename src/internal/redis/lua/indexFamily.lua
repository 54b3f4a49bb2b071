-- The functions of indexes that the general path uses.
-- uses: find, step, try (input) · fail, readingCollection (call) · indexed, indexedCount, readingMember (program) · announce, compare,
--   entriesKey, expiriesKey, flush, isReplaced, membersKey, note, noteAgain, placeOf, planKey, sub, sweepSome (indexes) · makeIndexReads (order)
local readIndex

local function isWrongType(err)
  return type(err) == "string" and find(err, "WRONGTYPE ", 1, true)
end

-- Fails if a key of a home has another type than the index needs.
local function checkHome(ix, home)
  local function check(command, key)
    local result = try(command, key)
    if type(result) == "table" and isWrongType(result.err) then return fail("indexKey", sub(key, #home + 1)) end
  end
  for _, index in ipairs(ix.list) do
    if isReplaced(home, index) then return fail("plan") end
  end
  check("ZCARD", expiriesKey(home))
  check("HLEN", planKey(home))
  for _, index in ipairs(ix.list) do
    check("ZCARD", entriesKey(home, index))
    if not index.score then check("HLEN", membersKey(home, index)) end
  end
end

-- Fails with the reason why a key has another type than a command needs: it is the one of an entity that an index has found, or one of
-- an index.
local function explain(ix, home)
  if readingMember then
    local detail = { readingMember, readingCollection or "" }
    readingMember, readingCollection = nil, nil
    return fail("member", detail)
  end
  local running = step
  for i = 1, indexedCount do
    local e = indexed[i]
    step = e.writer
    checkHome(e.ix, (placeOf(e.ix, e.key)))
  end
  step = running
  if ix then checkHome(ix, home) end
end

local function guarded(f)
  return function(...)
    local ok, result = pcall(f, ...)
    if ok then return result end
    if isWrongType(type(result) == "table" and result.err or result) then explain() end
    error(result, 0)
  end
end

local function read(op, home, spec, at, n)
  if not readIndex then readIndex = makeIndexReads() end
  local ok, result = pcall(readIndex, op, home, spec, at, n)
  if ok then return result end
  if isWrongType(type(result) == "table" and result.err or result) then explain(spec.ix, home) end
  error(result, 0)
end

local function finish()
  announce()
  sweepSome()
end

return {
  note = note, noteAgain = noteAgain, flush = guarded(flush), compare = guarded(compare), read = read,
  finish = finish
}
