-- scale_yield.lua p id -> OK: this scaler goes; the next one need not wait for its lease.
if redis.call('HGET', scale, 'who') == ARGV[2] then
  redis.call('HDEL', scale, 'who') -- also with a full memory: see conclude()
  redis.call('HSET', scale, 'til', string.format('%.0f', now)) -- its orders outlive it for a while: see beat.lua
end
return 'OK'
