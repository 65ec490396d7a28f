-- scale_step.lua p id lease_ms whole -> {leads, epoch, who, left_ms, now, queued0, queued1, queued2, running, oldest age ms,
--                                        accepted, served, held, {records of workers...}, {ids that are to drain...},
--                                        {decisions, the latest first...}}
--
-- One scaler leads for lease_ms from here on, by the time of this Redis; each new one raises the epoch, which whatever it
-- does carries.  Who does not lead is told no more than who does.  whole: the decisions as well.
local id, lease_ms, whole = ARGV[2], tonumber(ARGV[3]), ARGV[4] == '1'
local who, epoch, til = unpack(redis.call('HMGET', scale, 'who', 'epoch', 'til'))
epoch, til = number(epoch), number(til)
if who ~= id and til > now then return {0, epoch, who or '', til - now} end
if who ~= id then epoch = epoch + 1 end
redis.call('HDEL', scale, 'til') -- also with a full memory: see conclude()
redis.call('HSET', scale, 'who', id, 'epoch', epoch, 'til', string.format('%.0f', now + lease_ms))

local workers, leaving = {}, {}
for _, w in ipairs(redis.call('ZRANGE', p .. ':workers', 0, -1)) do
  local record = redis.call('GET', p .. ':worker:' .. w)
  if record then workers[#workers + 1] = record end
end
for _, w in ipairs(redis.call('HKEYS', leave)) do
  if redis.call('EXISTS', p .. ':worker:' .. w) == 1 then
    leaving[#leaving + 1] = w
  else
    redis.call('HDEL', leave, w) -- it is gone
  end
end
local f = redis.call('HMGET', count, 'queued:0', 'queued:1', 'queued:2', 'accepted', 'served', 'held')
local oldest = redis.call('ZRANGE', wait, 0, 0)[1]
local since = oldest and number(redis.call('HGET', key_job(oldest), 'qa')) or now
return {1, epoch, id, lease_ms, now, number(f[1]), number(f[2]), number(f[3]), redis.call('ZCARD', lease),
  math.max(now - since, 0), number(f[4]), number(f[5]), number(f[6]), workers, leaving,
  whole and redis.call('LRANGE', scale .. ':log', 0, -1) or {}}
