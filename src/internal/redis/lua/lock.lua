-- Locks. One is a hash, with an entry `expiry weight token` for each owner that holds it. An owner that waited and was woken
-- holds it too, for a moment and with the token 0, so that it is still free when the owner comes. All weights together are at
-- most the limit. Beside it are a hash with the last token and with the owners that gave up, whose acquisitions may yet
-- arrive, and how many there may be until they are looked through; and those that wait, in the order in which they came.
clock()
local DAY = 86400000
local COMING = 250 -- how long one that was woken has to come
local MANY = 32 -- of owners that gave up: from here on those of long ago are looked for, each time that there are twice as many

local at, weight, token -- of the owner's entry, where it has one
local used, soonest, latest -- of all others: their weights, and when the first and the last of them expire
local expired, expiredCount -- the owners whose time has passed

local function plain(number)
  return format("%.0f", number)
end

local function parse(text)
  local till, heavy, number = string.match(text, "^(%d+) (%d+) (%d+)$")
  till = tonumber(till)
  if till and till > millis then return till, tonumber(heavy), number end
end

local function add(till, heavy)
  used = used + heavy
  if not soonest or till < soonest then soonest = till end
  if till > latest then latest = till end
end

local function look(key, owner)
  at, used, soonest, latest, expired, expiredCount = nil, 0, nil, 0, {}, 0
  local found = call("HGETALL", key)
  for i = 1, #found, 2 do
    local till, heavy, number = parse(found[i + 1])
    if not till then
      expiredCount = expiredCount + 1
      expired[expiredCount] = found[i]
    elseif found[i] == owner then
      at, weight, token = till, heavy, number
    else
      add(till, heavy)
    end
  end
end

local function hold(key, owner, till, heavy, number)
  call("HSET", key, owner, plain(till) .. " " .. plain(heavy) .. " " .. number)
end

-- After the last entry is written, since a key without entries is gone.
local function tidy(key, kept)
  for i = 1, expiredCount do
    if expired[i] ~= kept then call("HDEL", key, expired[i]) end
  end
  if latest > 0 then call("PEXPIREAT", key, plain(latest)) end
end

local function keepUntil(key, till)
  if call("PEXPIRETIME", key) < till then call("PEXPIREAT", key, plain(till)) end
end

-- Wakes those who wait longest, as many as fit; gives the first who doesn't, or the given one, whose turn it is. Who waits for
-- more than there is keeps the rest from others: not when it has gone.
local function wake(key, queue, limit, member, isAnywhere)
  while true do
    local head = call("ZRANGE", queue, 0, 0)[1]
    if not head or head == member then return head end
    local heavy, channel, owner = string.match(head, "^(%d+) (.*) (%S+)$")
    heavy = tonumber(heavy)
    local fits = heavy and used + heavy <= limit
    if heavy and not fits and (used >= limit or isAnywhere or call("PUBLISH", channel, "") > 0) then return head end
    call("ZREM", queue, head)
    -- where nobody listens it has gone; but on a cluster others may
    if fits and (call("PUBLISH", channel, owner) > 0 or isAnywhere) then
      hold(key, owner, millis + COMING, heavy, "0")
      add(millis + COMING, heavy)
    end
  end
end

local function memberOf(channel, heavy, owner)
  return channel ~= "" and plain(heavy) .. " " .. channel .. " " .. owner or nil
end

-- Gives the token; or in how many milliseconds to come again; or nothing where the owner has given up.
local function acquire(key, from)
  local channel, owner, lease, heavy, limit = code[from], code[from + 1], code[from + 2], code[from + 3], code[from + 4]
  local isAnywhere, pause = code[from + 5] == 1, code[from + 6]
  local fence, queue, member = key .. ":$fence", key .. ":$queue", memberOf(channel, heavy, owner)
  local last = call("HMGET", fence, "t", "~" .. owner)
  if last[2] and tonumber(last[2]) > millis then return false end
  look(key, owner)
  if not at then
    local first = wake(key, queue, limit, member, isAnywhere)
    if first and first ~= member or used + heavy > limit then
      if member then
        call("ZADD", queue, "NX", plain(now), member)
        keepUntil(queue, millis + 3 * pause)
      end
      tidy(key)
      return soonest and math.max(1, soonest - millis) or pause
    end
    if first then call("ZREM", queue, member) end
  end
  if not at or token == "0" then
    local before = last[1] and #last[1] < 17 and find(last[1], "^%d+$") and tonumber(last[1]) or 0
    token = plain(math.max(before, now) + 1)
    call("HSET", fence, "t", token)
    -- a token is a time: once a day is enough
    if floor(before / DAY / 1000) ~= floor(millis / DAY) then keepUntil(fence, millis + 2 * DAY) end
  end
  hold(key, owner, millis + lease, heavy, token)
  latest = math.max(latest, millis + lease)
  tidy(key, owner)
  return token
end

-- Whether it was still held. One that was never asked for leaves nothing but a word that it gave up, where it says so.
local function release(key, from)
  local channel, owner, heavy, limit = code[from], code[from + 1], code[from + 2], code[from + 3]
  local isAnywhere, goneFor = code[from + 4] == 1, code[from + 5]
  local fence, queue, member = key .. ":$fence", key .. ":$queue", memberOf(channel, heavy, owner)
  if goneFor > 0 then
    call("HSET", fence, "~" .. owner, plain(millis + goneFor))
    keepUntil(fence, millis + math.max(DAY, goneFor))
    local count = call("HLEN", fence)
    if count > (tonumber(call("HGET", fence, "n")) or MANY) then
      local found = call("HGETALL", fence)
      for i = 1, #found, 2 do
        if string.sub(found[i], 1, 1) == "~" and tonumber(found[i + 1]) <= millis then
          count = count - call("HDEL", fence, found[i])
        end
      end
      call("HSET", fence, "n", plain(math.max(MANY, 2 * count)))
    end
  end
  if member then call("ZREM", queue, member) end
  look(key, owner)
  -- first: whoever may not publish wakes nobody, and still gives it back
  if at then call("HDEL", key, owner) end
  wake(key, queue, limit, nil, isAnywhere)
  tidy(key)
  return at and token ~= "0" and 1 or 0
end

-- Of an owner that holds it: until when, the weight and the token.
local function held(key, owner)
  local text = call("HGET", key, owner)
  if not text then return end
  local till, heavy, number = parse(text)
  if number ~= "0" then return till, heavy, number end
end

return function(op, key, from)
  if op == OP.acquire then return acquire(key, from) end
  if op == OP.release then return release(key, from) end
  local till, heavy, number = held(key, code[from])
  if op == OP.holds then return till and 1 or fail("lost") end
  if not till then return 0 end
  hold(key, code[from], millis + code[from + 1], heavy, number)
  call("PEXPIREAT", key, plain(millis + code[from + 1]), "GT")
  return 1
end
