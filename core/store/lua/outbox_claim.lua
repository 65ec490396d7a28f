-- outbox_claim.lua p lease_ms max -> {token, attempt, url, st, meta, res, sa, fa, at}...
beyond_maxmemory()
local answer = {}
for _, token in ipairs(redis.call('ZRANGEBYSCORE', out, '-inf', now, 'LIMIT', 0, tonumber(ARGV[3]))) do
  local k = key_job(token)
  if redis.call('EXISTS', k) == 0 then -- its result has expired
    redis.call('ZREM', out, token)
    redis.call('HINCRBY', count, 'undelivered', 1)
  else
    local attempt = redis.call('HINCRBY', k, 'da', 1)
    redis.call('ZADD', out, now + tonumber(ARGV[2]), token)
    local f = redis.call('HMGET', k, 'url', 'st', 'meta', 'res', 'sa', 'fa', 'at')
    answer[#answer + 1] = {token, attempt, f[1], f[2], f[3], f[4], f[5], f[6], f[7]}
  end
end
return answer
