-- Takes from a stock, unless it would go below 0. KEYS: the stock. ARGV: the amount.
local left = redis.call('HGET', KEYS[1], 'stock')
if not left then return redis.error_reply('MISSING') end
if tonumber(left) < tonumber(ARGV[1]) then return redis.error_reply('SOLDOUT') end
return redis.call('HINCRBY', KEYS[1], 'stock', -tonumber(ARGV[1]))
