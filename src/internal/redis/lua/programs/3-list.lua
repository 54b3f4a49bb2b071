-- Lists are changed in place, each change journalled. Items that leave from the front stay, as a dead prefix of `skip`
-- items, until the program has succeeded: no key is removed before, a clear costs nothing to undo, and a list that is
-- replaced is pushed first and trimmed last.
local lists, listed, listedCount = {}, {}, 0

local function list(e, spec)
  local key = e.key .. ":" .. spec.f
  local l = lists[key]
  if not l then
    l = { key = key, length = call("LLEN", key), skip = 0 }
    lists[key] = l
    listedCount = listedCount + 1
    listed[listedCount] = l
  end
  return l
end

local function undoTail(l, count)
  l.length = l.length - count
  call("LTRIM", l.key, 0, -count - 1)
end

local function undoHead(l, count)
  l.length = l.length - count
  call("LTRIM", l.key, count, -1)
end

local function undoPop(l, value)
  l.length = l.length + 1
  call("RPUSH", l.key, value)
end

local function undoSet(l, index, old)
  call("LSET", l.key, index, old)
end

local function undoCompact(l, items)
  l.length, l.skip = l.length + #items, #items
  local reversed = {}
  for i = #items, 1, -1 do reversed[#reversed + 1] = items[i] end
  chunked("LPUSH", l.key, reversed, 1, #reversed)
end

local function compact(l)
  if l.skip > 0 then
    local dead = call("LRANGE", l.key, 0, l.skip - 1)
    call("LTRIM", l.key, l.skip, -1)
    record(l, undoCompact, dead)
    l.length, l.skip = l.length - l.skip, 0
  end
end

local function drop(l, count)
  record(l, "skip", l.skip)
  l.skip = l.skip + count
end

local function pushTail(l, items, first, last)
  if last >= first then
    chunked("RPUSH", l.key, items, first, last)
    record(l, undoTail, last - first + 1)
    l.length = l.length + last - first + 1
  end
end

local function pushHead(l, first, last)
  local reversed = {}
  for i = last, first, -1 do reversed[#reversed + 1] = code[i] end
  compact(l)
  chunked("LPUSH", l.key, reversed, 1, #reversed)
  record(l, undoHead, #reversed)
  l.length = l.length + #reversed
end

local function live(l)
  return l.length - l.skip
end

-- Like Array.prototype.slice: the end is exclusive, and negative positions count from the end.
local function range(l, from, to)
  local count = live(l)
  if from < 0 then from = from + count < 0 and 0 or from + count end
  if to < 0 then to = to + count elseif to > count then to = count end
  if from >= to then return {} end
  return call("LRANGE", l.key, format("%.0f", l.skip + from), format("%.0f", l.skip + to - 1))
end

local function position(l, index)
  local count = live(l)
  if index < 0 then index = index + count end
  if index < 0 or index >= count then return fail("index") end
  return l.skip + index
end

local function replaceList(e, l, first, last)
  touch(e)
  drop(l, live(l))
  pushTail(l, code, first, last)
end

local function onList(op, e, spec, at, n)
  local l = list(e, spec)
  if op == OP.append then
    local keep, first, last = code[at], at + 1, at + n - 1
    local count = last - first + 1
    if count == 0 then return live(l) end
    local before = live(l)
    local after = before + count
    if keep > 0 and after > keep then after = keep end
    sized(after, spec)
    touch(e)
    if count > after then first = last - after + 1 end
    local gone = before + count - after
    if gone > 0 then drop(l, gone < before and gone or before) end
    pushTail(l, code, first, last)
    return after
  end
  if op == OP.prepend then
    if n == 0 then return live(l) end
    sized(live(l) + n, spec)
    touch(e)
    if live(l) == 0 then pushTail(l, code, at, at + n - 1) else pushHead(l, at, at + n - 1) end
    return live(l)
  end
  if op == OP.length then return live(l) end
  if op == OP.slice then return range(l, code[at], code[at + 1]) end
  if op == OP.clearList then
    if live(l) > 0 then
      touch(e)
      drop(l, live(l))
    end
    return 1
  end
  if op == OP.setList then
    replaceList(e, l, at, at + n - 1)
    return 1
  end
  local count = live(l)
  if count == 0 then return false end
  sized(count - 1, spec)
  touch(e)
  local value
  if op == OP.shift or count == 1 then
    value = call("LINDEX", l.key, l.skip)
    drop(l, 1)
  else
    value = call("RPOP", l.key)
    record(l, undoPop, value)
    l.length = l.length - 1
  end
  return value
end
