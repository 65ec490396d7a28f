-- beat.lua p id ttl record -> OK, or LEAVE if it is to claim no more; ttl 0: the worker goes
--
-- An order to leave holds while a scaler leads that could take it back, and for a while after that, in which another one
-- begins to.  Where none does, the worker goes on: jobs wait for it.
local ORPHAN_MS = 60000
if ARGV[3] == '0' then
  redis.call('DEL', p .. ':worker:' .. ARGV[2])
  redis.call('ZREM', p .. ':workers', ARGV[2])
  redis.call('HDEL', leave, ARGV[2])
else
  redis.call('ZREM', p .. ':workers', ARGV[2]) -- also with a full memory: see conclude()
  redis.call('SET', p .. ':worker:' .. ARGV[2], ARGV[4], 'PX', ARGV[3])
  redis.call('ZADD', p .. ':workers', now, ARGV[2])
  if redis.call('HEXISTS', leave, ARGV[2]) == 1 then
    if number(redis.call('HGET', scale, 'til')) + ORPHAN_MS > now then return 'LEAVE' end
    redis.call('HDEL', leave, ARGV[2])
  end
end
return 'OK'
