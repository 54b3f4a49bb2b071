-- The sums of aggregates. A hash has what each entity adds, and behind a space its group; another one has the sum of each group. The
-- twin of memory/aggregates.ts.
-- uses: call, find, format (input) · appended, applyScalar, numberKind (call) · record (journal) · makeScalars (order)
local sub = string.sub

local function integers()
  if not applyScalar then applyScalar, numberKind, appended = makeScalars() end
  return numberKind("u")
end

local function negated(amount)
  return sub(amount, 1, 1) == "-" and sub(amount, 2) or "-" .. amount
end

-- Returns the sum of two integers. Doubles hold short ones exactly.
local function sumOf(a, b)
  if #a < 16 and #b < 16 then return format("%d", a + b) end
  return integers().sum(a, b)
end

-- Returns an amount and its group, or nothing if the text is no contribution.
local function split(contribution)
  if not contribution then return nil end
  local _, _, amount, group = find(contribution, "^(%-?%d+) (.*)$")
  return amount, group
end

-- Adds an amount to the sum of a group. A sum of 0 is not stored.
local function addTo(key, group, amount)
  local sum = redis.pcall("HINCRBY", key, group, amount)
  if type(sum) == "table" then
    -- it is beyond 64 bits
    local old = call("HGET", key, group)
    sum = sumOf(old and integers().valueOf(old, "u") or "0", amount)
    call("HSET", key, group, sum)
  end
  if sum == 0 or sum == "0" then call("HDEL", key, group) end
end

local function takeBack(key, group, amount)
  addTo(key, group, negated(amount))
end

local function add(key, group, amount)
  addTo(key, group, amount)
  record(key, takeBack, group, amount)
end

-- Replaces what an entity adds. It may be nothing before or after.
local function replace(key, old, new)
  local before, from = split(old)
  local amount, group = split(new)
  if group and from == group then return add(key, group, sumOf(amount, negated(before))) end
  if group then add(key, group, amount) end
  if from then add(key, from, negated(before)) end
end

-- Takes away what an entity adds that is gone. It is not journalled, because it is right whatever the program does.
local function take(key, old)
  local amount, group = split(old)
  if group then takeBack(key, group, amount) end
end

-- Compares the sums with what the entities add, and makes them equal if it may. Returns how many differ.
local function recount(key, contributions, isMending)
  local equal, sums, count = {}, {}, 0
  -- many entities add the same to one group, and to count them costs less than to add
  for _, contribution in ipairs(call("HVALS", contributions)) do equal[contribution] = (equal[contribution] or 0) + 1 end
  for contribution, times in pairs(equal) do
    local amount, group = split(contribution)
    if group and #amount < 8 then amount, times = format("%d", amount * times), 1 end
    for _ = 1, group and times or 0 do sums[group] = sumOf(sums[group] or "0", amount) end
  end
  local function compare(group, stored)
    local sum = sums[group] ~= "0" and sums[group] or nil
    sums[group] = nil
    if sum == stored then return end
    count = count + 1
    if not isMending then return end
    if sum then call("HSET", key, group, sum) else call("HDEL", key, group) end
  end
  local all = call("HGETALL", key)
  for i = 1, #all, 2 do compare(all[i], all[i + 1]) end
  for group in pairs(sums) do compare(group) end
  return count
end

return { replace = replace, take = take, recount = recount }
