-- Entities that are made, replaced, deleted.

-- Looks first as is cheapest for one that most often is not there.
local function absent(e)
  if e.exists == nil and call("EXISTS", e.key) == 0 then seen(e, false) end
  return not exists(e)
end

local function undoInsert(e)
  call("UNLINK", e.key)
end

local function undoReplace(e, added, old)
  if #added > 0 then chunked("HDEL", e.key, added, 1, #added) end
  if #old > 0 then chunked("HSET", e.key, old, 1, #old) end
end

local function present(e, is)
  record(e, "exists", e.exists)
  e.exists = is
end

-- Writes every field, in place of all that are stored.
local function replace(e, content, fields)
  if not e.stored then
    content[#content + 1], content[#content + 2] = "$v", format("%d", now + ordinal)
    chunked("HSET", e.key, content, 1, #content)
    record(e, undoInsert)
    record(e, "stored", false)
    record(e, "changed", false)
    e.stored, e.changed, e.wrote = true, true, true
  else
    touch(e)
    local found, old, known, stale, added = call("HGETALL", e.key), {}, {}, {}, {}
    for i = 1, #found, 2 do
      local name = found[i]
      if name ~= "$v" then
        old[#old + 1], old[#old + 2], known[name] = name, found[i + 1], true
        if not fields[name] then stale[#stale + 1] = name end
      end
    end
    for i = 1, #content, 2 do
      if not known[content[i]] then added[#added + 1] = content[i] end
    end
    chunked("HSET", e.key, content, 1, #content)
    chunked("HDEL", e.key, stale, 1, #stale)
    record(e, undoReplace, added, old)
  end
  present(e, true)
end

local function remove(e)
  touch(e)
  present(e, false)
  goneCount = goneCount + 1
  gone[goneCount] = e
end

-- A new one lives as long as it is told, also what others left under its keys.
local function born(e, spec, life, isStored)
  local isLeft = isStored
  for _, c in ipairs(spec.cs) do isLeft = isLeft or parted.collection(e, c).stored end
  local at = life and millis + life
  if life or isLeft then expiring.arm(e, at, spec) else expiring.settle(e, at) end
  made = e
end

local function writeEntity(e, spec, at)
  local content, fields, isNew, isStored = {}, {}, not e.exists, e.stored
  for i, name in ipairs(spec.fs) do
    local text = code[at + i]
    if text then content[#content + 1], content[#content + 2], fields[name] = name, text, true end
  end
  replace(e, content, fields)
  if isNew then born(e, spec, code[at], isStored) end
  at = at + 1 + #spec.fs
  for _, c in ipairs(spec.cs) do
    local count = code[at]
    parted.refill(parted.collection(e, c), code, at + 1, at + count)
    at = at + 1 + count
  end
  return 1
end

local function duplicate(e, spec, at)
  local copy, copySpec = entity(code[at]), specs[code[at + 1]]
  if not parted.guarded(absent, copy) then return fail("exists", 1) end
  for _, part in ipairs(spec.cs) do
    local c = parted.collection(e, part)
    if not c.kind and c.count > 0 then return parted.mistyped(c) end
  end
  for _, c in ipairs(copySpec.cs) do parted.collection(copy, c) end
  local isStored, found, content, fields = copy.stored, call("HGETALL", e.key), {}, {}
  for i = 1, #found, 2 do
    if found[i] ~= "$v" then
      content[#content + 1], content[#content + 2], fields[found[i]] = found[i], found[i + 1], true
    end
  end
  replace(copy, content, fields)
  born(copy, copySpec, code[at + 2], isStored)
  for i, c in ipairs(spec.cs) do
    local items = parted.contents(parted.collection(e, c))
    parted.refill(parted.collection(copy, copySpec.cs[i]), items, 1, #items, 1)
  end
  return 1
end

local function onWrite(op, e, spec, at)
  if op == OP.insert then return absent(e) and writeEntity(e, spec, at) or fail("exists") end
  if op == OP.put then
    absent(e)
    return writeEntity(e, spec, at)
  end
  if op == OP.getOrInsert then return absent(e) and writeEntity(e, spec, at) or readEntity(e, spec) end
  if op == OP.ensure then return absent(e) and writeEntity(e, spec, at) or 0 end
  if op == OP.duplicate then return exists(e) and duplicate(e, spec, at) or fail("missing") end
  if not exists(e) then return 0 end
  remove(e)
  for _, c in ipairs(spec.cs) do parted.discard(parted.collection(e, c)) end
  return 1
end

return onWrite
