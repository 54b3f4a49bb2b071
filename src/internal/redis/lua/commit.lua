-- The end of a program that has succeeded: sets expiries, publishes messages, and removes keys and elements. An error
-- before the first of these, which sets `isFinal`, still undoes the program.
-- uses: call (input) · dropped (call) · appends, deleted, deletedCount, droppedCount, droppedKeys,
--   expiries, expiryChangeCount, indexedCount, indexes, isFinal, journalSize, messageCount, messages, opened, openedCount,
--   openedInOrder, ownerCount (program) · needExpiries (instruction)

-- Removes the keys of other forms. Most of them are missing, and in a cluster slot that is moving a missing key is an error.
local function removeForms()
  local keys = {}
  for i = 1, droppedCount do
    local key = droppedKeys[i]
    local c = opened[key]
    if dropped[key] and not (c and c.count > 0) then keys[#keys + 1] = key end
  end
  for from = 1, #keys, 1000 do
    local last = from + 999 < #keys and from + 999 or #keys
    if type(redis.pcall("UNLINK", unpack(keys, from, last))) == "table" then
      for i = from, last do redis.pcall("UNLINK", keys[i]) end
    end
  end
end

local function commit()
  local isExpiring = expiryChangeCount > 0
  -- a new collection gets the expiry of its entity
  for i = 1, openedCount do isExpiring = isExpiring or not openedInOrder[i].stored and openedInOrder[i].count > 0 end
  if isExpiring then
    needExpiries()
    expiries.commit()
  end
  for i = 1, messageCount, 2 do
    call("PUBLISH", messages[i], messages[i + 1])
    isFinal = true
  end
  for i = 1, deletedCount do
    local e = deleted[i]
    if not e.exists and e.stored then
      call("UNLINK", e.key)
      e.stored, isFinal = false, true
    end
  end
  if droppedCount > 0 then
    removeForms()
    isFinal = true
  end
  for i = 1, openedCount do
    local c = openedInOrder[i]
    if c.skip > 0 or c.void then
      if c.count == 0 then call("UNLINK", c.key) else call("LTRIM", c.key, c.skip, -1) end
      isFinal = true
    end
  end
end

local function finish()
  if ownerCount > 0 then appends.settleOwners() end
  if indexedCount > 0 then indexes.flush() end
  if deletedCount > 0 or openedCount > 0 or expiryChangeCount > 0 or messageCount > 0 or droppedCount > 0 then
    commit()
    if droppedCount > 0 then dropped, droppedCount = {}, 0 end
  end
  if indexedCount > 0 then indexes.finish() end
  journalSize, isFinal = 0, false
end
