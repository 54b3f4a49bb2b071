-- Encodes stored texts of scalars so that the order of the bytes is the order of the values. The twin of orderCode.ts, which says
-- how. Lua's `<` follows the server's locale, so nothing here compares texts.
-- uses: find, format (input) · MAX_SAFE (call) · parse (parseNumber)
local gsub, sub, char = string.gsub, string.sub, string.char
local ESCAPES = { ["\0"] = "\1\1", ["\1"] = "\1\2" }
local LONG = 26 -- the number of digits from which on it stands behind `z` or `A`, because it does not fit into a letter

local function escape(text)
  if find(text, "\0", 1, true) or find(text, "\1", 1, true) then text = gsub(text, "[%z\1]", ESCAPES) end
  return text
end

-- Returns nine minus each of at most 15 digits, which a double holds exactly behind the 1 that keeps leading zeros.
local function nineMinus(digits)
  return sub(format("%d", sub("1999999999999999", 1, #digits + 1) - digits), 2)
end

-- Returns an integer without leading zeros and without a negative zero, or nil.
local function whole(text)
  local _, _, sign, digits = find(text, "^(%-?)0*(%d+)$")
  if digits then return digits == "0" and digits or sign .. digits end
  local n = parse(text)
  return n and n % 1 == 0 and n <= MAX_SAFE and n >= -MAX_SAFE and format("%d", n) or nil
end

local function integer(text)
  if find(text, "^[1-9]%d*$") or text == "0" then
    local size = #text
    return (size < LONG and char(96 + size) or "z" .. integer(format("%d", size))) .. text
  end
  if find(text, "^%-[1-9]%d*$") then
    local size = #text - 1
    if size < 16 then return char(91 - size) .. sub(format("%d", sub("1999999999999999", 1, size + 1) + text), 2) end
    local digits = gsub(sub(text, 2), "%d%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?%d?", nineMinus)
    return (size < LONG and char(91 - size) or "A" .. integer(format("%d", -size))) .. digits
  end
  text = whole(text)
  return text and integer(text)
end

-- Encodes a stored text, or returns nil if it has no place in the order. A missing text is nil.
local function encode(code, text)
  if not text then return find(code, "%u") and "0" or nil end
  if code == "i" then return integer(text) end
  if code == "s" then return escape(text) .. "\0" end
  if code == "d" then
    local n = parse(text)
    if n and n - n ~= 0 then return nil end
    n = n or text == "Infinity" and 1 / 0 or text == "-Infinity" and -1 / 0
    if not n then return nil end
    -- a negative zero and 0 are 0
    local high, low = struct.unpack(">I4I4", struct.pack(">d", n + 0))
    if n < 0 then return format("%08x%08x", 4294967295 - high, 4294967295 - low) end
    return format("%08x%08x", high + 2147483648, low)
  end
  if code == "b" then return text == "true" and "1" or text == "false" and "0" or nil end
  if code == "j" then
    local _, _, plain = find(text, '^"([^"\\%c]*)"$')
    if plain then return plain .. "\0" end
    local isJson, values = pcall(cjson.decode, "[" .. text .. "]")
    return isJson and #values == 1 and type(values[1]) == "string" and escape(values[1]) .. "\0" or nil
  end
  local part = encode(string.lower(code), text)
  return part and "1" .. part
end

-- A member is the parts of an entity, joined, and its escaped id.
return { encode = encode, escape = escape, whole = whole }
