-- The end of a program that has succeeded. Values first; what removes comes last, since in a cluster slot that is moving a
-- removed key is elsewhere. A refusal by the server before the first removal still undoes the program.
local removing = false

-- No version and 0 are the same; but a hash that had nothing else had that.
local function undoVersion(e)
  if call("HINCRBY", e.key, "$v", "-1") == 0 and call("HLEN", e.key) > 1 then call("HDEL", e.key, "$v") end
end

local function undoInsert(e)
  call("UNLINK", e.key)
end

local function undoFields(e, args)
  local stale = { "HDEL", e.key }
  for i = 2, #args, 2 do
    local old = e.before[args[i]]
    if old then call("HSET", e.key, args[i], old) else stale[#stale + 1] = args[i] end
  end
  if #stale > 2 then call(unpack(stale)) end
end

local function removeFields(removals, key, names)
  for from = 1, #names, 1000 do
    removals[#removals + 1] = { "HDEL", key, unpack(names, from, from + 999 < #names and from + 999 or #names) }
  end
end

local function store(e, removals)
  if not e.exists then
    if e.existed then removals[#removals + 1] = { "UNLINK", e.key } end
    return
  end
  local args, count, stale = { e.key }, 1, {}
  if e.whole then
    e.before = {}
    local old = e.existed and call("HGETALL", e.key) or {}
    for i = 1, #old, 2 do
      if old[i] ~= "$v" then
        e.before[old[i]] = old[i + 1]
        if not e.fields[old[i]] then stale[#stale + 1] = old[i] end
      end
    end
  end
  for name, value in pairs(e.fields) do
    local old = e.before[name]
    if value and value ~= old then
      args[count + 1], args[count + 2], count = name, value, count + 2
    elseif old and not value and not e.whole then
      stale[#stale + 1] = name
    end
  end
  if e.existed then
    step = e.step -- a version that can't grow is the error of what first changed the entity
    call("HINCRBY", e.key, "$v", "1")
    record(e, undoVersion)
  else
    args[count + 1], args[count + 2], count = "$v", format("%d", now), count + 2
  end
  if count > 1 then
    call("HSET", unpack(args, 1, count))
    record(e, e.existed and undoFields or undoInsert, args)
  end
  removeFields(removals, e.key, stale)
end

local function commit()
  local removals = {}
  for i = 1, changes do
    store(changed[i], removals)
  end
  for i = 1, listedCount do
    local l = listed[i]
    if l.skip > 0 then
      removals[#removals + 1] = l.skip == l.length and { "UNLINK", l.key } or { "LTRIM", l.key, l.skip, -1 }
    end
  end
  for _, removal in ipairs(removals) do
    call(unpack(removal))
    removing = true
  end
end
