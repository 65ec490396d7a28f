-- reap.lua p max_attempts failed_status lost_result overdue_result cancelled_status cancelled_result
--   -> {how many were taken over from lost workers, how many waited too long}
beyond_maxmemory()
local BATCH = 100
local expired = redis.call('ZRANGEBYSCORE', lease, '-inf', now, 'LIMIT', 0, BATCH)
for _, token in ipairs(expired) do
  local st, ep, at, cancel = unpack(redis.call('HMGET', key_job(token), 'st', 'ep', 'at', 'cancel'))
  if st ~= '1' then
    redis.call('ZREM', lease, token)
  elseif cancel then
    conclude(token, ep, ARGV[6], ARGV[7])
  elseif number(at) >= tonumber(ARGV[2]) then
    conclude(token, ep, ARGV[3], ARGV[4])
  else
    requeue(token)
  end
end
if #expired > 0 then redis.call('HINCRBY', count, 'recovered', #expired) end

local overdue = redis.call('ZRANGEBYSCORE', wait, '-inf', now, 'LIMIT', 0, BATCH)
for _, token in ipairs(overdue) do
  local st, ep, prio, by = unpack(redis.call('HMGET', key_job(token), 'st', 'ep', 'prio', 'by'))
  if st == '0' then
    conclude_queued(token, ep, prio, number(by), ARGV[3], ARGV[5])
  else
    redis.call('ZREM', wait, token)
  end
end
return {#expired, #overdue}
