-- Operations that read an index. The twin of memory/indexReads.ts.
-- uses: call, code, find, format, nowMillis (input) · fail, floor, helpers (call) · entities, readingMember (program) · readEntity (entity) · entriesKey,
--   expiriesKey, flush, keyAt, membersKey, needSums, planKey, setPlan, sub, sweep (indexes) · makeMemberIds (order)
local idOf = makeMemberIds()

-- Whether an entity is due, so that its entries are removed by what reads them next.
local function isExpired(home, id)
  local at = call("ZSCORE", expiriesKey(home), id)
  return at and tonumber(at) <= nowMillis
end

-- Returns how many entries come before a bound. An exclusive low bound and an inclusive high one come after what equals them.
local function before(index, key, bound, isEnd)
  if bound == "-" then return 0 end
  if bound == "+" then return call("ZCARD", key) end
  local isExclusive = sub(bound, 1, 1) == "("
  local isAfter = isExclusive ~= isEnd
  if index.score then
    local score = isExclusive and sub(bound, 2) or bound
    return call("ZCOUNT", key, "-inf", isAfter and score or "(" .. score)
  end
  return call("ZLEXCOUNT", key, "-", (isAfter and "[" or "(") .. sub(bound, 2))
end

-- Returns the row of an entity that the program may have changed, or false if it is missing.
local function rowAt(key, spec)
  for _, e in pairs(entities) do
    if e.key == key then return readEntity(e, spec) end
  end
  return readEntity({ key = key, exists = nil, stored = false, changed = false, wrote = false }, spec)
end

-- Returns the entries of these ranks, each with its entity if `isWhole`. An entity that others have removed is left out.
local function rowsOf(ix, index, home, spec, from, to, isReverse, isWhole)
  if to <= from then return {} end
  local key, row = entriesKey(home, index), {}
  local found = call("ZRANGE", key, from, to - 1, "withscores")
  local first, last, step = 1, #found - 1, 2
  if isReverse then first, last, step = last, first, -2 end
  for i = first, last, step do
    local id = index.score and found[i] or idOf(found[i], index.codes)
    readingMember = isWhole and id or nil
    local cells = isWhole and rowAt(keyAt(ix, home, id), spec)
    if cells or not isWhole then
      row[#row + 1], row[#row + 2] = id, found[index.score and i + 1 or i]
      if cells then
        for j = 1, #spec.fs + #spec.cs + 1 do row[#row + 1] = cells[j] end
      end
    end
  end
  readingMember = nil
  return row
end

-- Returns how many entries come before the place after this score and id, in the direction of the range.
local function resumeAt(key, score, id, isReverse)
  local own = call("ZSCORE", key, id)
  if own and tonumber(own) == tonumber(score) then return call("ZRANK", key, id) + (isReverse and 0 or 1) end
  local low, high = call("ZCOUNT", key, "-inf", "(" .. score), call("ZCOUNT", key, "-inf", score)
  while low < high do
    local middle = floor((low + high) / 2)
    if helpers.order(call("ZRANGE", key, middle, middle)[1], id) < 0 then low = middle + 1 else high = middle end
  end
  return low
end

-- Returns where the next page begins, "0" after the last one; and an id and what it adds for each entity that does not exist.
local function auditContributions(ix, index, home, cursor, limit)
  local row, page = {}, call("HSCAN", membersKey(home, index), cursor, "count", limit)
  row[1] = page[1]
  for i = 1, #page[2], 2 do
    local id = page[2][i]
    if call("EXISTS", keyAt(ix, home, id)) == 0 and not isExpired(home, id) then
      row[#row + 1], row[#row + 2] = id, page[2][i + 1]
    end
  end
  return row
end

-- Returns how many entries it examined; and an id and a member for each of them that belongs to no entity. Position 0 is the expiries.
local function audit(ix, home, position, from, limit)
  local index = ix.list[position]
  if index and index.sum then return auditContributions(ix, index, home, from, limit) end
  local key = index and entriesKey(home, index) or expiriesKey(home)
  local found = call("ZRANGE", key, from, from + limit - 1, "withscores")
  local row = { format("%d", #found / 2) }
  for i = 1, #found, 2 do
    local member = found[i]
    local isMember = index and not index.score
    local id = isMember and idOf(member, index.codes) or member
    local isOwn = call("EXISTS", keyAt(ix, home, id)) == 1
      and (not isMember or call("HGET", membersKey(home, index), id) == member)
    if not isOwn and not isExpired(home, id) then row[#row + 1], row[#row + 2] = id, member end
  end
  return row
end

local function read(op, home, spec, at, n)
  local ix = spec.ix
  if op == OP.indexPlan then return setPlan(ix, home, code[at] == 1, { unpack(code, at + 1, at + n - 1) }) end
  flush()
  if op == OP.indexAudit then return audit(ix, home, code[at], code[at + 1], code[at + 2]) end
  if op == OP.auditSums or op == OP.recount then
    local index = ix.list[code[at]]
    return needSums().recount(entriesKey(home, index), membersKey(home, index), op == OP.recount)
  end
  local plan = call("HGET", planKey(home), "plan")
  if plan and plan ~= ix.plan then return fail("plan", 1) end
  if sweep(ix, home) then return fail("due") end
  local index, low, high = ix.list[code[at]], code[at + 1], code[at + 2]
  local key = entriesKey(home, index)
  if op == OP.indexSum then
    local sum = call("HGET", key, low)
    return sum and find(sum, "^%-?%d+$") and sum or "0"
  end
  local from = before(index, key, low, false)
  local to = before(index, key, high, true)
  if to < from then to = from end
  if op == OP.indexCount then return to - from end
  if op == OP.indexHas then return to > from and 1 or 0 end
  if op == OP.indexGet then
    local row = rowsOf(ix, index, home, spec, from, from < to and from + 1 or from, false, true)
    return #row > 0 and row or fail("missing")
  end
  local isReverse = code[at + 3] == 1
  if op == OP.indexRange then
    local limit = code[at + 4]
    if n > 6 then
      local resumed = resumeAt(key, code[at + 6], code[at + 7], isReverse)
      if isReverse then to = resumed < to and resumed or to else from = resumed > from and resumed or from end
    end
    if isReverse then from = to - limit > from and to - limit or from else to = from + limit < to and from + limit or to end
    return rowsOf(ix, index, home, spec, from, to, isReverse, code[at + 5] == 1)
  end
  local id = code[op == OP.indexHolds and at + 3 or at + 4]
  local member = index.score and id or call("HGET", membersKey(home, index), id)
  local rank = member and call("ZRANK", key, member)
  local isInside = rank and rank >= from and rank < to
  if op == OP.indexHolds then return isInside and 1 or 0 end
  if not isInside then return false end
  if op == OP.indexAround then
    local count = code[at + 5]
    local first, last = rank - count > from and rank - count or from, rank + count + 1 < to and rank + count + 1 or to
    return rowsOf(ix, index, home, spec, first, last, isReverse, code[at + 6] == 1)
  end
  if index.score then
    local score = call("ZSCORE", key, id)
    if not isReverse then
      local below = call("ZCOUNT", key, "-inf", "(" .. score)
      return below > from and below - from + 1 or 1
    end
    local upTo = call("ZCOUNT", key, "-inf", score)
    return upTo < to and to - upTo + 1 or 1
  end
  local parts = sub(member, 1, #member - #id)
  if not isReverse then return call("ZLEXCOUNT", key, "-", "(" .. parts) - from + 1 end
  return to - call("ZLEXCOUNT", key, "-", "(" .. parts .. "\255") + 1
end

return read
