-- The state of the program that takes the general path. `runGeneral` resets it at the start of each program, and `finish` or
-- `undoProgram` resets `journalSize` and `isFinal` at its end.
-- uses: clock, fail, helpers (call) · makeHelpers (order)
if not helpers then helpers = makeHelpers() end
clock()

local entities = {} -- by position in KEYS: see `entityAt`
local created -- the entity that the running instruction has created, else unset
local deleted, deletedCount = {}, 0 -- entities whose keys the commit unlinks, unless the program has created them again
local expiryChanges, expiryChangeCount = {}, 0 -- entities whose expiry the commit sets
local opened, openedInOrder, openedCount = {}, {}, 0 -- collections, by key and in order: see `openCollection`
local droppedKeys, droppedCount = {}, 0 -- keys of other forms; the commit removes those that are in `dropped` too
local messages, messageCount = {}, 0 -- channel and text in turn, which the commit publishes
local journalSize = 0
local owners, ownerCount = {}, 0 -- what has texts with appended pieces: see append.lua
local indexed, indexedCount = {}, 0 -- entities whose index entries may have changed
local readingMember -- the id of an entity that is read for an index, else unset: a WRONGTYPE error is about its key
local isFinal = false -- whether the commit has done anything that the journal cannot undo

-- Tables of functions, and a function, of the lazy families. Each is unset until its family is made.
local expiries, collections, drops, writeEntity, appends, indexes

-- Bounds what a program reads and examines, because the server serves no one else meanwhile. A unit is about 20 ns:
-- one item that is examined, or four bytes of a result. `workOf…` in instruction/limits.ts says what costs how much.
-- A program's first large step is never refused, because it cannot be divided.
local MAX_WORK = 6000000
local work = 0
local function spend(units)
  local before = work
  work = before + units
  if units > 0 and work > MAX_WORK and before > 1000 then return fail("tooMuch") end
end

local function spendResult(result)
  if type(result) == "string" then
    if #result > 1000 then spend(#result / 4) end
  elseif type(result) == "table" then
    local units = 0
    for i = 1, #result do
      local part = result[i]
      if type(part) == "string" then
        units = units + 16 + #part / 4
      elseif type(part) == "table" then
        for j = 1, #part do units = units + 16 + #part[j] / 4 end
      end
    end
    spend(units)
  end
end
