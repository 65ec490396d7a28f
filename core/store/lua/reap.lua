-- reap.lua p max_attempts ttl lost_status lost_result cancelled_status cancelled_result -> how many were taken over
local expired = redis.call('ZRANGEBYSCORE', lease, '-inf', now, 'LIMIT', 0, 100)
for _, token in ipairs(expired) do
  local st, ep, at, cancel = unpack(redis.call('HMGET', key_job(token), 'st', 'ep', 'at', 'cancel'))
  if st ~= '1' then
    redis.call('ZREM', lease, token)
  elseif cancel then
    conclude(token, ep, ARGV[6], ARGV[7], ARGV[3])
  elseif number(at) >= tonumber(ARGV[2]) then
    conclude(token, ep, ARGV[4], ARGV[5], ARGV[3])
  else
    requeue(token)
  end
end
if #expired > 0 then redis.call('HINCRBY', count, 'recovered', #expired) end
return #expired
