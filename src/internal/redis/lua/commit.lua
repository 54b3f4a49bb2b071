-- The end of a program that has succeeded: only now keys are removed, since in a cluster slot that is moving a removed key is
-- elsewhere. A refusal by the server before the first change that stays still undoes the program.
local function commit()
  local isExpiring = armedCount > 0
  -- a collection that appears expires with its entity
  for i = 1, orderCount do isExpiring = isExpiring or not order[i].stored and order[i].count > 0 end
  if isExpiring then
    needExpiry()
    expiring.expireAll()
  end
  for i = 1, messageCount, 2 do
    call("PUBLISH", messages[i], messages[i + 1])
    isFinal = true
  end
  for i = 1, goneCount do
    local e = gone[i]
    if not e.exists and e.stored then
      call("UNLINK", e.key)
      e.stored, isFinal = false, true
    end
  end
  for i = 1, orderCount do
    local c = order[i]
    if c.skip > 0 or c.void then
      if c.count == 0 then call("UNLINK", c.key) else call("LTRIM", c.key, c.skip, -1) end
      isFinal = true
    end
  end
end

local function finish()
  if goneCount > 0 or orderCount > 0 or armedCount > 0 or messageCount > 0 then commit() end
  top, isFinal = 0, false
end
