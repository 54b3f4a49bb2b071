-- One instruction gives one result. Families by number: cells, lists, whole entities.
local function onCell(op, e, spec, at, n)
  if spec.at then
    local l = list(e, spec)
    local index = position(l, code[at])
    local old = call("LINDEX", l.key, index)
    local value, result = apply(op, old, spec, at + 1, n - 1)
    if value then
      touch(e)
      record(l, undoSet, { index, old })
      call("LSET", l.key, index, value)
    end
    return result
  end
  local value, result = apply(op, field(e, spec.f), spec, at, n)
  if value ~= nil then
    touch(e)
    e.fields[spec.f] = value
  end
  return result
end

-- The version, each field, then each collection.
local function readEntity(e, spec)
  local found
  if e.exists == nil then
    found = call("HMGET", e.key, "$v", unpack(spec.fs))
    if not seen(e, found[1] ~= false or call("EXISTS", e.key) == 1) then return false end
  else
    if not e.exists then return false end
    found = { versionOf(e) }
    for i, name in ipairs(spec.fs) do found[i + 1] = field(e, name) end
  end
  for _, c in ipairs(spec.cs) do found[#found + 1] = range(list(e, c), 0, SAFE) end
  return found
end

local function writeEntity(e, spec, at)
  local fields = {}
  for i, name in ipairs(spec.fs) do fields[name] = code[at + i - 1] end
  swap(e, fields, true)
  at = at + #spec.fs
  for _, c in ipairs(spec.cs) do
    local count = code[at]
    replaceList(e, list(e, c), at + 1, at + count)
    at = at + 1 + count
  end
  return 1
end

local function onEntity(op, e, spec, at)
  if op == OP.read then return readEntity(e, spec) or fail("missing") end
  if op == OP.find then return readEntity(e, spec) end
  if op == OP.exists then return exists(e) and 1 or 0 end
  if op == OP.require then return exists(e) and 1 or fail("missing") end
  if op == OP.insert then return absent(e) and writeEntity(e, spec, at) or fail("exists") end
  if op == OP.put then
    absent(e)
    return writeEntity(e, spec, at)
  end
  if not exists(e) then return 0 end
  swap(e, {}, false)
  for _, c in ipairs(spec.cs) do
    local l = list(e, c)
    drop(l, live(l))
  end
  return 1
end

local function instruct(pc)
  local op = code[pc]
  if op == OP.fail then return fail("fail", code[pc + 4]) end
  local e, spec = entity(code[pc + 1]), specs[code[pc + 2]]
  if op >= OP.read then return onEntity(op, e, spec, pc + 4) end
  if op < OP.append and not spec.at then
    if e.exists == false then return fail("missing") end
    return onCell(op, e, spec, pc + 4, code[pc + 3])
  end
  if not exists(e) then return fail("missing") end
  if op < OP.append then return onCell(op, e, spec, pc + 4, code[pc + 3]) end
  return onList(op, e, spec, pc + 4, code[pc + 3])
end

-- Most programs are one operation on one field, or one read: with nothing to undo, they need no bookkeeping. The version
-- comes first: it is the one write that what is stored can refuse.
local function alone(op, key, spec, at, n)
  if op >= OP.read then
    local found = call("HMGET", key, "$v", unpack(spec.fs))
    if not found[1] and call("EXISTS", key) == 0 then return op == OP.find and false or fail("missing") end
    return found
  end
  local text = call("HGET", key, spec.f)
  if not text and call("EXISTS", key) == 0 then return fail("missing") end
  local value, result = apply(op, text, spec, at, n)
  if value ~= nil then
    call("HINCRBY", key, "$v", "1")
    if value then call("HSET", key, spec.f, value) else call("HDEL", key, spec.f) end
  end
  return result
end
