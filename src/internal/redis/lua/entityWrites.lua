-- Writes of whole entities: insert, replace, duplicate, delete. `insert` has a second implementation in `runSingle`
-- (run.lua), its fast path, and one in memory/entity.ts. All three must do the same; the differential tests compare them.
-- uses: call, code, format, nowMicros, nowMillis, ordinal, specs (input) · fail (call) · appends, collections, created,
--   deleted, deletedCount, drops, expiries, spendResult (program) · chunked, record (journal) · entityAt, exists,
--   noteExists, readEntity, touch (entity)

-- Looks with EXISTS first, which is cheapest if the entity is missing, as it usually is here.
local function absent(e)
  if e.exists == nil and call("EXISTS", e.key) == 0 then noteExists(e, false) end
  return not exists(e)
end

local function undoInsert(e)
  call("UNLINK", e.key)
end

local function undoReplace(e, added, old)
  if #added > 0 then chunked("HDEL", e.key, added, 1, #added) end
  if #old > 0 then chunked("HSET", e.key, old, 1, #old) end
end

local function setExists(e, isPresent)
  record(e, "exists", e.exists)
  e.exists = isPresent
end

-- Writes every field and removes all other stored ones.
local function replaceFields(e, content, fields)
  if e.pending then appends.forgetAll(e) end
  if not e.stored then
    content[#content + 1], content[#content + 2] = "$v", format("%d", nowMicros + ordinal)
    chunked("HSET", e.key, content, 1, #content)
    record(e, undoInsert)
    record(e, "stored", false)
    record(e, "changed", false)
    e.stored, e.changed, e.wrote = true, true, true
  else
    touch(e)
    local found, old, known, stale, added = call("HGETALL", e.key), {}, {}, {}, {}
    for i = 1, #found, 2 do
      local name = found[i]
      if name ~= "$v" then
        old[#old + 1], old[#old + 2], known[name] = name, found[i + 1], true
        if not fields[name] then stale[#stale + 1] = name end
      end
    end
    for i = 1, #content, 2 do
      if not known[content[i]] then added[#added + 1] = content[i] end
    end
    chunked("HSET", e.key, content, 1, #content)
    chunked("HDEL", e.key, stale, 1, #stale)
    record(e, undoReplace, added, old)
  end
  setExists(e, true)
end

local function markDeleted(e)
  touch(e)
  setExists(e, false)
  deletedCount = deletedCount + 1
  deleted[deletedCount] = e
end

-- A new entity expires after `lifetime`, or never. Collections that were left under its keys get the same expiry.
local function noteCreated(e, spec, lifetime, isStored)
  local isLeft = isStored
  for _, c in ipairs(spec.cs) do isLeft = isLeft or collections.open(e, c).stored end
  local at = lifetime and nowMillis + lifetime
  if lifetime or isLeft then expiries.schedule(e, at, spec, {}) else expiries.set(e, at) end
  created = e
end

local function writeContent(e, spec, at)
  local content, fields, isNew, isStored = {}, {}, not e.exists, e.stored
  for i, name in ipairs(spec.fs) do
    local text = code[at + i]
    if text then content[#content + 1], content[#content + 2], fields[name] = name, text, true end
  end
  replaceFields(e, content, fields)
  if isNew then noteCreated(e, spec, code[at], isStored) end
  at = at + 1 + #spec.fs
  for _, c in ipairs(spec.cs) do
    local count = code[at]
    collections.replace(collections.open(e, c), code, at + 1, at + count)
    at = at + 1 + count
    if count > 0 then fields[c.f] = true end
  end
  drops.drop(e, spec, isNew and fields)
  return 1
end

local function duplicate(e, spec, at)
  local copy, copySpec = entityAt(code[at]), specs[code[at + 1]]
  if not collections.lookAtOther(absent, copy) then return fail("exists", 1) end
  for _, collectionSpec in ipairs(spec.cs) do
    local c = collections.open(e, collectionSpec)
    if not c.kind and c.count > 0 then return collections.failWrongType(c) end
  end
  for _, c in ipairs(copySpec.cs) do collections.open(copy, c) end
  if e.pending then appends.settleAll(e) end
  local isStored, found, content, fields = copy.stored, call("HGETALL", e.key), {}, {}
  spendResult(found)
  for i = 1, #found, 2 do
    if found[i] ~= "$v" then
      content[#content + 1], content[#content + 2], fields[found[i]] = found[i], found[i + 1], true
    end
  end
  for _, c in ipairs(spec.cs) do
    if collections.open(e, c).count > 0 then fields[c.f] = true end
  end
  drops.failIfFormHasKey(e, spec, fields)
  replaceFields(copy, content, fields)
  noteCreated(copy, copySpec, code[at + 2], isStored)
  for i, c in ipairs(spec.cs) do
    local items = collections.contents(collections.open(e, c))
    spendResult(items)
    collections.replace(collections.open(copy, copySpec.cs[i]), items, 1, #items, 1)
  end
  drops.drop(copy, copySpec, fields)
  return 1
end

return function(op, e, spec, at)
  if op == OP.insert then return absent(e) and writeContent(e, spec, at) or fail("exists") end
  if op == OP.put then
    absent(e)
    return writeContent(e, spec, at)
  end
  if op == OP.getOrInsert then return absent(e) and writeContent(e, spec, at) or readEntity(e, spec) end
  if op == OP.ensure then return absent(e) and writeContent(e, spec, at) or 0 end
  if op == OP.duplicate then return exists(e) and duplicate(e, spec, at) or fail("missing") end
  if not exists(e) then return 0 end
  markDeleted(e)
  for _, c in ipairs(spec.cs) do collections.discard(collections.open(e, c)) end
  drops.drop(e, spec)
  return 1
end
