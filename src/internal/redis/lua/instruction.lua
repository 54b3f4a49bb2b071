-- Runs one instruction and returns its result. The number of the instruction tells its family.
-- uses: call, code, nowMillis, specs, step (input) · appended, applyScalar, fail, numberKind, runLock (call) · appends,
--   collections, created, drops, expiries, indexes, messageCount, messages, spend, writeEntity (program) · entityAt, exists,
--   needForms, readEntity, readField, writeField (entity) · makeAppends, makeCollections, makeDrops, makeExpiries, makeIndexes,
--   makeLocks, makeScalars, makeWrites (order)

local function needExpiries()
  if not expiries then expiries = makeExpiries() end
end

local function needDrops()
  needForms()
  if not drops then drops = makeDrops() end
end

local function needCollections()
  needDrops()
  if not collections then collections = makeCollections() end
end

-- Checks the right to publish now, because at commit a refusal could not be undone.
local function publish(channel, text)
  if not redis.acl_check_cmd("PUBLISH", channel, text) then
    error({ err = "NOPERM this user can't publish to the channel" })
  end
  messages[messageCount + 1], messages[messageCount + 2] = channel, text
  messageCount = messageCount + 2
  return 1
end

local function isAtVersion(e, version)
  return (call("HGET", e.key, "$v") or "0") == version
end

local function onEntity(op, e, spec, at)
  if op == OP.find then return readEntity(e, spec) end
  if op == OP.read then return readEntity(e, spec) or fail("missing") end
  if op == OP.exists then return exists(e) and 1 or 0 end
  if op == OP.atVersion then return exists(e) and isAtVersion(e, code[at]) and 1 or 0 end
  if op >= OP.insert and op <= OP.duplicate then
    if not writeEntity then
      needExpiries()
      needCollections()
      writeEntity = makeWrites()
    end
    return writeEntity(op, e, spec, at)
  end
  if op == OP.reindex or op == OP.audit then
    exists(e)
    if not indexes then indexes = makeIndexes() end
    return indexes.compare(e, spec, step, op == OP.reindex, { unpack(code, at, at + code[at - 1] - 1) })
  end
  if not exists(e) then return fail("missing") end
  if op == OP.require then return 1 end
  if op == OP.version then return call("HGET", e.key, "$v") or "0" end
  if op == OP.requireVersion then return isAtVersion(e, code[at]) and 1 or fail("stale") end
  needExpiries()
  if op == OP.timeToLive then
    local at = expiries.expiresAt(e)
    return at and (at > nowMillis and at - nowMillis or 1)
  end
  needDrops()
  expiries.schedule(e, op == OP.expire and nowMillis + code[at], spec, drops.suffixes(spec))
  return 1
end

local function renewIfTouched(e, spec)
  local renewal = spec.life
  if renewal and (renewal.access or e.wrote) and e.exists and created ~= e then
    needExpiries()
    expiries.renew(e, spec)
  end
end

local function noteIndexed(e, spec)
  if not indexes then indexes = makeIndexes() end
  indexes.note(e, spec, step)
end

local function runInstruction(pc)
  local op, spec, n, at = code[pc], specs[code[pc + 2]], code[pc + 3], pc + 4
  if op == OP.publish then return publish(code[at], code[at + 1]) end
  if op == OP.holds then
    if not runLock then runLock = makeLocks() end
    return runLock(op, KEYS[code[pc + 1]], at)
  end
  if OPS.index(op) then
    if not indexes then indexes = makeIndexes() end
    return indexes.read(op, KEYS[code[pc + 1]], spec, at, n)
  end
  local e, result = entityAt(code[pc + 1]), nil
  e.wrote, created = false, nil
  if OPS.readsSecondSet(op) then entityAt(code[at]).wrote = false end
  if op <= LAST.scalar and not applyScalar then applyScalar, numberKind, appended = makeScalars() end
  if op >= FIRST.entity then
    result = onEntity(op, e, spec, at)
  elseif op <= LAST.scalar and not spec.of then
    local name, value = spec.f, nil
    local hadForm = false
    if op == OP.appendText then
      if not appends then appends = makeAppends() end
      result = appends.append(e, name, readField, spec, at)
    end
    if not result then
      local old = readField(e, name)
      if old and #old > 1000 then spend(#old / 4) end
      if not old then
        needDrops()
        hadForm = drops.leave(e, spec, false, op == OP.set or op == OP.assign or op == OP.clear)
      end
      value, result = applyScalar(op, old, spec, at, n)
      if value ~= nil then writeField(e, name, value, old) end
      if hadForm then result = 1 end
    end
  else
    if not exists(e) then return fail("missing") end
    needCollections()
    result = collections.run(op, collections.open(e, spec), spec, at, n)
  end
  if spec.life then renewIfTouched(e, spec) end
  if OPS.readsSecondSet(op) then renewIfTouched(entityAt(code[at]), specs[code[at + 1]]) end
  if spec.ix then
    if e.wrote and spec.iv or e.expiryNames then noteIndexed(e, spec) end
    if op == OP.duplicate then noteIndexed(entityAt(code[at]), specs[code[at + 1]]) end
  end
  return result
end
