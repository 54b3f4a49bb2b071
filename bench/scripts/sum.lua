-- The sum of the field n of entities. ARGV: their key without the id, and the first and last number of their ids.
local sum = 0
for i = ARGV[2], ARGV[3] do sum = sum + redis.call('HGET', ARGV[1] .. '{entity-' .. i .. '}', 'n') end
return sum
