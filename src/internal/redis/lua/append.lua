-- Appends to texts. An appended text is joined and written only when another instruction needs it, or at the end of the
-- program, because to write it with each append would cost its whole length each time. Until then its pieces wait, and the
-- journal keeps how to remove a piece instead of the text before it.
-- uses: call, code (input) · appended, fail (call) · owners, ownerCount, spend (program) · record
--   (journal) · touch (entity)

-- An owner is an entity, a list or a map. `owner.pending` has, by the name of a field or entry or the position of an item in
-- the key, the pieces of its text: the first is what is stored, and with
--   count   how many pieces there are
--   bytes   the length of all of them
--   length  the same in UTF-16 units

local function store(owner, id, text)
  call(owner.kind == "list" and "LSET" or "HSET", owner.key, id, text)
end

local function undoPiece(pieces, bytes, length)
  pieces[pieces.count] = nil
  pieces.count, pieces.bytes, pieces.length = pieces.count - 1, bytes, length
end

local function undoSettle(owner, id, pieces)
  store(owner, id, pieces[1])
  owner.pending[id] = pieces
end

-- Returns the text, written to the key if it was not; nil if nothing is known of it.
local function settle(owner, id)
  local pieces = owner.pending[id]
  if not pieces then return end
  if pieces.count == 1 then return pieces[1] end
  local text = table.concat(pieces, "", 1, pieces.count)
  spend(#text / 4) -- the journal keeps the text before
  store(owner, id, text)
  record(owner, undoSettle, id, pieces)
  owner.pending[id] = { text, count = 1, bytes = pieces.bytes, length = pieces.length }
  return text
end

-- Comes before an instruction writes the text in another way.
local function forget(owner, id)
  local pieces = owner.pending[id]
  if pieces then
    record(owner.pending, id, pieces)
    owner.pending[id] = nil
  end
end

-- Comes before an instruction moves or replaces what the owner holds.
local function forgetAll(owner)
  record(owner, "pending", owner.pending)
  owner.pending = nil
end

local function settleAll(owner)
  for id in pairs(owner.pending or {}) do settle(owner, id) end
end

-- Comes at the end of a program.
local function settleOwners()
  for i = 1, ownerCount do
    local owner = owners[i]
    if (owner.entity or owner).exists then settleAll(owner) end
  end
end

-- Appends the argument at `at`, and returns the new length. Returns nothing if no text is stored. `read` reads it.
local function append(owner, id, read, spec, at)
  local pieces, added = owner.pending and owner.pending[id], code[at]
  if not pieces then
    local text = read(owner, id)
    if not text or spec.z and text == "null" then return end
    appended.checkBytes(#text + #added)
    pieces = { text, count = 1, bytes = #text, length = appended.lengthOf(text) }
    if not owner.pending then
      owner.pending = {}
      ownerCount = ownerCount + 1
      owners[ownerCount] = owner
    end
    owner.pending[id] = pieces
    record(owner.pending, id) -- undone with the write before it, because its text may be that of a failed attempt
  elseif owner.exists == false then
    return fail("missing")
  end
  local bytes = pieces.bytes + #added
  appended.checkBytes(bytes)
  local length = appended.checkLength(pieces.length + appended.lengthOf(added), spec)
  touch(owner.entity or owner)
  record(pieces, undoPiece, pieces.bytes, pieces.length)
  local count = pieces.count + 1
  pieces[count], pieces.count, pieces.bytes, pieces.length = added, count, bytes, length
  return length
end

return {
  append = append,
  settle = settle,
  settleAll = settleAll,
  settleOwners = settleOwners,
  forget = forget,
  forgetAll = forgetAll
}
