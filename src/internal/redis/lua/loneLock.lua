-- Runs an operation of a lock that is alone in its call, before the functions for other programs are made. To take or give back a lock
-- that nobody else holds or waits for needs no function at all. Whatever is unusual there is left to lock.lua, which may write the
-- same again.
-- uses: code, find, format, pc, step, total, try (input) · makeLocks (order)
if pc == 1 and code[1] == 1 and code[2] >= FIRST.lock and total == 5 + code[5] then
  local op, key = code[2], KEYS[code[3]]
  if op == OP.acquire and try("EXISTS", key, key .. ":$queue") == 0 then
    local fence, owner, lease, weight = key .. ":$fence", code[7], code[8], code[9]
    local last, time = try("HMGET", fence, "t", "~" .. owner), try("TIME")
    if not last.err and not last[2] and not time.err then
      local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
      local millis = math.floor(micros / 1000)
      local before = last[1] and #last[1] < 17 and find(last[1], "^%d+$") and tonumber(last[1]) or 0
      local token, expiry = format("%.0f", math.max(before, micros) + 1), format("%.0f", millis + lease)
      local isWritten = type(try("HSET", fence, "t", token)) == "number"
      if isWritten and math.floor(before / 86400000000) ~= math.floor(millis / 86400000) then
        local expires, kept = try("PEXPIRETIME", fence), millis + 172800000
        isWritten = type(expires) == "number"
          and (expires >= kept or try("PEXPIREAT", fence, format("%.0f", kept)) == 1)
      end
      if isWritten and try("HSET", key, owner, format("%s %.0f %s", expiry, weight, token)) == 1
        and try("PEXPIREAT", key, expiry) == 1 then
        return cjson.encode({ true, token })
      end
    end
  elseif op == OP.release and code[11] == 0 and try("EXISTS", key .. ":$queue") == 0 then
    local count = try("HLEN", key)
    if count == 0 or count == 1 and try("HDEL", key, code[7]) == 1 then return "[true,0]" end
  end
  step = 1
  local ok, result = pcall(makeLocks)
  if ok then ok, result = pcall(result, op, key, 6) end
  local message = not ok and (type(result) == "table" and result.err or not result[1] and result)
  if message then result = { "error", step, message } end
  return cjson.encode(ok and { true, result } or { result })
end
