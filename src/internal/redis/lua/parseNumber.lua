-- Reads doubles from stored texts. Texts that `tonumber` accepts and that are no stored numbers, such as `0x10`, are refused.
-- uses: find (input)
local function parse(text)
  if find(text, "^%-?%d+$") then return tonumber(text) end
  if find(text, "^%-?%d+%.%d+$")
    or find(text, "^%-?%d+e[%+%-]?%d+$") or find(text, "^%-?%d+%.%d+e[%+%-]?%d+$") then
    return tonumber(text)
  end
end
