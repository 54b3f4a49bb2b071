-- One instruction gives one result. Families by number: cells, lists, whole entities.
local function onCell(op, e, spec, at, n)
  if spec.at then
    local l = list(e, spec)
    local index = position(l, code[at])
    local old = call("LINDEX", l.key, index)
    local value, result = apply(op, old, spec, at + 1, n - 1)
    if value then
      touch(e)
      record(l, undoSet, index, old)
      call("LSET", l.key, index, value)
    end
    return result
  end
  local old = field(e, spec.f)
  local value, result = apply(op, old, spec, at, n)
  if value ~= nil then write(e, spec.f, value, old) end
  return result
end

-- The version, each field, then each collection.
local function readEntity(e, spec)
  if e.exists == false then return false end
  local found = call("HMGET", e.key, "$v", unpack(spec.fs))
  if e.exists == nil and not seen(e, found[1] ~= false or call("EXISTS", e.key) == 1) then return false end
  for _, c in ipairs(spec.cs) do found[#found + 1] = range(list(e, c), 0, SAFE) end
  return found
end

local function writeEntity(e, spec, at)
  local pairs, fields = {}, {}
  for i, name in ipairs(spec.fs) do
    local text = code[at + i - 1]
    if text then pairs[#pairs + 1], pairs[#pairs + 2], fields[name] = name, text, true end
  end
  replace(e, pairs, fields)
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
  remove(e)
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
  if op < OP.append and not spec.at then return onCell(op, e, spec, pc + 4, code[pc + 3]) end
  if not exists(e) then return fail("missing") end
  if op < OP.append then return onCell(op, e, spec, pc + 4, code[pc + 3]) end
  return onList(op, e, spec, pc + 4, code[pc + 3])
end
