-- Operations of sorted sets alone. They are ascending by score, and by the bytes of the member if scores are equal. A row
-- has each member with its score.
-- uses: call, code, fail, format (call) · sliceBounds (collectionState) · NONE, checkGrowth, lookUp,
--   put, storedScore, takeOutRow (edit)

local function rangeByRank(c, from, to, reverse)
  from, to = sliceBounds(from, to, c.count)
  if from == to then return {} end
  if reverse == 0 then return call("ZRANGE", c.key, from, to - 1, "withscores") end
  return call("ZRANGE", c.key, from, to - 1, "rev", "withscores")
end

local function rangeByScore(c, lowest, highest, reverse, limit)
  if c.count == 0 or limit == 0 then return {} end
  lowest, highest, limit = storedScore(lowest), storedScore(highest), format("%.0f", limit)
  if reverse == 0 then
    return call("ZRANGE", c.key, lowest, highest, "byscore", "limit", "0", limit, "withscores")
  end
  return call("ZRANGE", c.key, highest, lowest, "byscore", "rev", "limit", "0", limit, "withscores")
end

local function numberOfScore(text)
  if text == "inf" or text == "Infinity" then return 1 / 0 end
  if text == "-inf" or text == "-Infinity" then return -1 / 0 end
  return tonumber(text)
end

local function incrementScore(c, spec, member, amount)
  local old = lookUp(c, { member })[1]
  local sum = numberOfScore(old or "0") + numberOfScore(amount)
  if sum - sum ~= 0 then return fail("arithmetic", "notFinite") end
  if not old then checkGrowth(c, spec, 1) end
  local text = format("%.17g", sum + 0)
  put(c, { member, text }, old and NONE or { member }, old and { member, old } or NONE)
  return text
end

local function popEnd(c, spec, reverse, wanted)
  local entries = rangeByRank(c, 0, wanted or 1, reverse)
  if takeOutRow(c, spec, entries) == 0 and not wanted then return false end
  return entries
end

local function onSortedSet(op, c, spec, at, n)
  if op == OP.incrementScore then return incrementScore(c, spec, code[at], code[at + 1]) end
  if op == OP.score then return lookUp(c, { code[at] })[1] or false end
  if op == OP.rank then
    return c.count > 0 and call(code[at + 1] == 0 and "ZRANK" or "ZREVRANK", c.key, code[at])
  end
  if op == OP.rangeByRank then return rangeByRank(c, code[at], code[at + 1], code[at + 2]) end
  if op == OP.rangeByScore then return rangeByScore(c, code[at], code[at + 1], code[at + 2], code[at + 3]) end
  if op == OP.countByScore then
    return c.count == 0 and 0 or call("ZCOUNT", c.key, storedScore(code[at]), storedScore(code[at + 1]))
  end
  if op == OP.removeByRank then
    return takeOutRow(c, spec, rangeByRank(c, code[at], code[at + 1], code[at + 2]))
  end
  if op == OP.removeByScore then return takeOutRow(c, spec, rangeByScore(c, code[at], code[at + 1], 0, -1)) end
  return popEnd(c, spec, op == OP.popMin and 0 or 1, n > 0 and code[at])
end
