-- Finds the id at the end of a member of a lexicographic index, behind the parts that orderCode.lua has made.
-- uses: find (input)
local byte, gsub, sub = string.byte, string.gsub, string.sub

-- Returns the position behind the part that begins at `at`.
local function endOf(member, code, at)
  if code == "b" then return at + 1 end
  if code == "d" then return at + 16 end
  if code == "s" or code == "j" then return find(member, "\0", at, true) + 1 end
  local letter = byte(member, at)
  if code ~= "i" then return letter == 48 and at + 1 or endOf(member, string.lower(code), at + 1) end
  local size = letter > 96 and letter - 96 or 91 - letter
  if size < 26 then return at + 1 + size end
  -- the number of digits is an integer
  local finish = endOf(member, "i", at + 1)
  local digits = sub(member, at + 2, finish - 1)
  if letter < 96 then digits = gsub(digits, "%d", function(digit) return 9 - digit end) end
  return finish + tonumber(digits)
end

-- Returns the id of a member whose parts have these codes, a letter each.
local function idOf(member, codes)
  local at = 1
  for i = 1, #codes do at = endOf(member, sub(codes, i, i), at) end
  local id = sub(member, at)
  if find(id, "\1", 1, true) then id = gsub(id, "\1(.)", { ["\1"] = "\0", ["\2"] = "\1" }) end
  return id
end

return idOf
