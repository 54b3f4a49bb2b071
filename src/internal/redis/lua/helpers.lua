-- What the most frequent programs don't need: collections, and times to live.

-- All that a collection holds, of a list from a position on.
local function row(key, kind, from)
  if kind == "list" then return call("LRANGE", key, from, -1) end
  if kind == "set" then return call("SMEMBERS", key) end
  if kind == "map" then return call("HGETALL", key) end
  return call("ZRANGE", key, 0, -1, "withscores")
end

-- When an entity shall expire instead, where what is left has shrunk enough. It comes before the writes: in a slot that is
-- moving, it stops at a key that is not there. Otherwise nothing, and when it does expire, which may be known.
local function due(key, life, at)
  clock()
  at = at or call("PEXPIRETIME", key)
  local target = millis + life.ms
  if at < 0 or target - at <= life.slack then return nil, at end
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

-- Whether a comparison of two numbers holds: as 1, or 0.
local function holds(comparison, a, b)
  local is
  if comparison == 0 then is = a == b
  elseif comparison == 1 then is = a ~= b
  elseif comparison == 2 then is = a < b
  elseif comparison == 3 then is = a <= b
  elseif comparison == 4 then is = a > b
  else is = a >= b
  end
  return is and 1 or 0
end

-- Flow that writes nothing: gives the result, how many instructions it jumps over, and the flag.
local function steer(op, at, flag)
  if op == OP.jump then return 1, code[at], flag end
  if op == OP.jumpIf or op == OP.jumpUnless then
    if flag == (op == OP.jumpIf) then return 1, code[at], flag end
    return 0, 0, flag
  end
  if op == OP.fail then
    -- with what the instructions before it gave
    local detail = { code[at] }
    for i = size - code[at + 1], size - 1 do detail[#detail + 1] = out[i] end
    return fail("fail", detail)
  end
  if op ~= OP.flag then flag = not flag end -- `not`
  return flag and 1 or 0, 0, flag
end

return { row = row, due = due, prolong = prolong, holds = holds, steer = steer }
