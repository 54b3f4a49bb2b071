-- Runs the batch: each program by itself, wholly or not at all.
local total = #code
local pc = 1 -- where it is
local start, head = 1, 0 -- of the program that runs

-- Most programs are one operation on one field, or one read: with nothing to undo, they need no bookkeeping. The version
-- comes first: it is the one write that what is stored can refuse.
local function alone(op, key, spec, at, n)
  local life = spec.life
  if (life or op == OP.insert and code[at]) and not more then more = besides() end
  if op == OP.insert then
    if call("EXISTS", key) == 1 then
      call("HGET", key, "$v") -- refuses a key of another kind
      return fail("exists")
    end
    clock()
    -- one table for all entities of a kind: growing it anew costs more than the call
    local content, fields, count = spec.content or { "$v" }, spec.fs, 2
    spec.content = content
    content[2] = format("%d", now + ordinal)
    for i = 1, #fields do
      local text = code[at + i]
      if text then
        content[count + 1], content[count + 2] = fields[i], text
        count = count + 2
      end
    end
    call("HSET", key, unpack(content, 1, count))
    if code[at] then more.prolong(key, spec.cs, millis + code[at]) end
    return 1
  end
  if op >= OP.read then
    local fields, parts = spec.fs, spec.cs
    local found = call("HMGET", key, "$v", unpack(fields))
    if not found[1] and call("EXISTS", key) == 0 then return op ~= OP.find and fail("missing") end
    if #parts > 0 and not more then more = besides() end
    for i = 1, #parts do
      part = parts[i].f
      found[#fields + 1 + i] = more.row(key .. ":" .. part, parts[i].k, 0)
    end
    part = nil
    local target = life and life.access and more.due(key, life)
    if target then more.prolong(key, life.cs, target) end
    return found
  end
  local text = call("HGET", key, spec.f)
  if not text and call("EXISTS", key) == 0 then return fail("missing") end
  local value, result = nil, text
  if op == OP.increment and text then
    value = plus(text, spec, at, n)
    result = value
  end
  if op ~= OP.get and not value then
    if not apply then apply, numeric = cells() end
    value, result = apply(op, text, spec, at, n)
  end
  local target = life and (value ~= nil or life.access) and more.due(key, life)
  if value ~= nil then
    call("HINCRBY", key, "$v", "1")
    if value then call("HSET", key, spec.f, value) else call("HDEL", key, spec.f) end
  end
  if target then more.prolong(key, life.cs, target) end
  return result
end

-- Past the program that begins here.
local function past(from)
  local count = code[from]
  from = from + 1
  for _ = 1, count do from = from + 4 + code[from + 3] end
  return from
end

-- A program that happens once: what its token tells instead of running it, or nothing.
local function guard()
  local at = pc - 1
  if code[at] == -1 then pc = pc + 5 end
  start, head, size, step = pc, size + 1, size + 1, 1
  out[head] = true
  if not known then known, keep, cancel, settle = once() end
  local told = known(at)
  size, guarded = head - 1, not told
  return told
end

-- The end of a program that has succeeded: most have one text as their result.
local function conclude()
  guarded = false
  local text = out[size]
  if kept and size == head + 1 and type(text) == "string" and #text <= LARGEST then
    kept[position] = text
    return
  end
  local refused = keep(head, size)
  if refused then out[head], size = refused, head end
end

-- Runs to the end, or to the first failure.
local function run()
  if rest then
    local proceed = rest
    rest = nil
    pc = proceed()
    if guarded then conclude() end
  end
  while pc <= total do
    local count, told = code[pc], nil
    if count < 0 then
      pc = pc + 1
      if count == -2 and kept and not kept[position + 1] and code[pc] > 0 then
        position, guarded, count = position + 1, true, code[pc]
      else
        told = guard()
        count = told and 0 or code[pc]
      end
    end
    start, head, size, ordinal = pc, size + 1, size + 2, ordinal + 1
    out[head] = told or true
    pc = pc + 1
    local op, spec, n = code[pc], specs[code[pc + 2]], code[pc + 3]
    if count == 1 and (op < OP.size and op >= OP.get and op ~= OP.load and not spec.of or op == OP.read or op == OP.find
        or op == OP.insert and n < 500 and #spec.cs == 0) then
      step = 1
      out[size] = alone(op, KEYS[code[pc + 1]], spec, pc + 4, n)
      pc = pc + 4 + n
    elseif count == 1 and op >= OP.acquire then
      step = 1
      if not lock then lock = locks() end
      out[size] = lock(op, KEYS[code[pc + 1]], pc + 4)
      pc = pc + 4 + n
    elseif count == 0 then
      size = head
      if told then pc = past(start) end
    else
      local after
      if count > 1 and count < 500 then
        if not together then together = fields() end
        after = together(pc, count, head)
      end
      if not after then
        if not execute then execute, recover = programs() end
        size = head
        after = execute(pc, count)
      end
      pc = after
    end
    if guarded then conclude() end
  end
end

local function runAll()
  local ok, why
  repeat
    ok, why = pcall(run)
    if not ok and not (caught and caught(why)) then
      -- a program that stops is undone, and the next one runs
      for i = head + 1, size do out[i] = nil end
      size = head
      local message = type(why) == "table" and why.err or not why[1] and why
      if not recover or recover() then
        out[head] = message and { "error", step, message, part } or why
      else
        out[head] = { "broken", step, message or why[1] }
      end
      part = nil
      if guarded then
        guarded = false
        cancel()
      end
      pc = past(start)
    end
  until ok
end

-- Also where undoing has failed: what was done is done.
local ok, why = pcall(runAll)
if settle then settle() end
if not ok then error(why, 0) end
return cjson.encode(out)
