-- Locks. A lock has three keys:
--   key         a hash with an entry `expiry weight token` for each holder. The sum of the weights is at most the limit. An owner
--               that waited and was woken has a reservation: an entry with the token 0 and its channel, which keeps its place
--               until it comes. A channel whose owner has not come is away: `!channel` has an entry, until the channel asks
--               again, and its waiters stay in the queue, but are passed over.
--   key:$fence  a hash with the last fencing token (`t`); the tombstones of owners that gave up, whose acquire may still arrive;
--               and the number of fields from which expired tombstones are looked for (`n`)
--   key:$queue  a sorted set of waiters, `weight channel owner`, by the time at which they came
-- uses: call, code, find, format, nowMicros, nowMillis, step (input)
if not nowMicros then
  local time = call("TIME")
  nowMicros = tonumber(time[1]) * 1000000 + tonumber(time[2])
  nowMillis = math.floor(nowMicros / 1000)
end
local DAY = 86400000
local RESERVATION = 250 -- milliseconds that a woken owner has to come
local LAPSED = 10000 -- milliseconds for which a reservation that has ended is kept, so that its channel is found to be away
local AWAY = "!" -- before the channel in the name of the entry of a channel that is away
local AWAY_MILLIS = 60000 -- after which the waiters of a channel that is away are tried again
local TOMBSTONE = "~" -- before the owner in the name of a tombstone
local SWEEP_FROM = 32 -- the first number of fields at which expired tombstones are removed; the next is twice what remains

local ownExpiry, ownWeight, ownToken -- the owner's entry, set by `readHolders`; unset if it has none
local used, soonest, latest -- all other holders: the sum of their weights, and when the first and the last of them expire
local away -- the channels that are away
local expired, expiredCount -- owners whose entries have expired

local function textOf(number)
  return format("%.0f", number)
end

-- Returns the parts of an entry, and the channel of a reservation, or nothing if the entry has expired.
local function parse(text)
  local expiry, weight, token, channel = string.match(text, "^(%d+) (%d+) (%d+) ?(.*)$")
  expiry = tonumber(expiry)
  if expiry and expiry > nowMillis then return expiry, tonumber(weight), token end
  return nil, nil, token, channel
end

local function countHolder(expiry, weight, isReservation)
  used = used + weight
  if not soonest or expiry < soonest then soonest = expiry end
  latest = math.max(latest, isReservation and expiry + LAPSED or expiry)
end

local function expire(name)
  expiredCount = expiredCount + 1
  expired[expiredCount] = name
end

-- The channel is that of the request, which proves that it is not away.
local function readHolders(key, owner, channel)
  ownExpiry, used, soonest, latest, expired, expiredCount, away = nil, 0, nil, 0, {}, 0, {}
  local found, lapsed = call("HGETALL", key), nil
  for i = 1, #found, 2 do
    local name = found[i]
    local expiry, weight, token, woken = parse(found[i + 1])
    if not expiry then
      expire(name)
      if token == "0" and woken ~= "" and woken ~= channel then lapsed = { woken, lapsed } end
    elseif name == owner then
      ownExpiry, ownWeight, ownToken = expiry, weight, token
    elseif string.sub(name, 1, 1) ~= AWAY then
      countHolder(expiry, weight, token == "0")
    elseif name == AWAY .. channel then
      expire(name)
    else
      away[string.sub(name, 2)] = true
      latest = math.max(latest, expiry)
    end
  end
  while lapsed do
    local expiry = nowMillis + AWAY_MILLIS
    call("HSET", key, AWAY .. lapsed[1], textOf(expiry) .. " 0 1")
    away[lapsed[1]], latest, lapsed = true, math.max(latest, expiry), lapsed[2]
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
-- head. A waiter that does not fit blocks those behind it, unless it has disconnected or is away. The second result says
-- whether a waiter was woken.
local function wake(key, queue, limit, member, isCluster)
  local at, hasWoken = 0, false
  while true do
    local head = call("ZRANGE", queue, at, at)[1]
    if not head or head == member then return head, hasWoken end
    local weight, channel, owner = string.match(head, "^(%d+) (.*) (%S+)$")
    weight = tonumber(weight)
    if weight and away[channel] then
      at = at + 1
    else
      local fits = weight and used + weight <= limit
      if weight and not fits and (used >= limit or isCluster or call("PUBLISH", channel, "") > 0) then
        return head, hasWoken
      end
      call("ZREM", queue, head)
      -- a waiter without a subscription has disconnected; in a cluster it may be subscribed on another node
      if fits and (call("PUBLISH", channel, owner) > 0 or isCluster) then
        writeHolder(key, owner, nowMillis + RESERVATION, weight, "0 " .. channel)
        countHolder(nowMillis + RESERVATION, weight, true)
        hasWoken = true
      end
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
  readHolders(key, owner, channel)
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
    if math.floor(before / DAY / 1000) ~= math.floor(nowMillis / DAY) then extendExpiry(fence, nowMillis + 2 * DAY) end
  end
  writeHolder(key, owner, nowMillis + lease, weight, ownToken)
  latest = math.max(latest, nowMillis + lease)
  removeExpired(key, owner)
  return ownToken
end

-- Returns 1 if a waiter was woken, else 0. Writes a tombstone if `tombstoneMillis` is above 0.
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
  readHolders(key, owner, channel)
  -- before `wake`, so that the lock is released even if the user has no right to publish
  if ownExpiry then call("HDEL", key, owner) end
  local _, hasWoken = wake(key, queue, limit, nil, isCluster)
  removeExpired(key)
  return hasWoken and 1 or 0
end

-- Returns the entry of an owner that holds the lock, or nothing.
local function heldBy(key, owner)
  local text = call("HGET", key, owner)
  if not text then return end
  local expiry, weight, token = parse(text)
  if expiry and token ~= "0" then return expiry, weight, token end
end

return function(op, key, from)
  if op == OP.acquire then return acquire(key, from) end
  if op == OP.release then return release(key, from) end
  local expiry, weight, token = heldBy(key, code[from])
  if op == OP.holds then return expiry and 1 or error({ "lost", step }) end
  if not expiry then return 0 end
  writeHolder(key, code[from], nowMillis + code[from + 1], weight, token)
  call("PEXPIREAT", key, textOf(nowMillis + code[from + 1]), "GT")
  return 1
end
