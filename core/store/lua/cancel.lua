-- cancel.lua p token cancelled_status cancelled_result ttl -> OK | MARKED | NOTFOUND | CONFLICT
local k = key_job(ARGV[2])
local st, prio, by, ep = unpack(redis.call('HMGET', k, 'st', 'prio', 'by', 'ep'))
if not st then return redis.error_reply('NOTFOUND no such job') end
if st == '0' then -- its token stays in the queue, where the next claim drops it
  dequeued(prio, number(by))
  conclude(ARGV[2], ep, ARGV[3], ARGV[4], ARGV[5])
  return 'OK'
end
if st == '1' then
  redis.call('HSET', k, 'cancel', '1')
  return 'MARKED'
end
return redis.error_reply('CONFLICT it has ended already')
