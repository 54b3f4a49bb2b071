-- What became of a program stands under a token. The programs of a call share one, and with it a field of a hash, which holds
-- what became of each of them, by its position: one text that was its result; or all results as JSON, in a list of one, since
-- no script reads them; or one of the numbers below. Where the caller has a key for a program, that has a hash of its own,
-- with the digest of the program. Only a success is kept: what failed has changed nothing.
local APPLIED, CANCELLED = 1, 2
local AGAIN, SEAL = 1, 2
local place, token, mode, life, digest -- of the program that runs
local fields, field = {}, nil -- those of this call, by place and token, and the one of the program that runs

local function expire()
  clock()
  call("PEXPIREAT", place, format("%.0f", millis + life))
end

-- Its last position.
local function measure()
  if field and position > field.last then field.last = position end
end

-- Before the first program of a field: its hash is written to already here, so that no program has run when the server
-- refuses that.
local function open()
  local name = place .. token
  field = fields[name]
  if not field then
    local found
    if call("HSET", place, "$", "") == 1 then
      expire()
    else
      local stored = call("HGET", place, token)
      found = stored and cjson.decode(stored)
    end
    field = { place = place, token = token, kept = found or {}, last = found and #found or 0 }
    fields[name] = field
  end
  kept = field.kept
end

local function store(...)
  call("HSET", place, ...)
  expire()
end

-- Of a program with a key of its caller.
local function owned()
  local found = call("HMGET", place, "$r", "$d", token)
  if found[1] and found[2] ~= digest then return "conflict" end
  local text = found[1] or found[3]
  if text == "applied" then return APPLIED end
  if text == "cancelled" then return CANCELLED end
  return text and { text }
end

-- What the caller is told instead of running the program; nothing where it is to run.
local function known(at)
  local stored
  if code[at] == -1 then
    measure()
    kept, field, digest = nil, nil, nil
    local which
    place, token, mode, life, which = KEYS[code[at + 1]], code[at + 2], code[at + 3], code[at + 4], code[at + 5]
    if type(which) == "number" then position = which else digest = which end
  else
    position = position + 1
  end
  if digest then
    stored = owned()
    if stored == "conflict" then return { "conflict" } end
  else
    if not kept then open() end
    stored = kept[position]
  end
  if stored == APPLIED then return { "applied" } end
  if stored and stored ~= CANCELLED then return { "once", stored } end
  if not stored then
    if mode ~= SEAL then return end
    if digest then store(token, "cancelled") else kept[position] = CANCELLED end
  end
  return { "sealed" }
end

local function keep(head, size)
  local results = {}
  for i = head + 1, size do results[i - head] = out[i] end
  local text = cjson.encode(results)
  local isKept = #text <= LARGEST
  if not digest then
    kept[position] = isKept and { text } or APPLIED
    return
  end
  -- after the program nothing may fail any more
  local stored, why = pcall(store, "$r", isKept and text or "applied", "$d", digest)
  if stored then return end
  for i = head + 1, size do out[i] = nil end
  return { "broken", 1, type(why) == "table" and why.err or why }
end

-- A failure that the caller is told of is final: an earlier attempt, which may be late, must not succeed after it.
local function cancel()
  if mode ~= AGAIN then return end
  if digest then pcall(store, token, "cancelled") else kept[position] = CANCELLED end
end

-- Writes what became of the programs of this call, in the same script as what they did.
local function settle()
  measure()
  for _, each in pairs(fields) do
    local all = each.kept
    for i = 1, each.last do all[i] = all[i] or false end
    call("HSET", each.place, each.token, cjson.encode(all))
  end
end

return known, keep, cancel, settle
