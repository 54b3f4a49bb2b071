-- The three commands of an increment for many counters, without checks: the floor. KEYS: the counters. ARGV: their amounts.
local results = {}
for i, key in ipairs(KEYS) do
  local text = string.format('%.0f', redis.call('HGET', key, 'n') + ARGV[i])
  redis.call('HINCRBY', key, '$v', 1)
  redis.call('HSET', key, 'n', text)
  results[i] = text
end
return results
