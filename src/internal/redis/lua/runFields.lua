-- The fast path of programs with operations on scalars, of however many entities, with tests and jumps. It reads each entity
-- once, computes, and writes each entity once, after the last operation has succeeded, so there is nothing to undo. What is
-- unusual takes the general path instead, as long as nothing is written: attempts, operands, collections, an absent entity, a version
-- that is no number.
-- uses: call, code, find, format, nowMillis, ordinal, reply, replySize, specs, step, try (input) · appended, applyScalar,
--   clock, catchUp, forms, head, helpers, isUndecided, MAX_SAFE, nextArgument, numberKind, runArguments, ownArguments,
--   runBehind, runLeft, runStride (call) · makeForms, makeHelpers, makeScalars (order)
local ZERO = cjson.null -- the results 1 and 0 are true and null, because numbers cost four times as much to encode
local MOST_ENTITIES = 32 -- because they are found one after the other
local MOST_SLOTS = 96

-- The shape of a program. It is looked at once for all programs of a run, whose instructions stand in the same place. An access to a
-- table costs about as much as a comparison of two texts, so the tables are few: most entities have one field, whose slot is the
-- number of the entity.
local shapeAt -- the position of the program that these tables describe; nil if no run is going on
local size, renews = 0, false -- the number of its instructions; whether it may renew a time to live
local ops, ats, offsets, sizes = {}, {}, {}, {} -- by instruction: its number, and its arguments, in `code` and in a list
local owners, specsOf = {}, {} -- by instruction: its entity and its specification
local kinds = {} -- by instruction: false, or which of the frequent ones it is: see `kindOf`
local slots, lows, highs = {}, {}, {} -- by instruction: its slot, and the bounds of a plain increment of an integer
local entityCount, indices, widths, firstNames = 0, {}, {}, {} -- by entity: the position of its key, its number of fields, the first
local names, slotsOf = {}, {} -- by entity with several fields: their names after `$v`, and their slots
local contents = {} -- by entity with several fields: what `HSET` takes if all of them change
local slotCount = 0 -- of the slots after the first of each entity
-- The slots whose texts are scores of an index: the slot, its entity, its specification, and the index's key if it is known.
local scored, scoredCount = {}, 0

-- The running program.
local keys, versions, expiries = {}, {}, {} -- by entity
local texts, isNew = {}, {} -- by slot

local function entityOf(index)
  for e = 1, entityCount do
    if indices[e] == index then return e end
  end
  entityCount = entityCount + 1
  indices[entityCount], widths[entityCount], firstNames[entityCount], expiries[entityCount] = index, 0, "$v", false
  return entityCount
end

local function slotOf(e, name)
  local width = widths[e]
  if width == 0 then
    widths[e], firstNames[e] = 1, name
    return e
  end
  if width == 1 then
    if firstNames[e] == name then return e end
    names[e], slotsOf[e], contents[e] = { "$v", firstNames[e] }, { e }, { "$v", "", firstNames[e], "" }
  end
  for i = 1, width do
    if names[e][i + 1] == name then return slotsOf[e][i] end
  end
  slotCount = slotCount + 1
  widths[e], names[e][width + 2], slotsOf[e][width + 1] = width + 1, name, MOST_ENTITIES + slotCount
  contents[e][2 * width + 3], contents[e][2 * width + 4] = name, ""
  return MOST_ENTITIES + slotCount
end

-- Returns which of the frequent instructions one is, or false. Their behaviour is written out where the program runs, because a call
-- of a function costs as much as they do. They renew no time to live.
local function kindOf(op, spec, n)
  if op == OP.jumpIf or op == OP.jumpUnless then return op end
  local life = op >= FIRST.scalar and spec.life
  if life and (life.access or op == OP.increment or op == OP.set) then return false end
  if op == OP.increment then return n == 1 and spec.k == "i" and not (spec.gt or spec.lt) and op end
  if op == OP.compare then return spec.k == "i" and not spec.z and op end
  return (op == OP.get or op == OP.set or op == OP.ensure or op == OP.require or op == OP.timeToLive) and op
