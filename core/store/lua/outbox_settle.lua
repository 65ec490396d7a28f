-- outbox_settle.lua p token attempt outcome(delivered|failed|unsent) retry_ms reason -> OK
--
-- failed with retry_ms 0: given up.  unsent: nothing was tried, so the attempt does not count.
beyond_maxmemory()
local token, k, outcome = ARGV[2], key_job(ARGV[2]), ARGV[4]
if redis.call('HGET', k, 'da') ~= ARGV[3] then return 'OK' end -- somebody else tries by now
if outcome == 'unsent' then
  redis.call('ZADD', out, now + tonumber(ARGV[5]), token)
  redis.call('HINCRBY', k, 'da', -1)
  return 'OK'
end
redis.call('HSET', k, 'dr', ARGV[6])
if outcome == 'delivered' then
  redis.call('ZREM', out, token)
  redis.call('HINCRBY', count, 'delivered', 1)
elseif ARGV[5] ~= '0' then
  redis.call('ZADD', out, now + tonumber(ARGV[5]), token)
  redis.call('HINCRBY', count, 'retried', 1)
else
  redis.call('ZREM', out, token)
  redis.call('HINCRBY', count, 'undelivered', 1)
end
return 'OK'
