-- submit.lua p max_jobs max_bytes n {token def meta prio lang tenant bytes url}... -> OK | FULL jobs|bytes
local n, total = tonumber(ARGV[4]), 0
-- The same call again, because its answer was lost: the first token tells.
if redis.call('EXISTS', key_job(ARGV[5])) == 1 then return 'OK' end
local queued, bytes = 0, number(redis.call('HGET', count, 'bytes'))
for prio = 0, 2 do queued = queued + number(redis.call('HGET', count, 'queued:' .. prio)) end
for i = 0, n - 1 do total = total + tonumber(ARGV[5 + i * 8 + 6]) end
if queued + n > tonumber(ARGV[2]) then return redis.error_reply('FULL jobs') end
if bytes + total > tonumber(ARGV[3]) then return redis.error_reply('FULL bytes') end
for i = 0, n - 1 do
  local a = 5 + i * 8
  local token, prio, lang, ten, size = ARGV[a], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 6]
  redis.call('HSET', key_job(token), 'st', '0', 'def', ARGV[a + 1], 'meta', ARGV[a + 2], 'prio', prio, 'lang', lang,
    'ten', ten, 'by', size, 'url', ARGV[a + 7], 'ep', '0', 'at', '0', 'qa', now)
  enqueue(token, prio, lang, ten, tonumber(size), false)
  redis.call('SADD', p .. ':langs', lang)
end
redis.call('HINCRBY', count, 'accepted', n)
redis.call('PUBLISH', p .. ':ready', '1')
return 'OK'
