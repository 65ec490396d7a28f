-- scale_decide.lua p id epoch keep record replicas wanted {leave | stay, worker}... -> OK | CONFLICT
--
-- What the leader decided, written down before anything is done: only if it leads still.  keep: decisions that are kept.
-- leave: the worker is to claim no more, which its next heartbeat is told; stay takes that back.
local id, epoch, keep = ARGV[2], ARGV[3], tonumber(ARGV[4])
local who, ep, til = unpack(redis.call('HMGET', scale, 'who', 'epoch', 'til'))
if who ~= id or ep ~= epoch or number(til) <= now then
  return redis.error_reply('CONFLICT another scaler leads')
end
local log = scale .. ':log'
redis.call('LTRIM', log, 0, keep - 2) -- also with a full memory: see conclude()
redis.call('LPUSH', log, ARGV[5])
redis.call('HSET', scale, 'replicas', ARGV[6], 'wanted', ARGV[7])
redis.call('HINCRBY', scale, 'decisions', 1)
for a = 8, #ARGV, 2 do
  if ARGV[a] == 'stay' then
    redis.call('HDEL', leave, ARGV[a + 1])
  elseif redis.call('EXISTS', p .. ':worker:' .. ARGV[a + 1]) == 1 then
    redis.call('HSET', leave, ARGV[a + 1], string.format('%.0f', now))
  end
end
return 'OK'
