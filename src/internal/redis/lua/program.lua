-- The state of the program that takes the general path. `runGeneral` resets it at the start of each program, and `finish` or
-- `undoProgram` resets `journalSize` and `isFinal` at its end.
-- uses: clock, helpers (call) · makeHelpers (order)
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
local isFinal = false -- whether the commit has done anything that the journal cannot undo

-- Tables of functions, and a function, of the lazy families. Each is unset until its family is made.
local expiries, collections, drops, writeEntity
