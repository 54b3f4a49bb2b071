-- The upkeep of index entries: at the end of a program, and before an instruction that reads an index, the entries of each entity
-- that it has changed become what its fields say. The twin of memory/indexes.ts. instruction/indexes.ts names the keys.
-- uses: call, find, format, input, nowMillis, try (input) · fail, floor (call) · appends, created, expiries, indexed, indexedCount (program) · record
--   (journal) · makeExpiries, makeOrderCodes (order)
local char, concat, gmatch, gsub, sub = string.char, table.concat, string.gmatch, string.gsub, string.sub
local SWEPT_BY_WRITES = 2 -- how many expired entities a program that sets an expiry removes from indexes
local encode, escape
if not expiries then expiries = makeExpiries() end
do
  local codes = makeOrderCodes()
  encode, escape = codes.encode, codes.escape
end
local hints = {} -- by model, with the names of indexes that the program has changed
local expiringHome, expiringIndexes -- the last home of indexes in which a program has set an expiry
local hasDue = {} -- by home: what `sweep` has returned in this call
local sweepable = 2000 -- how many commands may still remove entries of expired entities in this call

-- Returns the home of an entity's indexes, its name there, and the tag of its key.
local function placeOf(ix, key)
  local open, close = find(key, "{", 1, true), find(key, "}", 1, true)
  local tag = sub(key, open + 1, close - 1)
  if ix.one then return sub(key, 1, open) .. "$}", tag, tag end
  return sub(key, 1, close), sub(key, close + 2), tag
end

local function keyAt(ix, home, id)
  return ix.one and sub(home, 1, -3) .. id .. "}" or home .. ":" .. id
end

local function entriesKey(home, index)
  return home .. ":$ix:" .. index.name
end

local function membersKey(home, index)
  return home .. ":$of:" .. index.name
end

local function expiriesKey(home)
  return home .. ":$exp"
end

local function planKey(home)
  return home .. ":$plan"
end

-- Whether a later definition has replaced an index: a hash with its plan is in place of the entries.
local function isReplaced(home, index)
  return type(try("HGET", entriesKey(home, index), "plan")) == "string"
end

-- Notes that the entries of an entity, or its expiry, may have changed. `step` is the running instruction. One that only renews the
-- expiry is not the writer that an error names.
local function note(e, spec, step)
  if not e.ix then
    indexedCount = indexedCount + 1
    indexed[indexedCount] = e
    e.ix = spec.ix
  end
  e.dirty, e.noted = true, e.noted or spec.iv
  if e.wrote or created == e or not e.writer then e.writer = step end
  e.isNew = e.isNew or created == e
end

-- Comes after an attempt is undone: the entries of all noted entities may differ from their fields again.
local function noteAgain()
  for i = 1, indexedCount do indexed[i].dirty = true end
end

local function hint(ix, index)
  if not ix.live then return end
  hints[ix.live] = hints[ix.live] or {}
  hints[ix.live][index.name] = true
end

local function undoScore(key, member, old)
  if old then call("ZADD", key, old, member) else call("ZREM", key, member) end
end

local function putScore(key, member, score, old)
  if score then call("ZADD", key, score, member) else call("ZREM", key, member) end
  record(key, undoScore, member, old)
end

local function undoMember(change)
  if change.old then call("HSET", change.of, change.id, change.old) else call("HDEL", change.of, change.id) end
end

local function partOf(id, position)
  for part in gmatch(id, "[^:]+") do
    position = position - 1
    if position == 0 then return part end
  end
end

-- Returns the texts of the values that indexes are made of.
local function textsOf(ix, key, id, tag)
  local texts = #ix.names > 0 and call("HMGET", key, unpack(ix.names)) or {}
  for i, value in ipairs(ix.vs) do
    if value.part then
      local escaped = value.part == 0 and tag or partOf(id, value.part)
      texts[i] = gsub(escaped, "%%(%x%x)", function(digits) return char(tonumber(digits, 16)) end)
    else
      texts[i] = texts[i] or value.d
      if value.z and texts[i] == "null" then texts[i] = false end
    end
  end
  return texts
end

-- Returns the codes of the values, joined, or nil if the entity has no entry. `codes` keeps what is encoded already.
local function partsOf(index, texts)
  for _, condition in ipairs(index.w or {}) do
    if texts[condition[1]] ~= condition[2] then return nil end
  end
  local parts = {}
  for i, value in ipairs(index.v) do
    parts[i] = encode(sub(index.codes, i, i), texts[value])
    if not parts[i] then return nil end
  end
  return concat(parts)
