-- stats.lua p -> {queued0, queued1, queued2, bytes, running, out, oldest_ms, accepted, recovered, delivered,
--                retried, undelivered, late, dead, {workers' records...}, {lang, {field, value...}}...,
--                {epoch, replicas, wanted, decisions} of the scaler}
local f = redis.call('HMGET', count, 'queued:0', 'queued:1', 'queued:2', 'bytes', 'accepted', 'recovered', 'delivered',
  'retried', 'undelivered', 'late', 'dead')
local langs, workers, stats = redis.call('SMEMBERS', p .. ':langs'), {}, {}
local oldest = redis.call('ZRANGE', wait, 0, 0)[1] -- the first to have waited too long was the first to come
local oldest_ms = oldest and number(redis.call('HGET', key_job(oldest), 'qa')) or 0
for _, lang in ipairs(langs) do
  stats[#stats + 1] = {lang, redis.call('HGETALL', p .. ':stat:' .. lang)}
end
for _, id in ipairs(redis.call('ZRANGE', p .. ':workers', 0, -1)) do
  local record = redis.call('GET', p .. ':worker:' .. id)
  if record then workers[#workers + 1] = record else redis.call('ZREM', p .. ':workers', id) end
end
return {number(f[1]), number(f[2]), number(f[3]), number(f[4]), redis.call('ZCARD', lease), redis.call('ZCARD', since),
  oldest_ms, number(f[5]), number(f[6]), number(f[7]), number(f[8]), number(f[9]),
  number(f[10]), number(f[11]), workers, stats,
  redis.call('HMGET', p .. ':scale', 'epoch', 'replicas', 'wanted', 'decisions')}
