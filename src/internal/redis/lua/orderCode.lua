-- Encodes stored texts of scalars so that the order of the bytes is the order of the values. The twin of orderCode.ts, which says
-- how. Lua's `<` follows the server's locale, so nothing here compares texts.
-- uses: find, format (input) · MAX_SAFE (call) · abs, gsub, parse, rep, sub (numberText)
local byte, char, lower = string.byte, string.char, string.lower
local INFINITIES = { Infinity = 1 / 0, ["-Infinity"] = -1 / 0 }
local ESCAPES = { ["\0"] = "\1\1", ["\1"] = "\1\2" }
local CONTROLS = { ["\1"] = "\0", ["\2"] = "\1" }
local LONG = 26 -- the number of digits from which on it stands behind `z` or `A`, because it does not fit into a letter
local CHUNK = "%d" .. rep("%d?", 14) -- as many digits as a double holds exactly, behind a 1

local function escape(text)
  if find(text, "[%z\1]") then text = gsub(text, "[%z\1]", ESCAPES) end
  return text
end

-- Returns nine minus each digit. The 1 keeps leading zeros.
local function nineMinus(digits)
  if #digits > 15 then return (gsub(digits, CHUNK, nineMinus)) end
  return sub(format("%d", sub("1999999999999999", 1, #digits + 1) - digits), 2)
end

local function integer(text)
  if find(text, "^[1-9]%d*$") or text == "0" then
    local size = #text
    return (size < LONG and char(96 + size) or "z" .. integer(format("%d", size))) .. text
  end
  if find(text, "^%-[1-9]%d*$") then
    local size = #text - 1
    return (size < LONG and char(91 - size) or "A" .. integer(format("%d", -size))) .. nineMinus(sub(text, 2))
  end
  local _, _, sign, digits = find(text, "^(%-?)0*(%d+)$")
  if digits then return integer(digits == "0" and digits or sign .. digits) end
  local n = parse(text)
  return n and n % 1 == 0 and abs(n) <= MAX_SAFE and integer(format("%d", n)) or nil
end

local function double(text)
  local n = parse(text)
  if not n then
    n = INFINITIES[text]
    if not n then return nil end
  elseif n - n ~= 0 then
    return nil
  end
  -- a negative zero and 0 are 0
  local high, low = struct.unpack(">I4I4", struct.pack(">d", n + 0))
  if n < 0 then return format("%08x%08x", 4294967295 - high, 4294967295 - low) end
  return format("%08x%08x", high + 2147483648, low)
end

local function textOfJson(text)
  local _, _, plain = find(text, '^"([^"\\%c]*)"$')
  if plain then return plain end
  local isJson, values = pcall(cjson.decode, "[" .. text .. "]")
  return isJson and #values == 1 and type(values[1]) == "string" and values[1] or nil
end

-- Encodes a stored text, or returns nil if it has no place in the order. A missing text is nil.
local function encode(code, text)
  if not text then return find(code, "%u") and "0" or nil end
  if code == "i" then return integer(text) end
  if code == "s" then return escape(text) .. "\0" end
  if code == "d" then return double(text) end
  if code == "b" then return text == "true" and "1" or text == "false" and "0" or nil end
  if code == "j" then
    text = textOfJson(text)
    return text and escape(text) .. "\0"
  end
  local part = encode(lower(code), text)
  return part and "1" .. part
end

-- Returns the position behind the part that begins at `at`.
local function endOf(member, code, at)
  if code == "b" then return at + 1 end
  if code == "d" then return at + 16 end
  if code == "s" or code == "j" then return find(member, "\0", at, true) + 1 end
  if code ~= "i" then return byte(member, at) == 48 and at + 1 or endOf(member, lower(code), at + 1) end
  local letter = byte(member, at)
  local size = letter > 96 and letter - 96 or 91 - letter
  if size < LONG then return at + 1 + size end
  local finish = endOf(member, "i", at + 1)
  local digits = sub(member, at + 2, finish - 1)
  return finish + tonumber(letter > 96 and digits or nineMinus(digits))
end

-- Returns the id at the end of a member whose parts have these codes, a letter each.
local function idOf(member, codes)
  local at = 1
  for i = 1, #codes do at = endOf(member, sub(codes, i, i), at) end
  local id = gsub(sub(member, at), "\1(.)", CONTROLS)
  return id
end

-- A member is the parts of an entity, joined, and its escaped id.
return { encode = encode, escape = escape, idOf = idOf }
