-- cancel.lua p token cancelled_status cancelled_result -> OK | MARKED | NOTFOUND | CONFLICT
local k = key_job(ARGV[2])
local st, prio, ten, by = unpack(redis.call('HMGET', k, 'st', 'prio', 'ten', 'by'))
if not st then return redis.error_reply('NOTFOUND no such job') end
if st == '0' then
  conclude_queued(ARGV[2], prio, ten, number(by), ARGV[3], ARGV[4])
  return 'OK'
end
if st == '1' then
  redis.call('HSET', k, 'cancel', '1')
  return 'MARKED'
end
return redis.error_reply('CONFLICT it has ended already')
