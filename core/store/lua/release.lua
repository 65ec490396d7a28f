-- release.lua p worker token epoch cancelled_status cancelled_result -> OK | CONFLICT
local worker, token, epoch = ARGV[2], ARGV[3], ARGV[4]
local k = key_job(token)
local st, ep, w, cancel = unpack(redis.call('HMGET', k, 'st', 'ep', 'w', 'cancel'))
if st == '0' and ep == epoch then return 'OK' end -- the answer to the first was lost
if st ~= '1' or ep ~= epoch or w ~= worker then return redis.error_reply('CONFLICT the lease was lost') end
if cancel then
  conclude(token, epoch, ARGV[5], ARGV[6])
else
  requeue(token)
  not_begun(token)
end
return 'OK'
