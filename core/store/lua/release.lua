-- release.lua p token epoch cancelled_status cancelled_result -> OK | CONFLICT
beyond_maxmemory()
local token, epoch = ARGV[2], ARGV[3]
local k = key_job(token)
local st, ep, cancel = unpack(redis.call('HMGET', k, 'st', 'ep', 'cancel'))
if st == '0' and ep == epoch then return 'OK' end -- the answer to the first was lost
if st ~= '1' or ep ~= epoch then return redis.error_reply('CONFLICT the lease was lost') end
if cancel then
  conclude(token, epoch, ARGV[4], ARGV[5])
else
  redis.call('HINCRBY', k, 'at', -1)
  requeue(token)
end
return 'OK'
