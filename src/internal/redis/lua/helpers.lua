-- Functions that only programs with collections, expiries, tests or jumps need.
-- uses: call, code, format, nowMillis, reply, replySize (input) · clock, fail, floor (call)

-- Reads all that a collection holds; of a list, all from the position `from` on.
local function readAll(key, kind, from)
  if kind == "list" then return call("LRANGE", key, from, -1) end
  if kind == "set" then return call("SMEMBERS", key) end
  if kind == "map" then return call("HGETALL", key) end
  return call("ZRANGE", key, 0, -1, "withscores")
end

-- Returns the new expiry of an entity, in milliseconds of the clock, if the present one comes before the time to live has
-- passed. The new one is `slack` later than that, so that the next operations need none. Otherwise returns nil and the
-- present one. `at` is the present one, if it is known. Must run before the writes: in a cluster slot that is moving, it
-- fails on a collection that is elsewhere.
local function renewalDue(key, expiry, at)
  clock()
  at = at or call("PEXPIRETIME", key)
  local least = nowMillis + expiry.ms
  if at < 0 or at >= least then return nil, at end
  local keys = {}
  for i, name in ipairs(expiry.cs) do keys[i] = key .. ":" .. name end
  if #keys > 0 then call("EXISTS", unpack(keys)) end
  return least + expiry.slack
end

-- Sets one absolute time for an entity and its collections, because relative ones would drift apart. `former` has
-- what follows the key of the entity in those of other forms, which are usually missing: in a cluster slot that is moving, a missing key is an error.
local function expireAt(key, names, at, former)
  local text = format("%.0f", at)
  call("PEXPIREAT", key, text)
  for i = 1, #names do call("PEXPIREAT", key .. ":" .. names[i], text) end
  for i = 1, former and #former or 0 do redis.pcall("PEXPIREAT", key .. former[i], text) end
end

-- Returns 1 if a comparison of two numbers is true, else 0.
local function compare(comparison, a, b)
  local isTrue
  if comparison == COMPARISON.eq then isTrue = a == b
  elseif comparison == COMPARISON.neq then isTrue = a ~= b
  elseif comparison == COMPARISON.lt then isTrue = a < b
  elseif comparison == COMPARISON.lte then isTrue = a <= b
  elseif comparison == COMPARISON.gt then isTrue = a > b
  else isTrue = a >= b
  end
  return isTrue and 1 or 0
end

-- Compares texts by their bytes, because `<` follows the server's locale. A binary search finds how many first bytes are
-- the same.
local function order(a, b)
  if a == b then return 0 end
  local byte, sub, same, most = string.byte, string.sub, 0, #a < #b and #a or #b
  while same < most do
    local middle = floor((same + most + 1) / 2)
    if sub(a, same + 1, middle) == sub(b, same + 1, middle) then same = middle else most = middle - 1 end
  end
  return (byte(a, same + 1) or -1) < (byte(b, same + 1) or -1) and -1 or 1
end

-- Runs `fail`, `not`, `flag` or a jump. Returns the result, the number of instructions that it jumps over, and the flag.
local function branch(op, at, flag)
  if op == OP.jump then return 1, code[at], flag end
  if op == OP.jumpIf or op == OP.jumpUnless then
    if flag == (op == OP.jumpIf) then return 1, code[at], flag end
    return 0, 0, flag
  end
  if op == OP.fail then
    -- with the results of the instructions before it, as many as it asks for
    local detail = { code[at] }
    for i = replySize - code[at + 1], replySize - 1 do detail[#detail + 1] = reply[i] end
    return fail("fail", detail)
  end
  if op ~= OP.flag then flag = not flag end -- `not`
  return flag and 1 or 0, 0, flag
end

return { readAll = readAll, renewalDue = renewalDue, expireAt = expireAt, compare = compare, order = order, branch = branch }