end

-- Removes the entries of an entity that is gone. It is not journalled, because it is right whatever the program does.
local function remove(ix, home, id)
  for _, index in ipairs(ix.list) do
    local key, of = entriesKey(home, index), membersKey(home, index)
    local member = index.score and id or call("HGET", of, id)
    if member then call("ZREM", key, member) end
    if member and not index.score then call("HDEL", of, id) end
  end
  call("ZREM", expiriesKey(home), id)
end

-- Whether an entity exists. If the server refuses to look at its key, its expiry is believed.
local function isStored(key)
  return try("EXISTS", key) == 1
end

-- Returns the first entities that have expired.
local function dueAt(home, limit)
  return call("ZRANGE", expiriesKey(home), "-inf", format("%.0f", nowMillis), "byscore", "limit", 0, limit)
end

-- Removes the entries of the first entities that have expired. Returns how many it looked at, and how many it removed; nil if this
-- call may not remove any of them.
local function removeDue(ix, home, limit)
  local due, removed = dueAt(home, limit), 0
  for _, id in ipairs(due) do
    if not isStored(keyAt(ix, home, id)) then
      if removed == 0 and type(try("ZREM", expiriesKey(home), "")) == "table" then return #due, nil end
      remove(ix, home, id)
      removed = removed + 1
    end
  end
  return #due, removed
end

-- Returns how many commands remove the entries of an entity.
local function costOf(ix)
  local cost = 2
  for _, index in ipairs(ix.list) do cost = cost + (index.score and 1 or 3) end
  return cost
end

-- Comes before an index is read. Returns whether there may be entries of entities that have expired. In one call the answer stays
-- the same, because its clock stands still. All programs of a call share what removing may cost, because the server serves no one else
-- meanwhile.
local function sweep(ix, home)
  if hasDue[home] == nil then
    local cost = costOf(ix)
    local isSpent = sweepable < cost
    local limit = isSpent and 1 or floor(sweepable / cost)
    local looked, removed = removeDue(ix, home, limit)
    sweepable = sweepable - looked * cost
    hasDue[home] = not removed or looked == limit and (removed > 0 or isSpent)
  end
  return hasDue[home]
end

