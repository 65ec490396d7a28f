-- beat.lua p id ttl record -> OK; ttl 0: the worker goes
beyond_maxmemory()
if ARGV[3] == '0' then
  redis.call('DEL', p .. ':worker:' .. ARGV[2])
  redis.call('ZREM', p .. ':workers', ARGV[2])
else
  redis.call('SET', p .. ':worker:' .. ARGV[2], ARGV[4], 'PX', ARGV[3])
  redis.call('ZADD', p .. ':workers', now, ARGV[2])
end
return 'OK'
