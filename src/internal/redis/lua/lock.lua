-- Locks. A lock has three keys:
--   key         a hash with an entry `expiry weight token` for each holder. The sum of the weights is at most the limit. An owner
--               that waited and was woken has a reservation: an entry with the token 0, which keeps its place until it comes.
--   key:$fence  a hash with the last fencing token (`t`); the tombstones of owners that gave up, whose acquire may still arrive;
--               and the number of fields from which expired tombstones are looked for (`n`)
--   key:$queue  a sorted set of waiters, `weight channel owner`, by the time at which they came
-- uses: call, clock, code, fail, find, floor, format, nowMicros, nowMillis (call)
clock()
local DAY = 86400000
local RESERVATION = 250 -- milliseconds that a woken owner has to come
local TOMBSTONE = "~" -- before the owner in the name of a tombstone
local SWEEP_FROM = 32 -- the first number of fields at which expired tombstones are removed; the next is twice what remains

local ownExpiry, ownWeight, ownToken -- the owner's entry, set by `readHolders`; unset if it has none
local used, soonest, latest -- all other holders: the sum of their weights, and when the first and the last of them expire
local expired, expiredCount -- owners whose entries have expired

local function textOf(number)
  return format("%.0f", number)
end

local function parse(text)
  local expiry, weight, token = string.match(text, "^(%d+) (%d+) (%d+)$")
  expiry = tonumber(expiry)
  if expiry and expiry > nowMillis then return expiry, tonumber(weight), token end
end

local function countHolder(expiry, weight)
  used = used + weight
  if not soonest or expiry < soonest then soonest = expiry end
  if expiry > latest then latest = expiry end
end

local function readHolders(key, owner)
  ownExpiry, used, soonest, latest, expired, expiredCount = nil, 0, nil, 0, {}, 0
  local found = call("HGETALL", key)
  for i = 1, #found, 2 do
    local expiry, weight, token = parse(found[i + 1])
    if not expiry then
      expiredCount = expiredCount + 1
      expired[expiredCount] = found[i]
    elseif found[i] == owner then
      ownExpiry, ownWeight, ownToken = expiry, weight, token
    else
      countHolder(expiry, weight)
    end
  end
end

local function writeHolder(key, owner, expiry, weight, token)
  call("HSET", key, owner, textOf(expiry) .. " " .. textOf(weight) .. " " .. token)
end

-- Comes after the last entry is written, because a hash without entries is removed.
local function removeExpired(key, kept)
  for i = 1, expiredCount do
    if expired[i] ~= kept then call("HDEL", key, expired[i]) end
  end
  if latest > 0 then call("PEXPIREAT", key, textOf(latest)) end
end

local function extendExpiry(key, expiry)
  if call("PEXPIRETIME", key) < expiry then call("PEXPIREAT", key, textOf(expiry)) end
end

-- Wakes waiters in arrival order while capacity lasts. Returns the first that does not fit, or `member` once it is at the
-- head. A waiter that does not fit blocks those behind it, unless it has disconnected.
local function wake(key, queue, limit, member, isCluster)
  while true do
    local head = call("ZRANGE", queue, 0, 0)[1]
    if not head or head == member then return head end
    local weight, channel, owner = string.match(head, "^(%d+) (.*) (%S+)$")
    weight = tonumber(weight)
    local fits = weight and used + weight <= limit
    if weight and not fits and (used >= limit or isCluster or call("PUBLISH", channel, "") > 0) then return head end
    call("ZREM", queue, head)
    -- a waiter without a subscription has disconnected; in a cluster it may be subscribed on another node
    if fits and (call("PUBLISH", channel, owner) > 0 or isCluster) then
      writeHolder(key, owner, nowMillis + RESERVATION, weight, "0")
      countHolder(nowMillis + RESERVATION, weight)
    end
  end
end

local function waiterOf(channel, weight, owner)
  return channel ~= "" and textOf(weight) .. " " .. channel .. " " .. owner or nil
end

