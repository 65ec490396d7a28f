-- outbox_again.lua p token -> OK | NOTFOUND | CONFLICT
--
-- The delivery begins anew: due now, all its attempts and all its time before it.  Somebody thinks that the receiver is
-- well again, so a pause of it is over.
local token = ARGV[2]
local k = key_job(token)
local st, url, attempts, ttl, ten = unpack(redis.call('HMGET', k, 'st', 'url', 'da', 'ttl', 'ten'))
if not st then return redis.error_reply('NOTFOUND no such job') end
if not url then return redis.error_reply('CONFLICT the job has no callback_url') end
if st == '0' or st == '1' then return redis.error_reply('CONFLICT the job has not ended') end
local lane = lane_of(ten, url)
if number(redis.call('ZSCORE', key_fly(lane), token)) > now then
  return redis.error_reply('CONFLICT a delivery is under way')
end
redis.call('HSET', k, 'db', number(attempts))
redis.call('HDEL', k, 'do')
for _, key in ipairs({k, key_log(token)}) do
  if redis.call('PTTL', key) < number(ttl) then redis.call('PEXPIRE', key, ttl) end
end
if redis.call('HEXISTS', key_brk(lane), 'til') == 1 then redis.call('HSET', key_brk(lane), 'til', now) end
outbox_put(token, lane)
return 'OK'
