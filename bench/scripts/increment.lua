-- One increment with the checks of redlayer. KEYS: the counter. ARGV: the amount.
local n = tonumber(redis.call('HGET', KEYS[1], 'n'))
if not n then return redis.error_reply('MISSING') end
local sum = n + ARGV[1]
if sum > 9007199254740991 or sum < -9007199254740991 then return redis.error_reply('OUTOFBOUNDS') end
local text = string.format('%.0f', sum)
redis.call('HINCRBY', KEYS[1], '$v', 1)
redis.call('HSET', KEYS[1], 'n', text)
return text
