-- scale_yield.lua p id -> OK: this scaler goes; the next one need not wait for its lease.
if redis.call('HGET', scale, 'who') == ARGV[2] then redis.call('HDEL', scale, 'who', 'til') end
return 'OK'
