-- Programs of several operations on fields of one entity, and of jumps: all fields are read at once, and written when the last
-- operation has succeeded, so there is nothing to undo. By the general way go attempts, operands, and a version that is odd.
local names, content, isNew = { "$v" }, { "$v" }, {} -- by slot, for all such programs: making new ones costs more
local slots = {} -- by name, above what was of the programs before

-- Gives where the next program begins; nothing where this one isn't such a program.
return function(pc, count, head)
  local at, index, base, last = pc, code[pc + 1], ordinal * 1024, 1
  for _ = 1, count do
    local op = code[at]
    if op >= OP.get then
      local spec = specs[code[at + 2]]
      if op > OP.power or op > OP.isSet and op < OP.increment or code[at + 1] ~= index or spec.of then return end
      local name = spec.f
      local slot = slots[name]
      if not slot or slot < base then
        last = last + 1
        names[last], isNew[last], slots[name] = name, false, base + last
      end
    elseif op >= OP.attempt or at == pc then
      return
    end
    at = at + 4 + code[at + 3]
  end
  local key, isChanged, isShorter, flag, expiry, lives = KEYS[index], false, false, false, nil, nil
  step = 1
  local texts = call("HMGET", key, unpack(names, 1, last))
  local version = texts[1]
  if not version then
    if call("EXISTS", key) == 0 then return fail("missing") end
    version = 0
  elseif #version > 16 or not find(version, "^[1-9]%d*$") then
    return
  end
  at = pc
  local i = 1
  while i <= count do
    local op, n = code[at], code[at + 3]
    at, step, size = at + 4, i, head + i
    if op < OP.get then
      local result, skipped
      if not more then more = besides() end
      result, skipped, flag = more.steer(op, at, flag)
      out[size] = result
      for j = i + 1, i + skipped do
        out[head + j] = false
        at = at + n
        n = 4 + code[at + 3]
      end
      i = i + skipped
    else
      local spec = specs[code[at - 2]]
      local slot = slots[spec.f] - base
      local text = texts[slot]
      local value, result = nil, text
      if op == OP.increment and text then
        value = plus(text, spec, at, n)
        result = value
      end
      if op ~= OP.get and not value then
        if not apply then apply, numeric = cells() end
        value, result = apply(op, text, spec, at, n)
        if op >= OP.compare and op <= OP.isSet then flag = result == 1 end
      end
      if value ~= nil then
        texts[slot], isNew[slot], isChanged = value, true, true
        if not value then isShorter = true end
      end
      out[size] = result
      local life = spec.life
      if life and (value ~= nil or life.access) then
        if not more then more = besides() end
        local target, current = more.due(key, life, expiry)
        expiry = target or current
        if target then lives = { life, lives } end
      end
    end
    at, i = at + n, i + 1
  end
  size = head + count
  if isChanged then
    local filled = 2
    content[2] = format("%d", version + 1)
    for slot = 2, last do
      local text = isNew[slot] and texts[slot]
      if text then
        content[filled + 1], content[filled + 2] = names[slot], text
        filled = filled + 2
      end
    end
    call("HSET", key, unpack(content, 1, filled))
    if isShorter then
      for slot = 2, last do
        if isNew[slot] and not texts[slot] then call("HDEL", key, names[slot]) end
      end
    end
  end
  while lives do
    more.prolong(key, lives[1].cs, expiry)
    lives = lives[2]
  end
  return at
end
