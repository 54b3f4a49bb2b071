-- The journal undoes a program: a target, a name and an old value; or a target, a function and its arguments.
local targets, names, olds, mores, top = {}, {}, {}, {}, 0

local function record(target, name, old, more)
  top = top + 1
  targets[top], names[top], olds[top], mores[top] = target, name, old, more
end

local function undo(mark)
  while top > mark do
    local target, name = targets[top], names[top]
    if type(name) == "function" then name(target, olds[top], mores[top]) else target[name] = olds[top] end
    top = top - 1
  end
end

-- Arguments beyond a few thousand don't fit in one call.
local function chunked(command, key, items, first, last)
  for from = first, last, 1000 do
    call(command, key, unpack(items, from, from + 999 < last and from + 999 or last))
  end
end
