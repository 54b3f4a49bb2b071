-- Operations of lists, and scalar operations on one item. Each change is journalled. Items that are removed from the front
-- stay in the key until commit, so neither a clear nor its undo costs anything, and new content is pushed before the old
-- one is trimmed. A few items in the middle are inserted and removed by the server's own commands, with a marker at their
-- place; many are cut off with all that follows, which is pushed again.
-- uses: call, code, nowMicros (input) · applyScalar, fail (call) · appends, spend (program) · chunked, record (journal) ·
--   touch (entity) · makeAppends (order) · discard, dropFirst, setCount, sliceBounds (collectionState)

-- No text that is well-formed has its first byte.
local MARKER = "\255" .. nowMicros

local function undoPush(list, first, last)
  call("LTRIM", list.key, first, last)
end

local function undoCut(list, tail)
  chunked("RPUSH", list.key, tail, 1, #tail)
end

local function undoSet(list, index, old)
  call("LSET", list.key, index, old)
end

-- Without `first` and `last` it is the undo of `pushHead`, which trims the removed items.
local function pushReversed(list, items, first, last)
  first, last = first or 1, last or #items
  local reversed = {}
  for i = last, first, -1 do reversed[#reversed + 1] = items[i] end
  chunked("LPUSH", list.key, reversed, 1, #reversed)
end

local function pushTail(list, items, first, last)
  if last < first then return end
  chunked("RPUSH", list.key, items, first, last)
  record(list, undoPush, 0, first - last - 2)
  setCount(list, list.count + last - first + 1)
end

local function pushHead(list, items, first, last)
  if list.skip > 0 then
    local dead = call("LRANGE", list.key, 0, list.skip - 1)
    call("LTRIM", list.key, list.skip, -1)
    record(list, pushReversed, dead)
    record(list, "skip", list.skip)
    list.skip = 0
  end
  pushReversed(list, items, first, last)
  record(list, undoPush, last - first + 1, -1)
  setCount(list, list.count + last - first + 1)
end

-- Removes and returns all items from a position on. It is not the first position, so the items before it keep the key.
local function cutFrom(list, position)
  local from = list.skip + position
  local tail = call("LRANGE", list.key, from, -1)
  call("LTRIM", list.key, 0, from - 1)
  record(list, undoCut, tail)
  setCount(list, position)
  return tail
end

-- Inserts items at a position in the key that is neither its first nor its end.
local function putAt(list, position, items, first, last)
  local next = call("LINDEX", list.key, position)
  call("LSET", list.key, position, MARKER)
  for i = first, last do call("LINSERT", list.key, "before", MARKER, items[i]) end
  call("LSET", list.key, position + last - first + 1, next)
end

-- Removes items from a position in the key on. They are not all that the key has.
local function takeAt(list, position, count)
  for i = position, position + count - 1 do call("LSET", list.key, i, MARKER) end
  call("LREM", list.key, count, MARKER)
end

local function undoTake(list, position, items)
  putAt(list, position, items, 1, #items)
end

local function replaceItems(list, items, first, last)
  discard(list)
  pushTail(list, items, first, last)
end

local function checkLength(length, spec)
  if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
  if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
end

local function append(list, spec, keep, first, last)
  local count, before = last - first + 1, list.count
  if count == 0 then return before end
  local after = before + count
  if keep > 0 and after > keep then after = keep end
  checkLength(after, spec)
  touch(list.entity)
  if count > after then first = last - after + 1 end
  local surplus = before + count - after
  if surplus > 0 then dropFirst(list, surplus < before and surplus or before) end
  pushTail(list, code, first, last)
  return after
end

local function insertAt(list, spec, position, first, last)
  local count = list.count
  if position < 0 then position = position + count end
  if position < 0 or position > count then return fail("index") end
  if last < first then return count end
  checkLength(count + last - first + 1, spec)
  touch(list.entity)
  if position == count then
    pushTail(list, code, first, last)
  elseif position == 0 then
    pushHead(list, code, first, last)
  else
    local added, rest = last - first + 1, 10 * (count - position)
    if added * position <= rest then
      spend(added * position)
      position = list.skip + position
      putAt(list, position, code, first, last)
      record(list, takeAt, position, added)
      setCount(list, count + added)
    else
      spend(rest)
      local tail = cutFrom(list, position)
      pushTail(list, code, first, last)
      pushTail(list, tail, 1, #tail)
    end
  end
  return list.count
end

-- Removes the items between two positions, of which the first is not 0.
local function removeBetween(list, from, to)
  local count, removed, rest = list.count, to - from, 10 * (list.count - from)
  if to < count and from + 100 * removed <= rest then
    spend(from + 100 * removed)
    local position = list.skip + from
    local items = call("LRANGE", list.key, position, position + removed - 1)
    takeAt(list, position, removed)
    record(list, undoTake, position, items)
    setCount(list, count - removed)
  else
    spend(rest)
    local tail = cutFrom(list, from)
    pushTail(list, tail, removed + 1, #tail)
  end
end

local function removeEqual(list, spec, item)
  spend(list.count)
  local found, positions = list.count > 0 and call("LPOS", list.key, item, "count", 0) or {}, {}
  for _, position in ipairs(found) do
    if position >= list.skip then positions[#positions + 1] = position - list.skip end
  end
  local count = #positions
  if count == 0 then return 0 end
  checkLength(list.count - count, spec)
  touch(list.entity)
  local leading = 0
  while positions[leading + 1] == leading do leading = leading + 1 end
  local rest = leading < count and 10 * (list.count - positions[leading + 1]) or 0
  if (count - leading) * (positions[count] + 100) <= rest then
    for i = count, leading + 1, -1 do removeBetween(list, positions[i], positions[i] + 1) end
  elseif leading < count then
    spend(rest)
    local tail, kept = cutFrom(list, positions[leading + 1]), {}
    for _, other in ipairs(tail) do
      if other ~= item then kept[#kept + 1] = other end
    end
    pushTail(list, kept, 1, #kept)
  end
  if leading > 0 then dropFirst(list, leading) end
  return count
end

local function reversed(items)
  local result, count = {}, #items
  for i = 1, count do result[i] = items[count + 1 - i] end
  return result
end

-- Removes and returns several items from an end, in the order in which they would be removed one by one.
local function takeSeveral(op, list, spec, count)
  if count == 0 then return {} end
  checkLength(list.count - count, spec)
  touch(list.entity)
  if op == OP.shift or count == list.count then
    local items = call("LRANGE", list.key, list.skip, list.skip + count - 1)
    dropFirst(list, count)
    return op == OP.shift and items or reversed(items)
  end
  local items = call("RPOP", list.key, count)
  record(list, undoCut, reversed(items))
  setCount(list, list.count - count)
  return items
end

local function onList(op, list, spec, at, n)
  local count = list.count
  if op == OP.append then return append(list, spec, code[at], at + 1, at + n - 1) end
  if op == OP.prepend then return insertAt(list, spec, 0, at, at + n - 1) end
  if op == OP.insertItems then return insertAt(list, spec, code[at], at + 1, at + n - 1) end
  if op == OP.removeItem then return removeEqual(list, spec, code[at]) end
  if op == OP.slice or op == OP.removeRange or op == OP.trim then
    local from, to = sliceBounds(code[at], code[at + 1], count)
    if op == OP.slice then return from < to and call("LRANGE", list.key, list.skip + from, list.skip + to - 1) or {} end
    local after = op == OP.trim and to - from or count - (to - from)
    if after ~= count then
      checkLength(after, spec)
      touch(list.entity)
      if after == 0 then
        discard(list)
      elseif op == OP.trim then
        if to < count then
          spend(10 * (count - to))
          cutFrom(list, to)
        end
        if from > 0 then dropFirst(list, from) end
      elseif from == 0 then
        dropFirst(list, to)
      else
        removeBetween(list, from, to)
      end
    end
    return 1
  end
  if op == OP.contains then
    spend(count)
    -- the last equal item, because removed items come first
    local position = count > 0 and call("LPOS", list.key, code[at], "rank", -1)
    return position and position >= list.skip and 1 or 0
  end
  -- `pop` and `shift`
  if n > 0 then return takeSeveral(op, list, spec, code[at] < count and code[at] or count) end
  if count == 0 then return false end
  checkLength(count - 1, spec)
  touch(list.entity)
  local value
  if op == OP.shift or count == 1 then
    value = call("LINDEX", list.key, list.skip)
    dropFirst(list, 1)
  else
    value = call("RPOP", list.key)
    record(list, undoCut, { value })
    setCount(list, count - 1)
  end
  return value
end

local function readItem(list, position)
  return call("LINDEX", list.key, position)
end

-- The item's position is the first argument.
local function onItem(op, list, spec, at, n)
  local position = code[at]
  if position < 0 then position = position + list.count end
  if position < 0 or position >= list.count then
    -- only an operand has a default, which it is if there is no such item
    if op ~= OP.load or not spec.d then return fail("index") end
    local _, value = applyScalar(op, false, spec, at + 1, n - 1)
    return value
  end
  position = list.skip + position
  if op == OP.appendText then
    if not appends then appends = makeAppends() end
    local length = appends.append(list, position, readItem, spec, at + 1)
    if length then return length end
  end
  local old = list.pending and appends.settle(list, position) or readItem(list, position)
  if #old > 1000 then spend(#old / 4) end
  local value, result = applyScalar(op, old, spec, at + 1, n - 1)
  if value then
    touch(list.entity)
    if list.pending then appends.forget(list, position) end
    call("LSET", list.key, position, value)
    record(list, undoSet, position, old)
  end
  return result
end

return { operate = onList, onScalar = onItem, replace = replaceItems }
