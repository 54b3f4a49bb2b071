local list, named -- made when first needed

local function familyOf(c)
  if c.kind == "list" then
    if not list then list = lists() end
    return list
  end
  if not named then named = collections() end
  return named
end

local function refill(c, items, first, last, other)
  if last < first then return discard(c) end
  if not c.kind then return mistyped(c, other) end
  return familyOf(c).refill(c, items, first, last)
end

local function onPart(op, c, spec, at, n)
  if not c.kind then return mistyped(c) end
  if op == OP.size then return c.count end
  if op == OP.values then return contents(c) end
  if op == OP.clearAll or op == OP.replace then
    if op == OP.replace or c.count > 0 then
      touch(c.e)
      refill(c, code, at, at + n - 1)
    end
    return 1
  end
  if op == OP.loadSize then return c.count end
  if op == OP.compareSize then return more.holds(code[at], c.count, code[at + 1]) end
  local family = familyOf(c)
  return (op < OP.size and family.onCell or family.operate)(op, c, spec, at, n)
end

return {
  onPart = onPart,
  collection = collection,
  refill = refill,
  discard = discard,
  contents = contents,
  mistyped = mistyped,
  guarded = guarded
}
