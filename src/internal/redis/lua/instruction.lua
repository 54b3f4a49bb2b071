-- One instruction gives one result. Families by number: cells, collections, whole entities.
local messages, messageCount = {}, 0

local function needExpiry()
  if not expiring then expiring = expiry() end
end

local function needParts()
  if not parted then parted = parts() end
end

-- A server that will refuse it says so now, while all can be undone.
local function publish(channel, text)
  if not redis.acl_check_cmd("PUBLISH", channel, text) then
    error({ err = "NOPERM this user can't publish to the channel" })
  end
  messages[messageCount + 1], messages[messageCount + 2] = channel, text
  messageCount = messageCount + 2
  return 1
end

local function onEntity(op, e, spec, at)
  if op == OP.find then return readEntity(e, spec) end
  if op == OP.read then return readEntity(e, spec) or fail("missing") end
  if op == OP.exists then return exists(e) and 1 or 0 end
  if op >= OP.insert and op <= OP.duplicate then
    if not onWrite then
      needExpiry()
      needParts()
      onWrite = writes()
    end
    return onWrite(op, e, spec, at)
  end
  if not exists(e) then return fail("missing") end
  if op == OP.require then return 1 end
  if op == OP.atVersion then return (call("HGET", e.key, "$v") or "0") == code[at] and 1 or fail("stale") end
  needExpiry()
  if op == OP.timeToLive then
    local at = expiring.at(e)
    return at and (at > millis and at - millis or 1)
  end
  expiring.arm(e, op == OP.expire and millis + code[at], spec)
  return 1
end

local function renewed(e, spec)
  local life = spec.life
  if life and (life.access or e.wrote) and e.exists and made ~= e then
    needExpiry()
    expiring.renew(e, spec)
  end
end

local function instruct(pc)
  local op, spec, n, at = code[pc], specs[code[pc + 2]], code[pc + 3], pc + 4
  if op == OP.publish then return publish(code[at], code[at + 1]) end
  if op == OP.holds then
    if not lock then lock = locks() end
    return lock(op, KEYS[code[pc + 1]], at)
  end
  local e, result = entity(code[pc + 1]), nil
  e.wrote, made = false, nil
  if op >= OP.union and op <= OP.difference then entity(code[at]).wrote = false end
  if op < OP.size and not apply then apply, numeric = cells() end
  if op >= OP.read then
    result = onEntity(op, e, spec, at)
  elseif op < OP.size and not spec.of then
    local name, value = spec.f, nil
    local old = field(e, name)
    value, result = apply(op, old, spec, at, n)
    if value ~= nil then write(e, name, value, old) end
  else
    if not exists(e) then return fail("missing") end
    needParts()
    result = parted.onPart(op, parted.collection(e, spec), spec, at, n)
  end
  if spec.life then renewed(e, spec) end
  if op >= OP.union and op <= OP.difference then renewed(entity(code[at]), specs[code[at + 1]]) end
  return result
end
