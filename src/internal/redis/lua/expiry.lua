-- Expiries. An instruction only notes that an entity's expiry changes; the commit sets it for all keys of the entity.
-- uses: call, format, nowMillis (input) · expiryChangeCount, expiryChanges, isFinal, opened, openedCount, openedInOrder
--   (program) · chunked, record (journal)

-- Returns when the entity expires after the changes of the program: milliseconds of the clock, or false for never.
local function expiryOf(e)
  if e.expiresAt == nil then
    local at = call("PEXPIRETIME", e.key)
    e.expiresAt = at >= 0 and at
  end
  return e.expiresAt
end

local function setExpiry(e, at)
  record(e, "expiresAt", e.expiresAt)
  e.expiresAt = at
end

local function undoSchedule(e)
  e.expiryNames = nil
  expiryChangeCount = expiryChangeCount - 1
end

-- The names of other forms are marked, because their keys are usually missing.
local function addName(e, name, mark)
  if not e.expiryNames[name] then
    e.expiryNames[name] = mark
    record(e.expiryNames, name)
  end
end

-- Notes the expiry that the commit sets for the entity, all its collections, and other forms: `former` has what follows the key of
-- the entity in theirs.
local function schedule(e, at, spec, former)
  setExpiry(e, at)
  if not e.expiryNames then
    e.expiryNames = {}
    expiryChangeCount = expiryChangeCount + 1
    expiryChanges[expiryChangeCount] = e
    record(e, undoSchedule)
  end
  for _, c in ipairs(spec.cs or {}) do addName(e, c.f, "collection") end
  for _, name in ipairs(spec.life and spec.life.cs or {}) do addName(e, name, "collection") end
  for _, suffix in ipairs(former) do addName(e, string.sub(suffix, 2), "former") end
end

-- An entity that never expires gets no expiry here.
local function renew(e, spec)
  local renewal, at = spec.life, expiryOf(e)
  local least = nowMillis + renewal.ms
  if at and at < least then schedule(e, least + renewal.slack, spec, renewal.fo) end
end

local function applyExpiry(key, at)
  if at then call("PEXPIREAT", key, format("%.0f", at)) else call("PERSIST", key) end
  isFinal = true
end

-- Sets all expiries. Before that it looks at the collections that the program has not opened, because in a cluster slot
-- that is moving one may be elsewhere: the program then fails while it still can be undone.
local function commitExpiries()
  local unknown, appeared = {}, {}
  for i = 1, expiryChangeCount do
    local e = expiryChanges[i]
    for name, mark in pairs(e.exists and e.expiryNames or {}) do
      local key = e.key .. ":" .. name
      if mark == "collection" and not opened[key] then unknown[#unknown + 1] = key end
    end
  end
  if #unknown > 0 then chunked("EXISTS", unknown[1], unknown, 1, #unknown) end
  for i = 1, openedCount do
    local c = openedInOrder[i]
    local names = c.entity.expiryNames
    if not c.stored and c.count > 0 and not (names and names[c.name]) and expiryOf(c.entity) then
      appeared[#appeared + 1] = c
    end
  end
  for i = 1, expiryChangeCount do
    local e = expiryChanges[i]
    if e.exists then
      applyExpiry(e.key, e.expiresAt)
      for name, mark in pairs(e.expiryNames) do
        local key = e.key .. ":" .. name
        local c = opened[key]
        if mark == "former" then
          -- in a cluster slot that is moving, a missing key is an error
          pcall(applyExpiry, key, e.expiresAt)
        elseif not c or c.count > 0 then
          applyExpiry(key, e.expiresAt)
        end
      end
    end
  end
  for i = 1, #appeared do applyExpiry(appeared[i].key, appeared[i].entity.expiresAt) end
end

return { expiresAt = expiryOf, set = setExpiry, schedule = schedule, renew = renew, commit = commitExpiries }
