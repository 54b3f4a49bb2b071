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
