-- Many transfers; each is refused or done by itself. KEYS: payer and payee of each. ARGV: the amounts.
local results = {}
for i, amount in ipairs(ARGV) do
  local from, to = KEYS[2 * i - 1], KEYS[2 * i]
  local paid = tonumber(redis.call('HGET', from, 'balance'))
  local received = tonumber(redis.call('HGET', to, 'balance'))
  if not paid or not received then
    results[i] = 'MISSING'
  elseif paid - amount < 0 or received + amount > 9007199254740991 then
    results[i] = 'OUTOFBOUNDS'
  else
    local left, sum = string.format('%.0f', paid - amount), string.format('%.0f', received + amount)
    redis.call('HINCRBY', from, '$v', 1)
    redis.call('HSET', from, 'balance', left)
    redis.call('HINCRBY', to, '$v', 1)
    redis.call('HSET', to, 'balance', sum)
    results[i] = { left, sum }
  end
end
return results
