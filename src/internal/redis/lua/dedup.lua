-- Dedup records: the outcomes of programs that run at most once.
--
-- The programs of a call share a token, which is a field of a hash. It holds the outcome of each program by its index: a
-- text that was the only result; or all results as JSON in a list of one, because no script reads them; or one of the
-- numbers below. A program with an idempotency key has a hash for itself, with the results (`$r`) and the program's digest
-- (`$d`). Only the outcome of a success is kept, because a failure has changed nothing.
-- uses: call, code, format, nowMillis, reply (input) · MAX_KEPT, clock, dedupIndex, keptOutcomes (call)
local APPLIED, TOMBSTONE = 1, 2 -- applied, but its results are too long to keep; must not be applied any more
local MODE_RETRY, MODE_TOMBSTONE = 1, 2 -- how a program comes: again, after no answer; only to forbid it. 0: the first time
local recordKey, token, mode, keepMillis -- the last dedup header
local digest -- the digest in the last dedup header; set only if the caller made the idempotency key
local records, record = {}, nil -- the records that this call has opened, by key and token; the one of the last dedup header

local function extendRecord()
  clock()
  call("PEXPIREAT", recordKey, format("%.0f", nowMillis + keepMillis))
end

local function noteLastIndex()
  if record and dedupIndex > record.last then record.last = dedupIndex end
end

-- Writes to the record before its first program runs, so that no program is applied if the server refuses the write.
local function openRecord()
  local name = recordKey .. token
  record = records[name]
  if not record then
    local found
    if call("HSET", recordKey, "$", "") == 1 then
      extendRecord()
    else
      local stored = call("HGET", recordKey, token)
      found = stored and cjson.decode(stored)
    end
    record = { key = recordKey, token = token, outcomes = found or {}, last = found and #found or 0 }
    records[name] = record
  end
  keptOutcomes = record.outcomes
end

local function store(...)
  call("HSET", recordKey, ...)
  extendRecord()
end

-- Returns the outcome under an idempotency key.
local function findByKey()
  local found = call("HMGET", recordKey, "$r", "$d", token)
  if found[1] and found[2] ~= digest then return "conflict" end
  local text = found[1] or found[3]
  if text == "applied" then return APPLIED end
  if text == "cancelled" then return TOMBSTONE end
  return text and { text }
end

-- Returns the reply of a program that must not run, or nothing if it must run. The dedup header is at `at`.
local function findOutcome(at)
  local stored
  if code[at] == -1 then
    noteLastIndex()
    keptOutcomes, record, digest = nil, nil, nil
    local index
    recordKey, token, mode, keepMillis, index = KEYS[code[at + 1]], code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    if type(index) == "number" then dedupIndex = index else digest = index end
  else
    dedupIndex = dedupIndex + 1
  end
  if digest then
    stored = findByKey()
    if stored == "conflict" then return { "conflict" } end
  else
    if not keptOutcomes then openRecord() end
    stored = keptOutcomes[dedupIndex]
  end
  if stored == APPLIED then return { "applied" } end
  if stored and stored ~= TOMBSTONE then return { "repeated", stored } end
  if not stored then
    if mode ~= MODE_TOMBSTONE then return end
    if digest then store(token, "cancelled") else keptOutcomes[dedupIndex] = TOMBSTONE end
  end
  return { "tombstoned" }
end

-- Keeps the results of a program that has succeeded. Returns the reply if that fails.
local function keepResults(head, last)
  local results = {}
  for i = head + 1, last do results[i - head] = reply[i] end
  local text = cjson.encode(results)
  local isKept = #text <= MAX_KEPT
  if not digest then
    keptOutcomes[dedupIndex] = isKept and { text } or APPLIED
    return
  end
  -- `pcall`, because the program is already applied
  local stored, why = pcall(store, "$r", isKept and text or "applied", "$d", digest)
  if stored then return end
  for i = head + 1, last do reply[i] = nil end
  return { "broken", 1, type(why) == "table" and why.err or why }
end

-- Comes after a failure. The caller receives it, so an earlier transmission of the program that arrives late must not
-- succeed.
local function leaveTombstone()
  if mode ~= MODE_RETRY then return end
  if digest then pcall(store, token, "cancelled") else keptOutcomes[dedupIndex] = TOMBSTONE end
end

local function saveRecord(each, text)
  call("HSET", each.key, each.token, text)
end

-- Writes the outcomes of all programs of this call, in the same script as the writes of the programs. Redis 8 refuses a key of a
-- slot that moves if the last command was of another slot, because it looks for the key among those of that one. A command
-- without a key makes it forget the last slot.
local function saveOutcomes()
  noteLastIndex()
  for _, each in pairs(records) do
    local all = each.outcomes
    for i = 1, each.last do all[i] = all[i] or false end
    local text = cjson.encode(all)
    if not pcall(saveRecord, each, text) then
      call("TIME")
      saveRecord(each, text)
    end
  end
end

return findOutcome, keepResults, leaveTombstone, saveOutcomes
