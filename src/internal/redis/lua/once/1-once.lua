-- What became of a program stands under its token, in a hash with others; or, where the caller has a key for it, in a hash of
-- its own, with the digest of the program. Only a success is kept: what failed has changed nothing.
local AGAIN, SEAL = 1, 2
local LARGEST = 4096
local place, token, mode, life, digest -- of the program that runs
local expiring = {} -- the hashes that were seen to expire

local function store(...)
  call("HSET", place, ...)
  if digest or not expiring[place] and call("HLEN", place) == 1 then
    if not more then more = besides() end
    more.clock()
    call("PEXPIREAT", place, format("%.0f", millis + life))
  end
  expiring[place] = true
end

-- What the caller is told instead of running the program; nothing where it is to run.
local function known(at)
  place, token, mode, life, digest = KEYS[code[at]], code[at + 1], code[at + 2], code[at + 3], code[at + 4]
  local stored
  if digest then
    local found = call("HMGET", place, "$r", "$d", token)
    if found[1] and found[2] ~= digest then return { "conflict" } end
    stored = found[1] or found[3]
  else
    stored = call("HGET", place, token)
  end
  if stored == "applied" then return { "applied" } end
  if stored and stored ~= "cancelled" then return { "once", stored } end
  if not stored then
    if mode ~= SEAL then return end
    store(token, "cancelled")
  end
  return { "sealed" }
end

-- The results as text: the caller reads them, no script does. After the program nothing may fail any more.
local function keep(head, size)
  local results = {}
  for i = head + 1, size do results[i - head] = out[i] end
  local text = cjson.encode(results)
  if #text > LARGEST then text = "applied" end
  local stored, why
  if digest then
    stored, why = pcall(store, "$r", text, "$d", digest)
  else
    stored, why = pcall(store, token, text)
  end
  if stored then return end
  for i = head + 1, size do out[i] = nil end
  return { "broken", 1, type(why) == "table" and why.err or why }
end

-- A failure that the caller is told of is final: an earlier attempt, which may be late, must not succeed after it.
local function cancel()
  if mode == AGAIN then pcall(store, token, "cancelled") end
end

return known, keep, cancel
