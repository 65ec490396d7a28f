-- outbox_settle.lua p token attempt delivered(0|1) retry_ms reason -> OK
local token, k = ARGV[2], key_job(ARGV[2])
if redis.call('HGET', k, 'da') ~= ARGV[3] then return 'OK' end -- somebody else tries by now
if ARGV[4] == '1' then
  redis.call('ZREM', out, token)
  redis.call('HSET', k, 'dr', '')
  redis.call('HINCRBY', count, 'delivered', 1)
elseif ARGV[5] ~= '0' then
  redis.call('ZADD', out, now + tonumber(ARGV[5]), token)
  redis.call('HSET', k, 'dr', ARGV[6])
  redis.call('HINCRBY', count, 'retried', 1)
else
  redis.call('ZREM', out, token)
  redis.call('HSET', k, 'dr', ARGV[6])
  redis.call('HINCRBY', count, 'undelivered', 1)
end
return 'OK'