-- Fails if another entity has equal values. The entry of one that has expired is removed.
local function checkUnique(change)
  local parts = change.parts
  for _, other in ipairs(call("ZRANGE", change.key, "[" .. parts, "(" .. parts .. "\255", "bylex", "limit", 0, 2)) do
    if other ~= change.member then
      local holder = sub(other, #parts + 1)
      if isStored(keyAt(change.e.ix, change.home, holder)) then
        return fail("unique", { change.position, change.e.writer })
      end
      remove(change.e.ix, change.home, holder)
    end
  end
end

-- Notes that the score of a member changes, if it does. Returns whether it does.
local function collectScore(changes, key, member, score)
  local old = call("ZSCORE", key, member)
  if old == (score or false) then return false end
  changes[#changes + 1] = { key = key, member = member, score = score, old = old }
  return true
end

-- Returns the text as the server takes it: it refuses one that is too near to zero.
local function scoreOf(text)
  return find(text, "[eE]%-") and format("%.17g", tonumber(text)) or text
end

-- Notes which entries of an entity change. With `isAudit` it trusts no member that the index does not have.
local function collect(e, changes, isAudit)
  local ix = e.ix
  local home, id, tag = placeOf(ix, e.key)
  if e.noted then
    if e.exists and e.pending then appends.settleAll(e) end
    local texts = e.exists and textsOf(ix, e.key, id, tag)
    for position, index in ipairs(ix.list) do
      local key, parts = entriesKey(home, index), texts and partsOf(index, texts)
      if index.score then
        if collectScore(changes, key, id, parts and scoreOf(texts[index.v[1]])) then hint(ix, index) end
      else
        local of = membersKey(home, index)
        local old, member = call("HGET", of, id), parts and parts .. escape(id) or false
        if isAudit and old then old = call("ZSCORE", key, old) and old end
        if old ~= member then
          hint(ix, index)
          changes[#changes + 1] = {
            e = e, position = position, home = home, key = key, of = of, id = id, old = old, member = member, parts = parts,
            uniq = index.uniq
          }
        end
      end
    end
  end
  local at = e.exists and (e.isNew or e.expiryNames) and expiries.expiresAt(e)
  if not e.exists or e.isNew or e.expiryNames then
    collectScore(changes, expiriesKey(home), id, at and format("%.0f", at))
  end
  if at and e.expiryNames then expiringHome, expiringIndexes = home, ix end
end

-- Entries that other entities with equal values must not have are removed first, so that two entities can exchange them.
local function apply(changes)
  for _, change in ipairs(changes) do
    if change.old and change.uniq then putScore(change.key, change.old, nil, "0") end
  end
  for _, change in ipairs(changes) do
    if not change.of then
      putScore(change.key, change.member, change.score, change.old)
    else
      if change.member then
        if change.uniq then checkUnique(change) end
        putScore(change.key, change.member, "0")
        call("HSET", change.of, change.id, change.member)
      else
        call("HDEL", change.of, change.id)
      end
      record(change, undoMember)
      if change.old and not change.uniq then putScore(change.key, change.old, nil, "0") end
    end
  end
end

local function undoPlan(key)
  call("HDEL", key, "plan")
end

local function flush()
  local changes = {}
  for i = 1, indexedCount do
    local e = indexed[i]
    if e.dirty then
      e.dirty = false
      collect(e, changes)
      if e.isNew and e.exists then
        local key = planKey(placeOf(e.ix, e.key))
        if not call("HGET", key, "plan") then
          call("HSET", key, "plan", e.ix.plan)
          record(key, undoPlan)
        end
      end
    end
  end
  apply(changes)
end

-- Compares the entries of an entity with its fields, and mends them if it may. `members` are entries that no entity has. Returns how
-- many differ.
local function compare(e, spec, step, isMending, members)
  note(e, spec, step)
  e.isNew, e.dirty = e.isNew or e.exists, false
  local changes = {}
  collect(e, changes, true)
  if not isMending then return #changes end
  apply(changes)
  local home, id = placeOf(e.ix, e.key)
  for i = 1, #members, 2 do
    local index = e.ix.list[members[i]]
    local key, member = index and entriesKey(home, index) or expiriesKey(home), members[i + 1]
    local isOwn = index and not index.score and call("HGET", membersKey(home, index), id) == member or e.exists and member == id
    local old = not isOwn and call("ZSCORE", key, member)
    if old then putScore(key, member, nil, old) end
  end
  return #changes
end

-- Marks which plan the indexes of a home have. The keys of those that it replaces get another type, so that an earlier definition can't
-- write them.
local function setPlan(ix, home, isEnd, replaced)
  -- fails if the key has another type, before anything is removed
  call("HGET", planKey(home), "plan")
  if not isEnd then
    -- an index that a later definition had replaced is written again
    for _, index in ipairs(ix.list) do
      if isReplaced(home, index) then call("UNLINK", entriesKey(home, index), membersKey(home, index)) end
    end
    return 1
  end
  for _, name in ipairs(replaced) do
    local entries, members = home .. ":$ix:" .. name, home .. ":$of:" .. name
    call("UNLINK", entries, members)
    call("HSET", entries, "plan", ix.plan)
    call("ZADD", members, "0", ix.plan)
  end
  call("HSET", planKey(home), "plan", ix.plan)
  return 1
end

-- Publishes which entities the program has written, and which indexes it has changed. A hint that is lost, or that the server refuses,
-- costs time and nothing else.
local function announce()
  local database = input[4] and input[4] .. ":" or ""
  for i = 1, indexedCount do
    local e = indexed[i]
    local model = e.ix.live
    if model then
      local prefix = sub(e.key, 1, find(e.key, "{", 1, true) - 2 - #model)
      local start, names = prefix .. "$live:" .. database, {}
      redis.pcall("PUBLISH", start .. sub(e.key, #prefix + 1), "")
      for name in pairs(hints[model] or {}) do names[#names + 1] = name end
      if hints[model] ~= false then redis.pcall("PUBLISH", start .. model, concat(names, " ")) end
      hints[model] = false
    end
  end
  hints = {}
end

-- Removes a few expired entities from the indexes of a home in which the program has set an expiry.
local function sweepSome()
  if not expiringHome then return end
  local home, cost = expiringHome, costOf(expiringIndexes)
  expiringHome = nil
  if sweepable < SWEPT_BY_WRITES * cost then return end
  local ok, looked = pcall(removeDue, expiringIndexes, home, SWEPT_BY_WRITES)
  sweepable = sweepable - (ok and looked or SWEPT_BY_WRITES) * cost
end
