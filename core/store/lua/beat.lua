-- beat.lua p id ttl record -> OK, or LEAVE if it is to claim no more; ttl 0: the worker goes
if ARGV[3] == '0' then
  redis.call('DEL', p .. ':worker:' .. ARGV[2])
  redis.call('ZREM', p .. ':workers', ARGV[2])
  redis.call('HDEL', leave, ARGV[2])
else
  redis.call('ZREM', p .. ':workers', ARGV[2]) -- also with a full memory: see conclude()
  redis.call('SET', p .. ':worker:' .. ARGV[2], ARGV[4], 'PX', ARGV[3])
  redis.call('ZADD', p .. ':workers', now, ARGV[2])
  if redis.call('HEXISTS', leave, ARGV[2]) == 1 then return 'LEAVE' end
end
return 'OK'
