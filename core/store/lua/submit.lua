-- submit.lua p max_jobs max_bytes max_wait_ms tenant weight tenant_max_jobs tenant_max_bytes rate burst idem
--   fingerprint idem_ttl n {token def meta prio lang bytes url ttl}...
--   -> {OK left reset_ms} | {SAME tokens} | {OTHER} | {LIMIT left reset_ms retry_ms}
--    | {FULL (jobs|bytes|tenant_jobs|tenant_bytes) retry_ms a_minute}
--
-- Each job has a hash and its program; what can be said once for all jobs of a queue is.  Bounds of a tenant: 0 is
-- none.  rate: jobs a minute.  idem: "" or the client's key, hashed.
local FIRST, FIELDS = 15, 8
local max_jobs, max_bytes, ten, weight = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[5], tonumber(ARGV[6])
local rate, burst, n, total = tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[14]), 0
local k_ten, k_idem = key_tenant(ten), p .. ':idem:' .. ten .. ':' .. ARGV[11]
for a = FIRST, #ARGV, FIELDS do total = total + tonumber(ARGV[a + 5]) end

-- When so much will have left, by what left lately.
local function full(what, key, jobs)
  local pace = pace_of(key)
  local wait_ms = pace > 0 and jobs * 1000 / pace or 60000
  return {'FULL', what, math.ceil(math.min(math.max(wait_ms, 1000), 3600000)), math.ceil(pace * 60)}
end

-- What keeps the jobs out of a queue that holds these; nil: nothing.
local function refusal(who, key, jobs, bytes, jobs_max, bytes_max)
  if jobs_max > 0 and jobs + n > jobs_max then return full(who .. 'jobs', key, jobs + n - jobs_max) end
  if bytes_max > 0 and bytes + total > bytes_max then
    return full(who .. 'bytes', key, (bytes + total - bytes_max) * math.max(jobs, 1) / math.max(bytes, 1))
  end
end

if ARGV[11] ~= '' then
  local seen = redis.call('GET', k_idem)
  if seen then
    if string.sub(seen, 1, #ARGV[12]) ~= ARGV[12] then return {'OTHER'} end
    return {'SAME', string.sub(seen, #ARGV[12] + 1)}
  end
end
-- The same call again, because its answer was lost: the first token tells.
if redis.call('EXISTS', key_job(ARGV[FIRST])) == 1 then return {'OK', -1, 0} end
local limited = bucket_refuses(ten, rate, burst, n)
if limited then return limited end
-- Stale tokens count: they take place too, until a worker drops them.
local has = redis.call('HMGET', count, 'bytes', 'stale', 'queued:0', 'queued:1', 'queued:2')
local own = redis.call('HMGET', k_ten, 'n', 'by')
local queued = number(has[2]) + number(has[3]) + number(has[4]) + number(has[5])
local refused = refusal('', count, queued, number(has[1]), max_jobs, max_bytes)
  or refusal('tenant_', k_ten, number(own[1]), number(own[2]), tonumber(ARGV[7]), tonumber(ARGV[8]))
if refused then return refused end

local queued_at, deadline = string.format('%.0f', now), string.format('%.0f', now + tonumber(ARGV[4]))
local queues, names, waiting, tokens = {}, {}, {}, {}
for a = FIRST, #ARGV, FIELDS do
  local token, prio, lang, bytes, url = ARGV[a], ARGV[a + 3], ARGV[a + 4], ARGV[a + 5], ARGV[a + 6]
  redis.call('SET', key_def(token), ARGV[a + 1])
  redis.call('HSET', key_job(token), 'st', '0', 'meta', ARGV[a + 2], 'prio', prio, 'lang', lang, 'ten', ten, 'by',
    bytes, 'ttl', ARGV[a + 7], 'ep', '0', 'at', '0', 'qa', queued_at, 'dl', deadline)
  if url ~= '' then redis.call('HSET', key_job(token), 'url', url) end
  local name = prio .. ':' .. lang
  if not queues[name] then
    queues[name] = {prio = prio, lang = lang, bytes = 0, tokens = {}}
    names[#names + 1] = name
  end
  table.insert(queues[name].tokens, token)
  queues[name].bytes = queues[name].bytes + tonumber(bytes)
  waiting[#waiting + 1] = deadline
  waiting[#waiting + 1] = token
  tokens[#tokens + 1] = token
end
for _, name in ipairs(names) do
  local q = queues[name]
  enqueue(q.tokens, q.prio, q.lang, ten, q.bytes)
  redis.call('SADD', p .. ':langs', q.lang)
end
call_with('ZADD', wait, waiting)
if weight ~= 1 then redis.call('HSET', p .. ':weight', ten, weight) else redis.call('HDEL', p .. ':weight', ten) end
if ARGV[11] ~= '' then redis.call('SET', k_idem, ARGV[12] .. table.concat(tokens, ' '), 'PX', ARGV[13]) end
count_add('accepted', n)
redis.call('PUBLISH', p .. ':ready', '1')
return bucket_take(ten, rate, burst, n)
