-- Operations of any collection, and the choice between those of its kind.
-- uses: code (input) · helpers (call) · drops (program) · touch (entity) · contents, discard,
--   failWrongType, lookAtOther, openCollection (collectionState) · makeLists, makeNamed (order)
local lists, named

local function operationsOf(c)
  if c.kind == "list" then
    if not lists then lists = makeLists() end
    return lists
  end
  if not named then named = makeNamed() end
  return named
end

local function replace(c, items, first, last, other)
  if last < first then return discard(c) end
  if not c.kind then return failWrongType(c, other) end
  return operationsOf(c).replace(c, items, first, last)
end

local function onCollection(op, c, spec, at, n)
  if not c.kind then return failWrongType(c) end
  if c.count == 0 then drops.leave(c.entity, spec, true, op == OP.clearAll or op == OP.replace) end
  if op == OP.size then return c.count end
  if op == OP.values then return contents(c) end
  if op == OP.clearAll or op == OP.replace then
    if op == OP.replace or c.count > 0 then
      touch(c.entity)
      replace(c, code, at, at + n - 1)
    end
    return 1
  end
  if op == OP.loadSize then return c.count end
  if op == OP.compareSize then return helpers.compare(code[at], c.count, code[at + 1]) end
  local operations = operationsOf(c)
  return (op <= LAST.scalar and operations.onScalar or operations.operate)(op, c, spec, at, n)
end

return {
  run = onCollection,
  open = openCollection,
  replace = replace,
  discard = discard,
  contents = contents,
  failWrongType = failWrongType,
  lookAtOther = lookAtOther
}
