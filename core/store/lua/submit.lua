-- submit.lua p max_jobs max_bytes max_wait_ms n {token def meta prio lang tenant bytes url ttl}... -> OK | FULL ...
--
-- Each job has a hash and its program; what can be said once for all jobs of a queue is.
local FIRST, FIELDS = 6, 9
local n, total = tonumber(ARGV[5]), 0
-- The same call again, because its answer was lost: the first token tells.
if redis.call('EXISTS', key_job(ARGV[FIRST])) == 1 then return 'OK' end
-- Dead tokens count: they take place too, until a worker drops them.
local has = redis.call('HMGET', count, 'bytes', 'dead', 'queued:0', 'queued:1', 'queued:2')
local queued = number(has[2]) + number(has[3]) + number(has[4]) + number(has[5])
for a = FIRST, #ARGV, FIELDS do total = total + tonumber(ARGV[a + 6]) end
if queued + n > tonumber(ARGV[2]) then return redis.error_reply('FULL jobs') end
if number(has[1]) + total > tonumber(ARGV[3]) then return redis.error_reply('FULL bytes') end

local queued_at, deadline = string.format('%.0f', now), string.format('%.0f', now + tonumber(ARGV[4]))
local queues, names, waiting = {}, {}, {}
for a = FIRST, #ARGV, FIELDS do
  local token, prio, lang, ten, url = ARGV[a], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 7]
  redis.call('SET', key_def(token), ARGV[a + 1])
  redis.call('HSET', key_job(token), 'st', '0', 'meta', ARGV[a + 2], 'prio', prio, 'lang', lang, 'ten', ten, 'by',
    ARGV[a + 6], 'ttl', ARGV[a + 8], 'ep', '0', 'at', '0', 'qa', queued_at, 'dl', deadline)
  if url ~= '' then redis.call('HSET', key_job(token), 'url', url) end
  local name = key_queue(prio, lang, ten)
  if not queues[name] then
    queues[name] = {prio = prio, lang = lang, ten = ten, tokens = {}}
    names[#names + 1] = name
  end
  table.insert(queues[name].tokens, token)
  waiting[#waiting + 1] = deadline
  waiting[#waiting + 1] = token
end
for _, name in ipairs(names) do
  local q = queues[name]
  enqueue(q.tokens, q.prio, q.lang, q.ten, 'RPUSH')
  redis.call('SADD', p .. ':langs', q.lang)
end
call_with('ZADD', wait, waiting)
count_add('bytes', total)
count_add('accepted', n)
redis.call('PUBLISH', p .. ':ready', '1')
return 'OK'