end

local function addScored(slot, e, spec)
  for i = 1, scoredCount do
    if scored[i].slot == slot then return end
  end
  scoredCount = scoredCount + 1
  scored[scoredCount] = { slot = slot, owner = e, spec = spec }
end

-- Returns whether the program has only what this path can run.
local function look(pc, count)
  entityCount, slotCount, scoredCount, size, renews = 0, 0, 0, count, false
  local offset = 0
  for i = 1, count do
    local op, spec, n = code[pc], specs[code[pc + 2]], code[pc + 3]
    ops[i], ats[i], offsets[i], sizes[i], specsOf[i] = op, pc + 4, offset, n, spec
    slots[i], lows[i], owners[i], kinds[i] = false, false, false, kindOf(op, spec, n)
    if op >= FIRST.scalar then
      local isScalar = op <= LAST.scalar
      if isScalar and (op == OP.load or op == OP.assign or spec.of) then return false end
      if not isScalar and op ~= OP.exists and op ~= OP.require and op ~= OP.ensure and op ~= OP.timeToLive then return false end
      local mayChangeEntry = spec.iv and isScalar and op ~= OP.get and not OPS.isTest(op)
      -- of the entries of indexes only scores are kept here
      if mayChangeEntry and not spec.sc then return false end
      local e = entityOf(code[pc + 1])
      owners[i], renews = e, renews or spec.life
      if isScalar then
        slots[i] = slotOf(e, spec.f)
        if mayChangeEntry then addScored(slots[i], e, spec) end
        if kinds[i] == OP.increment then lows[i], highs[i] = spec.ge or -MAX_SAFE, spec.le or MAX_SAFE end
      end
      if e > MOST_ENTITIES or slotCount > MOST_SLOTS then return false end
    elseif op >= OP.attempt then
      return false
    end
    pc, offset = pc + 4 + n, offset + n
  end
  return true
end

-- Whether an entity is absent, or one of its missing fields is stored in another form.
local function hasOtherForm(e)
  if not forms then forms = makeForms() end
  local stored = call("HKEYS", keys[e])
  for i = 1, size do
    if slots[i] and owners[i] == e and not texts[slots[i]] and forms.find(keys[e], specsOf[i], false, stored) then return true end
  end
  return #stored == 0
end

-- Reads several fields of an entity. Returns whether its version is usual, and no missing field is stored in another form.
local function readRow(e)
  local width, own = widths[e], slotsOf[e]
  local row, isWhole = try("HMGET", keys[e], unpack(names[e], 1, width + 1)), true
  local version = row[1]
  if not version or #version > 16 or not find(version, "^[1-9]%d*$") then return false end
  versions[e] = version
  for i = 1, width do
    local slot, text = own[i], row[i + 1]
    texts[slot], isNew[slot] = text, false
    isWhole = isWhole and text
  end
  return isWhole or not hasOtherForm(e)
end

