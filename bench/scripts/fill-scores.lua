-- Copies an entity whose field n is the score of an index. KEYS: the entity, the index. ARGV: its key without the id, the first and last
-- number of the copies' ids, and their n, or nothing if it is that number.
local fields = redis.call('HGETALL', KEYS[1])
local at = 0
for i = 1, #fields, 2 do if fields[i] == 'n' then at = i + 1 end end
for i = ARGV[2], ARGV[3] do
  local n = ARGV[4] or tostring(i)
  fields[at] = n
  redis.call('HSET', ARGV[1] .. '{entity-' .. i .. '}', unpack(fields))
  redis.call('ZADD', KEYS[2], n, 'entity-' .. i)
end
