-- outbox_again.lua p token rate burst pause_ms -> {OK left reset_ms} | {LIMIT left reset_ms retry_ms} | NOTFOUND | CONFLICT
--
-- The delivery begins anew: all its attempts and all its time before it.  It is due now, and waits in its queue as any
-- other: for a place, and while its endpoint is paused.  It counts as one job by its tenant's rate.
-- Somebody thinks that the receiver is well again, so a pause is over for one to see; that may be thought once in
-- pause_ms, or a receiver that is down would be asked as often as people do.
local token, rate, burst, pause_ms = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local k = key_job(token)
local st, url, attempts, ttl, ten = unpack(redis.call('HMGET', k, 'st', 'url', 'da', 'ttl', 'ten'))
if not st then return redis.error_reply('NOTFOUND no such job') end
if not url then return redis.error_reply('CONFLICT the job has no callback_url') end
if st == '0' or st == '1' then return redis.error_reply('CONFLICT the job has not ended') end
local lane = lane_of(ten, url)
if number(redis.call('ZSCORE', key_fly(lane), token)) > now then
  return redis.error_reply('CONFLICT a delivery is under way')
end
local limited = bucket_refuses(ten, rate, burst, 1)
if limited then return limited end
redis.call('HSET', k, 'db', number(attempts))
redis.call('HDEL', k, 'do')
for _, key in ipairs({k, key_log(token)}) do
  if redis.call('PTTL', key) < number(ttl) then redis.call('PEXPIRE', key, ttl) end
end
local til, asked = unpack(redis.call('HMGET', key_brk(lane), 'til', 'asked'))
if number(til) > now and now - number(asked) >= pause_ms then
  redis.call('HSET', key_brk(lane), 'til', now, 'asked', now)
end
outbox_put(token, lane)
return bucket_take(ten, rate, burst, 1)
