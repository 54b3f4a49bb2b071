-- Counts a call in each of many fixed windows, up to a limit. KEYS: the windows. ARGV: the limit, and the milliseconds of a
-- window. Returns for each the new count, or false, and the milliseconds that are left.
local limit = tonumber(ARGV[1])
local results = {}
for i, key in ipairs(KEYS) do
  local count = redis.call('HGET', key, 'count')
  if not count then
    local time = redis.call('TIME')
    redis.call('HSET', key, 'count', '0', '$v', string.format('%d%06d', time[1], time[2]))
    redis.call('PEXPIRE', key, ARGV[2])
    count = '0'
  end
  local counted = false
  if tonumber(count) < limit then
    counted = string.format('%.0f', count + 1)
    redis.call('HINCRBY', key, '$v', 1)
    redis.call('HSET', key, 'count', counted)
  end
  results[i] = { counted, redis.call('PTTL', key) }
end
return results