-- Returns the token; or after how many milliseconds to ask again; or false if the owner has a tombstone.
local function acquire(key, from)
  local channel, owner, lease, weight, limit = code[from], code[from + 1], code[from + 2], code[from + 3], code[from + 4]
  local isCluster, pause = code[from + 5] == 1, code[from + 6]
  local fence, queue, member = key .. ":$fence", key .. ":$queue", waiterOf(channel, weight, owner)
  local last = call("HMGET", fence, "t", TOMBSTONE .. owner)
  if last[2] and tonumber(last[2]) > nowMillis then return false end
  readHolders(key, owner)
  if not ownExpiry then
    local first = wake(key, queue, limit, member, isCluster)
    if first and first ~= member or used + weight > limit then
      if member then
        call("ZADD", queue, "NX", textOf(nowMicros), member)
        extendExpiry(queue, nowMillis + 3 * pause)
      end
      removeExpired(key)
      return soonest and math.max(1, soonest - nowMillis) or pause
    end
    if first then call("ZREM", queue, member) end
  end
  if not ownExpiry or ownToken == "0" then
    local before = last[1] and #last[1] < 17 and find(last[1], "^%d+$") and tonumber(last[1]) or 0
    ownToken = textOf(math.max(before, nowMicros) + 1)
    call("HSET", fence, "t", ownToken)
    -- the token is a time in microseconds, so the expiry is extended once a day
    if floor(before / DAY / 1000) ~= floor(nowMillis / DAY) then extendExpiry(fence, nowMillis + 2 * DAY) end
  end
  writeHolder(key, owner, nowMillis + lease, weight, ownToken)
  latest = math.max(latest, nowMillis + lease)
  removeExpired(key, owner)
  return ownToken
end

-- Returns 1 if the owner still held the lock, else 0. Writes a tombstone if `tombstoneMillis` is above 0.
local function release(key, from)
  local channel, owner, weight, limit = code[from], code[from + 1], code[from + 2], code[from + 3]
  local isCluster, tombstoneMillis = code[from + 4] == 1, code[from + 5]
  local fence, queue, member = key .. ":$fence", key .. ":$queue", waiterOf(channel, weight, owner)
  if tombstoneMillis > 0 then
    call("HSET", fence, TOMBSTONE .. owner, textOf(nowMillis + tombstoneMillis))
    extendExpiry(fence, nowMillis + math.max(DAY, tombstoneMillis))
    local count = call("HLEN", fence)
    if count > (tonumber(call("HGET", fence, "n")) or SWEEP_FROM) then
      local found = call("HGETALL", fence)
      for i = 1, #found, 2 do
        if string.sub(found[i], 1, 1) == TOMBSTONE and tonumber(found[i + 1]) <= nowMillis then
          count = count - call("HDEL", fence, found[i])
        end
      end
      call("HSET", fence, "n", textOf(math.max(SWEEP_FROM, 2 * count)))
    end
  end
  if member then call("ZREM", queue, member) end
  readHolders(key, owner)
  -- before `wake`, so that the lock is released even if the user has no right to publish
  if ownExpiry then call("HDEL", key, owner) end
  wake(key, queue, limit, nil, isCluster)
  removeExpired(key)
  return ownExpiry and ownToken ~= "0" and 1 or 0
end

-- Returns the entry of an owner that holds the lock, or nothing.
local function heldBy(key, owner)
  local text = call("HGET", key, owner)
  if not text then return end
  local expiry, weight, token = parse(text)
  if token ~= "0" then return expiry, weight, token end
end

return function(op, key, from)
  if op == OP.acquire then return acquire(key, from) end
  if op == OP.release then return release(key, from) end
  local expiry, weight, token = heldBy(key, code[from])
  if op == OP.holds then return expiry and 1 or fail("lost") end
  if not expiry then return 0 end
  writeHolder(key, code[from], nowMillis + code[from + 1], weight, token)
  call("PEXPIREAT", key, textOf(nowMillis + code[from + 1]), "GT")
  return 1
end
