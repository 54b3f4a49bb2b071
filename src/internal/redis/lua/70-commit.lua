-- The end of a program that has succeeded. Values first; what removes comes last, since in a cluster slot that is moving a
-- removed key is elsewhere. A refusal by the server before the first removal still undoes the program.
local removing = false

local function unwrite(e, args)
  if not e.existed then
    call("UNLINK", e.key)
    return
  end
  local stale = {}
  for i = 2, #args, 2 do
    local name, old = args[i], nil
    if name == "$v" then old = e.stored > 0 and format("%d", e.stored) else old = e.before[name] end
    if old then call("HSET", e.key, name, old) else stale[#stale + 1] = name end
  end
  if #stale > 0 then call("HDEL", e.key, unpack(stale)) end
end

local function store(e, removals)
  if not e.exists then
    if e.existed then removals[#removals + 1] = { "UNLINK", e.key } end
    return
  end
  local args, count = { e.key, "$v", format("%d", e.version) }, 3
  local stale = { "HDEL", e.key }
  if e.whole then
    e.before = {}
    if e.existed then
      local old = call("HGETALL", e.key)
      for i = 1, #old, 2 do
        e.before[old[i]] = old[i + 1]
        if old[i] ~= "$v" and not e.fields[old[i]] then stale[#stale + 1] = old[i] end
      end
    end
    for name, value in pairs(e.fields) do
      if value then args[count + 1], args[count + 2], count = name, value, count + 2 end
    end
  elseif e.before then
    for name, old in pairs(e.before) do
      local value = e.fields[name]
      if value then
        args[count + 1], args[count + 2], count = name, value, count + 2
      elseif old then
        stale[#stale + 1] = name
      end
    end
  end
  call("HSET", unpack(args, 1, count))
  record(e, unwrite, args)
  if #stale > 2 then removals[#removals + 1] = stale end
end

local function commit()
  local removals = {}
  for i = 1, changes do
    local e = changed[i]
    if e.version ~= e.stored then store(e, removals) end
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
