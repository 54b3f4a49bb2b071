-- Operations of sets alone: the algebra with a second set, and `popAny`.
-- uses: call, code, specs (input) · fail (call) · drops, spend (program) · entityAt, exists (entity) ·
--   contents, failWrongType, lookAtOther, openCollection (collectionState) · takeOut (edit)

-- Errors of the second set carry a mark, so that the client reports them for the right entity.
local function secondSet(e, spec)
  if not lookAtOther(exists, e) then return fail("missing", 1) end
  local c = openCollection(e, spec)
  if c.count == 0 then drops.leave(e, spec, true, false, true) end
  return c.kind and c or failWrongType(c, 1)
end

local function algebra(op, c, at)
  local o = secondSet(entityAt(code[at]), specs[code[at + 1]])
  if c.count == 0 or o.count == 0 then
    if op == OP.intersection or c.count + o.count == 0 then return {} end
    if c.count > 0 then return contents(c) end
    return op == OP.union and contents(o) or {}
  end
  spend(15 * (c.count + o.count))
  return call(op == OP.union and "SUNION" or op == OP.intersection and "SINTER" or "SDIFF", c.key, o.key)
end

local function popAnyMember(c, spec, wanted)
  if wanted then
    local members = c.count > 0 and call("SRANDMEMBER", c.key, wanted) or {}
    if #members > 0 then takeOut(c, spec, members, members) end
    return members
  end
  if c.count == 0 then return false end
  local member = call("SRANDMEMBER", c.key)
  takeOut(c, spec, { member }, { member })
  return member
end
