-- The journal: what undoes each write of the running program. An entry is a target, a name and an old value, which is
-- assigned; or a target, a function and two arguments, which is called.
-- uses: call (input) · journalSize (program)
local targets, names, olds, extras = {}, {}, {}, {}

local function record(target, name, old, extra)
  journalSize = journalSize + 1
  targets[journalSize], names[journalSize], olds[journalSize], extras[journalSize] = target, name, old, extra
end

-- Undoes the entries above `mark`, the last one first.
local function undo(mark)
  while journalSize > mark do
    local target, name = targets[journalSize], names[journalSize]
    if type(name) == "function" then
      name(target, olds[journalSize], extras[journalSize])
    else
      target[name] = olds[journalSize]
    end
    journalSize = journalSize - 1
  end
end

-- Calls a command several times, because `unpack` takes only a few thousand values.
local function chunked(command, key, items, first, last)
  for from = first, last, 1000 do
    call(command, key, unpack(items, from, from + 999 < last and from + 999 or last))
  end
end