local function writeRow(e)
  local own, width, content, filled, removed = slotsOf[e], widths[e], contents[e], 2, nil
  for i = 1, width do
    local slot = own[i]
    if isNew[slot] then
      local text = texts[slot]
      if not text then
        removed = removed or {}
        removed[#removed + 1] = names[e][i + 1]
      elseif filled == 2 * i then
        content[filled + 2], filled = text, filled + 2
      else
        if content == contents[e] then content = { unpack(content, 1, filled) } end
        content[filled + 1], content[filled + 2], filled = names[e][i + 1], text, filled + 2
      end
    end
  end
  if filled == 2 and not removed then return end
  content[2] = format("%d", versions[e] + 1)
  call("HSET", keys[e], unpack(content, 1, filled))
  if removed then call("HDEL", keys[e], unpack(removed)) end
end

-- Undoes `countChanges` for the first entities.
local function uncountChanges(last)
  for e = 1, last do
    if widths[e] == 1 and isNew[e] and call("HINCRBY", keys[e], "$v", "-1") == 0 and call("HLEN", keys[e]) > 1 then
      call("HDEL", keys[e], "$v")
    end
  end
end

-- Increases the version of each entity with one field that changes, which fails if it is no number. Then it undoes what it has done,
-- and returns false.
local function countChanges()
  for e = 1, entityCount do
    if widths[e] == 1 and isNew[e] and type(try("HINCRBY", keys[e], "$v", "1")) == "table" then
      uncountChanges(e - 1)
      return false
    end
  end
  return true
end

-- Makes the scores of indexes what the texts of the program say. If the server refuses one, or a text is no number, it undoes that and
-- `countChanges`, and returns false.
local function setScores()
  for i = 1, scoredCount do
    local s = scored[i]
    if isNew[s.slot] then
      local key, text, entries, id, old = keys[s.owner], texts[s.slot], s.entries, nil, nil
      if s.spec.ix.one then
        local open = find(key, "{", 1, true)
        entries, id = entries or string.sub(key, 1, open) .. "$}:$ix:" .. s.spec.sc, string.sub(key, open + 1, -2)
        s.entries = entries
      else
        local close = find(key, "}", 1, true)
        entries, id = string.sub(key, 1, close) .. ":$ix:" .. s.spec.sc, string.sub(key, close + 2)
      end
      if i < scoredCount then old = try("ZSCORE", entries, id) end
      if not text or not find(text, "^%-?%d") or type(old) == "table" or type(try("ZADD", entries, text, id)) == "table" then
        for j = i - 1, 1, -1 do
          s = scored[j]
          if isNew[s.slot] then
            if s.old then call("ZADD", s.at, s.old, s.id) else call("ZREM", s.at, s.id) end
          end
        end
        uncountChanges(entityCount)
        return false
      end
      s.at, s.id, s.old = entries, id, old
    end
  end
  return true
end

local function timeToLive(e)
  clock()
  local at = expiries[e] or call("PEXPIRETIME", keys[e])
  return at >= 0 and (at > nowMillis and at - nowMillis or 1)
end

-- Runs a program, and those of its run that follow it. Returns the position after the last one; or nothing if the running one must
-- take the general path.
return function(pc, count)
  if shapeAt ~= pc then
    shapeAt = nil
    if not look(pc, count) then return end
    if runLeft then shapeAt = pc end
  else
    for i = 1, count do
      if owners[i] then indices[owners[i]] = code[ats[i] - 3] end
    end
  end
  -- in locals, because those cost less
  local keys, texts, isNew, widths, indices, firstNames = keys, texts, isNew, widths, indices, firstNames
  local slots, lows, highs, reply, code, KEYS = slots, lows, highs, reply, code, KEYS
  local entities, left, base, isUsual = entityCount, runLeft or 0, head, true
  local distance, places, shift = 0, ats, 0 -- how far the program's keys are from those in `code`; where its arguments are
  local listed = nextArgument - runArguments -- where the program's own arguments are, if it is not the first one
  while true do
    local i, flag, renewals, hasChanged = 1, false, nil, false
    for e = 1, entities do
      local key, width = KEYS[indices[e] + distance], widths[e]
      keys[e] = key
      if width > 1 then
        isUsual = isUsual and readRow(e)
      else
        local text = try("HGET", key, firstNames[e])
        texts[e], isNew[e] = text, false
        if text and text.err or not text and (width == 0 or hasOtherForm(e)) then isUsual = false end
      end
      if renews then expiries[e] = false end
    end
    while isUsual and i <= count do
      local kind, slot, at, result = kinds[i], slots[i], places[i] + shift, nil
      local text = slot and texts[slot]
      if kind == OP.increment then
        if text and #text < 16 and find(text, "^%-?%d+$") then
          local sum = text + code[at]
          if sum >= lows[i] and sum <= highs[i] then
            result = format("%d", sum)
            texts[slot], isNew[slot], hasChanged = result, true, true
          end
        end
      elseif kind == OP.compare then
        if text and #text < 16 and find(text, "^%-?%d+$") then
          local comparison, difference = code[at], text - code[at + 1]
          if comparison == COMPARISON.eq then flag = difference == 0
          elseif comparison == COMPARISON.neq then flag = difference ~= 0
          elseif comparison == COMPARISON.lt then flag = difference < 0
          elseif comparison == COMPARISON.lte then flag = difference <= 0
          elseif comparison == COMPARISON.gt then flag = difference > 0
          else flag = difference >= 0
          end
          result = flag and true or ZERO
        end
      elseif kind == OP.jumpIf or kind == OP.jumpUnless then
        result = ZERO
        if flag == (kind == OP.jumpIf) then
          result = true
          for _ = 1, code[at] do
            reply[base + i], i = result, i + 1
            result = false
          end
        end
      elseif kind == OP.get then
        result = text
      elseif kind == OP.set then
        result = true
        texts[slot], isNew[slot], hasChanged = code[at], true, true
      elseif kind == OP.ensure then
        result = ZERO
      elseif kind == OP.require then
        result = true
      elseif kind then
        result = timeToLive(owners[i])
      end
      if result ~= nil then
        reply[base + i] = result
      else
        local op, e = ops[i], owners[i]
        step, head, replySize, runLeft, runBehind = i, base, base + i, runLeft and left, distance
        nextArgument, isUndecided, ownArguments = listed + runArguments, hasChanged, shift > 0 and listed
        if op <= LAST.flow then
          local skipped
          if not helpers then helpers = makeHelpers() end
          result, skipped, flag = helpers.branch(op, at, flag)
          for j = i + 1, i + skipped do reply[base + j] = false end
          reply[base + i] = result
          i = i + skipped
        else
          local value, expiry
          if slot then
            result = text
            -- the general path joins the pieces of a long text once
            if op == OP.appendText and text and #text + #code[at] > 4096 then
              isUsual = false
              break
            end
            if op ~= OP.get then
              if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
              value, result = applyScalar(op, text, specsOf[i], at, sizes[i])
              if OPS.scalar.isTest(op) then flag = result == 1 end
              if value ~= nil then texts[slot], isNew[slot], hasChanged = value, true, true end
            end
          elseif op == OP.timeToLive then
            result = timeToLive(e)
          else
            result = op == OP.ensure and 0 or 1
            if op == OP.exists then flag = true end
          end
          reply[base + i] = result
          expiry = specsOf[i].life
          if expiry and (value ~= nil or expiry.access) then
            if not helpers then helpers = makeHelpers() end
            local target, current = helpers.renewalDue(keys[e], expiry, expiries[e])
            expiries[e] = target or current
            -- an index keeps the expiry too
            if target and specsOf[i].ix then
              isUsual = false
              break
            end
            if target then renewals = { expiry, e, renewals } end
          end
        end
      end
      i = i + 1
    end
    isUndecided = false
    if not (isUsual and countChanges() and (scoredCount == 0 or setScores())) then
      head, runLeft, runBehind, nextArgument = base, runLeft and left, distance, listed + runArguments
      ownArguments = shift > 0 and listed
      catchUp(count)
      return
    end
    for e = 1, entities do
      local width = widths[e]
      if width > 1 then
        writeRow(e)
      elseif isNew[e] and width == 1 then
        local text = texts[e]
        if text then call("HSET", keys[e], firstNames[e], text) else call("HDEL", keys[e], firstNames[e]) end
      end
    end
    while renewals do
      helpers.expireAt(keys[renewals[2]], renewals[1].cs, expiries[renewals[2]], renewals[1].fo)
      renewals = renewals[3]
    end
    base = base + count
    if left == 0 then
      replySize = base
      if runLeft then runLeft = 0 end
      return ats[count] + sizes[count]
    end
    left, base, distance, ordinal = left - 1, base + 1, distance + runStride, ordinal + 1
    reply[base] = true
    if runArguments > 0 then
      listed = listed + runArguments
      places, shift = offsets, listed
    end
  end
end
