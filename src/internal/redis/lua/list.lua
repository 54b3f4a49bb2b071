-- Lists: each change is journalled. Items that leave from the front stay, as a dead prefix, so that neither a clear nor its
-- undo costs anything, and a list that is replaced is pushed first and trimmed last.
local function undoPush(l, first, last)
  call("LTRIM", l.key, first, last)
end

local function undoCut(l, tail)
  chunked("RPUSH", l.key, tail, 1, #tail)
end

local function undoSet(l, index, old)
  call("LSET", l.key, index, old)
end

-- By itself it undoes a compaction.
local function pushReversed(l, items, first, last)
  first, last = first or 1, last or #items
  local reversed = {}
  for i = last, first, -1 do reversed[#reversed + 1] = items[i] end
  chunked("LPUSH", l.key, reversed, 1, #reversed)
end

local function pushTail(l, items, first, last)
  if last < first then return end
  chunked("RPUSH", l.key, items, first, last)
  record(l, undoPush, 0, first - last - 2)
  counted(l, l.count + last - first + 1)
end

local function pushHead(l, items, first, last)
  if l.skip > 0 then
    local dead = call("LRANGE", l.key, 0, l.skip - 1)
    call("LTRIM", l.key, l.skip, -1)
    record(l, pushReversed, dead)
    record(l, "skip", l.skip)
    l.skip = 0
  end
  pushReversed(l, items, first, last)
  record(l, undoPush, last - first + 1, -1)
  counted(l, l.count + last - first + 1)
end

-- Takes away, and gives, all from a position on that is not the first: what stands before keeps the key.
local function cut(l, position)
  local from = l.skip + position
  local tail = call("LRANGE", l.key, from, -1)
  call("LTRIM", l.key, 0, from - 1)
  record(l, undoCut, tail)
  counted(l, position)
  return tail
end

local function refillList(l, items, first, last)
  discard(l)
  pushTail(l, items, first, last)
end
local function sized(length, spec)
  if spec.minl and length < spec.minl then return fail("bounds", "minLength") end
  if spec.maxl and length > spec.maxl then return fail("bounds", "maxLength") end
end

local function append(l, spec, keep, first, last)
  local count, before = last - first + 1, l.count
  if count == 0 then return before end
  local after = before + count
  if keep > 0 and after > keep then after = keep end
  sized(after, spec)
  touch(l.e)
  if count > after then first = last - after + 1 end
  local surplus = before + count - after
  if surplus > 0 then drop(l, surplus < before and surplus or before) end
  pushTail(l, code, first, last)
  return after
end

local function insertAt(l, spec, position, first, last)
  local count = l.count
  if position < 0 then position = position + count end
  if position < 0 or position > count then return fail("index") end
  if last < first then return count end
  sized(count + last - first + 1, spec)
  touch(l.e)
  if position == count then
    pushTail(l, code, first, last)
  elseif position == 0 then
    pushHead(l, code, first, last)
  else
    local tail = cut(l, position)
    pushTail(l, code, first, last)
    pushTail(l, tail, 1, #tail)
  end
  return l.count
end

local function removeEqual(l, spec, item)
  local found, positions = l.count > 0 and call("LPOS", l.key, item, "count", 0) or {}, {}
  for _, position in ipairs(found) do
    if position >= l.skip then positions[#positions + 1] = position - l.skip end
  end
  local count = #positions
  if count == 0 then return 0 end
  sized(l.count - count, spec)
  touch(l.e)
  local leading = 0
  while positions[leading + 1] == leading do leading = leading + 1 end
  if leading < count then
    local tail, kept = cut(l, positions[leading + 1]), {}
    for _, other in ipairs(tail) do
      if other ~= item then kept[#kept + 1] = other end
    end
    pushTail(l, kept, 1, #kept)
  end
  if leading > 0 then drop(l, leading) end
  return count
end

local function onList(op, l, spec, at, n)
  local count = l.count
  if op == OP.append then return append(l, spec, code[at], at + 1, at + n - 1) end
  if op == OP.prepend then return insertAt(l, spec, 0, at, at + n - 1) end
  if op == OP.insertItems then return insertAt(l, spec, code[at], at + 1, at + n - 1) end
  if op == OP.removeItem then return removeEqual(l, spec, code[at]) end
  if op == OP.slice or op == OP.removeRange or op == OP.trim then
    local from, to = slice(code[at], code[at + 1], count)
    if op == OP.slice then return from < to and call("LRANGE", l.key, l.skip + from, l.skip + to - 1) or {} end
    local after = op == OP.trim and to - from or count - (to - from)
    if after ~= count then
      sized(after, spec)
      touch(l.e)
      if after == 0 then
        discard(l)
      elseif op == OP.trim then
        if to < count then cut(l, to) end
        if from > 0 then drop(l, from) end
      elseif from == 0 then
        drop(l, to)
      else
        local tail = cut(l, from)
        pushTail(l, tail, to - from + 1, #tail)
      end
    end
    return 1
  end
  if op == OP.contains then
    -- the last one: what is dead comes first
    local position = count > 0 and call("LPOS", l.key, code[at], "rank", -1)
    return position and position >= l.skip and 1 or 0
  end
  -- pop and shift
  if count == 0 then return false end
  sized(count - 1, spec)
  touch(l.e)
  local value
  if op == OP.shift or count == 1 then
    value = call("LINDEX", l.key, l.skip)
    drop(l, 1)
  else
    value = call("RPOP", l.key)
    record(l, undoCut, { value })
    counted(l, count - 1)
  end
  return value
end

-- An item, whose position is the first argument.
local function onItem(op, l, spec, at, n)
  local position = code[at]
  if position < 0 then position = position + l.count end
  if position < 0 or position >= l.count then return fail("index") end
  position = l.skip + position
  local old = call("LINDEX", l.key, position)
  local value, result = apply(op, old, spec, at + 1, n - 1)
  if value then
    touch(l.e)
    call("LSET", l.key, position, value)
    record(l, undoSet, position, old)
  end
  return result
end

return { operate = onList, onCell = onItem, refill = refillList }
