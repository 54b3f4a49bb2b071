-- The fast path of programs with several operations on scalars of one hash, with tests and jumps. It reads all fields at
-- once, computes, and writes them after the last operation has succeeded, so there is nothing to undo. Programs with
-- attempts, operands or a version that is not a number take the general path.
-- uses: call, code, find, format, ordinal, reply, replySize, specs (input) · addInteger, appended,
--   applyScalar, fail, forms, helpers, numberKind, step (call) · makeForms, makeHelpers, makeScalars
--   (order)

-- Each field of the program has a slot. The tables are shared by all programs of the batch, because new ones cost more.
local names, content, isNew = { "$v" }, { "$v" }, {} -- `names` and `isNew` by slot
local slots = {} -- by name; the slots of earlier programs are below `base`

-- Whether a missing field of the program is stored in another form.
local function hasForms(key, texts, pc, count, base, last)
  local isMissing = false
  for slot = 2, last do isMissing = isMissing or not texts[slot] end
  if not isMissing then return false end
  if not forms then forms = makeForms() end
  local hashNames = call("HKEYS", key)
  for _ = 1, count do
    local spec = code[pc] >= FIRST.scalar and specs[code[pc + 2]]
    if spec and not texts[slots[spec.f] - base] and forms.find(key, spec, false, hashNames) then return true end
    pc = pc + 4 + code[pc + 3]
  end
  return false
end

-- Returns the position after the program, or nothing if the program must take the general path.
return function(pc, count, head)
  local at, index, base, last = pc, code[pc + 1], ordinal * 1024, 1
  for _ = 1, count do
    local op = code[at]
    if op >= FIRST.scalar then
      local spec = specs[code[at + 2]]
      if op > LAST.scalar or op == OP.load or op == OP.assign or code[at + 1] ~= index or spec.of then return end
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
  local key, isChanged, hasRemoved, flag, expiresAt, renewals = KEYS[index], false, false, false, nil, nil
  step = 1
  local texts = call("HMGET", key, unpack(names, 1, last))
  local version = texts[1]
  if not version then
    if call("EXISTS", key) == 0 then return fail("missing") end
    version = 0
  elseif #version > 16 or not find(version, "^[1-9]%d*$") then
    return
  end
  if hasForms(key, texts, pc, count, base, last) then return end
  at = pc
  local i = 1
  while i <= count do
    local op, n = code[at], code[at + 3]
    at, step, replySize = at + 4, i, head + i
    if op <= LAST.flow then
      local result, skipped
      if not helpers then helpers = makeHelpers() end
      result, skipped, flag = helpers.branch(op, at, flag)
      reply[replySize] = result
      for j = i + 1, i + skipped do
        reply[head + j] = false
        at = at + n
        n = 4 + code[at + 3]
      end
      i = i + skipped
    else
      local spec = specs[code[at - 2]]
      local slot = slots[spec.f] - base
      local text = texts[slot]
      -- the general path joins the pieces of a long text once
      if op == OP.appendText and text and #text + #code[at] > 4096 then return end
      local value, result = nil, text
      if op == OP.increment and text then
        value = addInteger(text, spec, at, n)
        result = value
      end
      if op ~= OP.get and not value then
        if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
        value, result = applyScalar(op, text, spec, at, n)
        if OPS.scalar.isTest(op) then flag = result == 1 end
      end
      if value ~= nil then
        texts[slot], isNew[slot], isChanged = value, true, true
        if not value then hasRemoved = true end
      end
      reply[replySize] = result
      local expiry = spec.life
      if expiry and (value ~= nil or expiry.access) then
        if not helpers then helpers = makeHelpers() end
        local target, current = helpers.renewalDue(key, expiry, expiresAt)
        expiresAt = target or current
        if target then renewals = { expiry, renewals } end
      end
    end
    at, i = at + n, i + 1
  end
  replySize = head + count
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
    if hasRemoved then
      for slot = 2, last do
        if isNew[slot] and not texts[slot] then call("HDEL", key, names[slot]) end
      end
    end
  end
  while renewals do
    helpers.expireAt(key, renewals[1].cs, expiresAt, renewals[1].fo)
    renewals = renewals[2]
  end
  return at
end
