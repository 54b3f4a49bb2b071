-- Expiry is only noted, and given to all keys of an entity when the program has succeeded.

-- In milliseconds of the clock, false for never, as the program leaves it.
local function expiresAt(e)
  if e.at == nil then
    local at = call("PEXPIRETIME", e.key)
    e.at = at >= 0 and at
  end
  return e.at
end

local function settle(e, at)
  record(e, "at", e.at)
  e.at = at
end

local function disarm(e)
  e.names = nil
  armedCount = armedCount - 1
end

local function name(e, what)
  if not e.names[what] then
    e.names[what] = true
    record(e.names, what)
  end
end

local function arm(e, at, spec)
  settle(e, at)
  if not e.names then
    e.names = {}
    armedCount = armedCount + 1
    armed[armedCount] = e
    record(e, disarm)
  end
  for _, c in ipairs(spec.cs or {}) do name(e, c.f) end
  for _, what in ipairs(spec.life and spec.life.cs or {}) do name(e, what) end
end

-- What has no expiry keeps none.
local function renew(e, spec)
  local life, at = spec.life, expiresAt(e)
  if at and millis + life.ms - at > life.slack then arm(e, millis + life.ms, spec) end
end

local function expireAt(key, at)
  if at then call("PEXPIREAT", key, format("%.0f", at)) else call("PERSIST", key) end
  isFinal = true
end

-- At the end. Whether a collection that the program has not touched is there may not be known, in a slot that is moving: that
-- is found out before the first change.
local function expireAll()
  local unknown, appeared = {}, {}
  for i = 1, armedCount do
    local e = armed[i]
    for name in pairs(e.exists and e.names or {}) do
      local key = e.key .. ":" .. name
      if not opened[key] then unknown[#unknown + 1] = key end
    end
  end
  if #unknown > 0 then chunked("EXISTS", unknown[1], unknown, 1, #unknown) end
  for i = 1, orderCount do
    local c = order[i]
    if not c.stored and c.count > 0 and not (c.e.names and c.e.names[c.name]) and expiresAt(c.e) then
      appeared[#appeared + 1] = c
    end
  end
  for i = 1, armedCount do
    local e = armed[i]
    if e.exists then
      expireAt(e.key, e.at)
      for name in pairs(e.names) do
        local key = e.key .. ":" .. name
        local c = opened[key]
        if not c or c.count > 0 then expireAt(key, e.at) end
      end
    end
  end
  for i = 1, #appeared do expireAt(appeared[i].key, appeared[i].e.at) end
end

return { at = expiresAt, settle = settle, arm = arm, renew = renew, expireAll = expireAll }
