-- Copies an entity. KEYS: the entity. ARGV: its key without the id, and the first and last number of the copies' ids.
local fields = redis.call('HGETALL', KEYS[1])
for i = ARGV[2], ARGV[3] do redis.call('HSET', ARGV[1] .. '{entity-' .. i .. '}', unpack(fields)) end
