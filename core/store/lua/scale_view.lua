-- scale_view.lua p max -> {who, epoch, left_ms, {ids that are to drain...}, {decisions, the latest first...}}
local who, epoch, til = unpack(redis.call('HMGET', scale, 'who', 'epoch', 'til'))
local left = math.max(number(til) - now, 0)
return {left > 0 and who or '', number(epoch), left, redis.call('HKEYS', leave),
  redis.call('LRANGE', scale .. ':log', 0, tonumber(ARGV[2]) - 1)}
