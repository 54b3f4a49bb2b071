-- What the most frequent programs don't need: collections, and the time.

-- All that a collection holds, of a list from a position on.
local function row(key, kind, from)
  if kind == "list" then return call("LRANGE", key, from, -1) end
  if kind == "set" then return call("SMEMBERS", key) end
  if kind == "map" then return call("HGETALL", key) end
  return call("ZRANGE", key, 0, -1, "withscores")
end

-- One time for the whole call.
local function clock()
  if now then return end
  local time = call("TIME")
  now = tonumber(time[1]) * 1000000 + tonumber(time[2])
  millis = floor(now / 1000)
end

-- When an entity shall expire instead, where what is left has shrunk enough. It comes before the writes: in a slot that is
-- moving, it stops at a key that is not there.
local function due(key, life)
  clock()
  local at = call("PEXPIRETIME", key)
  local target = millis + life.ms
  if at < 0 or target - at <= life.slack then return nil end
  local keys = {}
  for i, name in ipairs(life.cs) do keys[i] = key .. ":" .. name end
  if #keys > 0 then call("EXISTS", unpack(keys)) end
  return target
end

-- An entity expires with its collections at one absolute time: relative ones would drift apart.
local function prolong(key, names, at)
  local text = format("%.0f", at)
  call("PEXPIREAT", key, text)
  for i = 1, #names do call("PEXPIREAT", key .. ":" .. names[i], text) end
end

return { row = row, clock = clock, due = due, prolong = prolong }
