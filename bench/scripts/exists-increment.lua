-- An increment that checks that the hash exists. KEYS: the hash. ARGV: the field, the amount.
if redis.call('EXISTS', KEYS[1]) == 0 then return redis.error_reply('MISSING') end
return redis.call('HINCRBY', KEYS[1], ARGV[1], ARGV[2])
