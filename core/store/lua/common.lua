-- common.lua - put before every script: keys, time, and the steps that several scripts share.
--
-- Every key of a shard begins with the same hash tag, so that Redis Cluster keeps them together; the names
-- are made from ARGV[1] and what is stored, never from another shard's keys.
--
--   <p>:job:<token>           hash: st status, meta (what a client sees), prio, lang, ten tenant, by bytes, url
--                             (if it has one), ep epoch, at attempts, ah (claimed ahead: not begun, as far as its
--                             worker has said), nb leases that were lost before it was begun, w worker, qa queued at, dl when waiting is
--                             too long, sa started at, fa finished at, fe epoch whose worker ended it (0: none
--                             did), res result, ttl of the result (ms), cancel; of its webhook: da attempts, db those before a redelivery, do
--                             how it ended (delivered, given_up)
--   <p>:def:<token>           what a worker needs, until the job has ended.  Beside the hash, because one field
--                             of more than hash-max-listpack-value bytes makes a hash take a kilobyte more
--   <p>:q:<prio>:<lang>:<ten> list of tokens
--   <p>:ring:<prio>:<lang>    sorted set: tenants with something in such a queue, by the pass of their next turn
--   <p>:pass:<prio>           hash: the pass of each tenant's next turn, and the language of its last (`lang:<ten>`)
--   <p>:ten:<ten>             hash of a tenant with something queued: n tokens, by bytes, and its pace
--   <p>:weight                hash: weights of tenants, where not 1
--   <p>:rate:<ten>            when its bucket is full again (ms), until then
--   <p>:dead:<ten>            sorted set: dead letters, tokens of jobs that cost too many workers, by when they ended
--   <p>:letter:<token>        the program of one, as in def
--   <p>:idem:<ten>:<key>      fingerprint of a request and the tokens that answered it, 24 h
--   <p>:wait                  sorted set: token of a queued job by its dl
--   <p>:stale                 sorted set: queue (prio:lang:ten) that has, or may have, stale tokens, by when the reaper
--                             looks at its head
--   <p>:lease                 sorted set: token by the end of its lease (ms)
--   <p>:out                   sorted set: tenant by when it may have its next turn with a delivery (ms)
--   <p>:turn:<ten>            sorted set: endpoint (host:port of a callback) of it by when the next may be taken (ms)
--   <p>:out:<ten>/<endpoint>  sorted set: token by when its delivery is due (ms); under way: by its lease's end
--   <p>:fly:<ten>/<endpoint>  sorted set: token of a delivery under way by the end of its lease (ms)
--   <p>:brk:<ten>/<endpoint>  hash of one that fails: n failures in a row, pauses, til when (ms) the latest pause
--                             lasts, asked: when somebody last had one end early
--   <p>:since                 sorted set: token by when its delivery began (ms), until it was settled for good
--   <p>:log:<token>           list: attempts of its delivery, the latest last
--   <p>:count                 hash of counters; the number of shards
--   <p>:langs, <p>:stat:<lang>  languages seen, their statistics
--   <p>:languages             hash: what workers say of the languages they serve
--   <p>:scale                 hash: who scales the fleet, epoch, til when (ms), replicas and wanted by its last decision,
--                             decisions that there were
--   <p>:scale:log             list: decisions, the latest first
--   <p>:scale:leave           hash: workers that are to claim no more, and since when (ms)
--   <p>:workers, <p>:worker:<id>  sorted set of workers by their last heartbeat, the heartbeats
--
-- A token stands in a queue once for each time its job was queued.  One whose job has ended while it waited is
-- left where it is, counted as `stale`, and dropped by the claim that meets it or, once it is first of its queue, by
-- the reaper: where no worker serves the language, no claim ever does.  What stands before it is first overdue, so it
-- is gone within max_wait_ms and the reaper's time.
--
-- Whose turn it is (stride scheduling): each turn moves a tenant's pass by STRIDE / weight, and the least pass is
-- next, whatever the language.  One that is behind the last turn that anybody had (`pass:<prio>` in count) counts as
-- that, so who comes again after a time without jobs is next, once.
local p = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key_job(token) return p .. ':job:' .. token end
local function key_def(token) return p .. ':def:' .. token end
local function key_ring(prio, lang) return p .. ':ring:' .. prio .. ':' .. lang end
local function key_queue(prio, lang, ten) return p .. ':q:' .. prio .. ':' .. lang .. ':' .. ten end
local function key_turn(ten) return p .. ':turn:' .. ten end
local function key_due(lane) return p .. ':out:' .. lane end
local function key_fly(lane) return p .. ':fly:' .. lane end
local function key_brk(lane) return p .. ':brk:' .. lane end
local function key_log(token) return p .. ':log:' .. token end
local lease, out, count, wait, since = p .. ':lease', p .. ':out', p .. ':count', p .. ':wait', p .. ':since'
local stale = p .. ':stale'
local scale, leave = p .. ':scale', p .. ':scale:leave'
local function key_pass(prio) return p .. ':pass:' .. prio end
local function key_dead(ten) return p .. ':dead:' .. ten end
local function key_letter(token) return p .. ':letter:' .. token end
local function key_tenant(ten) return p .. ':ten:' .. ten end

local function number(value) return tonumber(value or 0) or 0 end

-- A command of any number of arguments: Lua's stack holds some thousands.
local function call_with(command, key, list)
  for i = 1, #list, 1000 do redis.call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end

local function count_add(field, n)
  if n ~= 0 then redis.call('HINCRBY', count, field, n) end
end

-- What a tenant has in the queues; the hash is there as long as there is anything.
local function tenant_add(ten, tokens, bytes)
  local k = key_tenant(ten)
  if bytes ~= 0 then redis.call('HINCRBY', k, 'by', bytes) end
  if tokens ~= 0 and redis.call('HINCRBY', k, 'n', tokens) <= 0 then redis.call('DEL', k) end
end

local function pass_now(prio) return number(redis.call('HGET', count, 'pass:' .. prio)) end

-- A tenant stands in a ring exactly while such a queue of it has something.
local function enqueue(tokens, prio, lang, ten, bytes)
  local q = key_queue(prio, lang, ten)
  if redis.call('EXISTS', q) == 0 then
    redis.call('ZADD', key_ring(prio, lang), number(redis.call('HGET', key_pass(prio), ten)), ten)
  end
  call_with('RPUSH', q, tokens)
  tenant_add(ten, #tokens, bytes)
  count_add('queued:' .. prio, #tokens)
  count_add('bytes', bytes)
end

local function dequeued(token, prio, ten, bytes)
  redis.call('ZREM', wait, token)
  tenant_add(ten, 0, -bytes)
  count_add('queued:' .. prio, -1)
  count_add('bytes', -bytes)
end

-- Where a tenant's deliveries to one endpoint (host and port) go: what fails or is slow as a whole.  They have a queue,
-- places and pauses of their own, so that what waits there costs nobody else anything, and what one tenant's receiver
-- answers is not held against another's on the same host.  There is no '/' in a tenant's name.
local function lane_of(ten, url)
  local endpoint = string.sub(string.lower(string.match(url, '^%a+://([^/?#]+)') or ''), 1, 260)
  return (ten or '') .. '/' .. endpoint
end

-- The tenant's turn: with the first of its endpoints, and if that could be now, behind all who wait already; who does
-- so keeps its place, until it was served.
local function outbox_turn(ten, served)
  local first = redis.call('ZRANGE', key_turn(ten), 0, 0, 'WITHSCORES')[2]
  if not first then
    redis.call('ZREM', out, ten)
    return
  end
  local turn = redis.call('ZSCORE', out, ten)
  if number(first) <= now and turn and number(turn) <= now and not served then return end
  redis.call('ZADD', out, math.max(number(first), now), ten)
end

-- The endpoint's turn: when its next delivery is due, behind all whose turn came before, and not in a pause; not before
-- `least`, if that is given.
local function outbox_schedule(lane, least)
  local ten, endpoint = string.match(lane, '^([^/]*)/(.*)$')
  local due = redis.call('ZRANGE', key_due(lane), 0, 0, 'WITHSCORES')[2]
  if due then
    local til = number(redis.call('HGET', key_brk(lane), 'til'))
    redis.call('ZADD', key_turn(ten), math.max(number(due), til, now, number(least)), endpoint)
  else
    redis.call('ZREM', key_turn(ten), endpoint)
  end
  outbox_turn(ten)
end

local function outbox_put(token, lane)
  redis.call('ZADD', key_due(lane), now, token)
  redis.call('ZADD', since, now, token)
  outbox_schedule(lane)
  redis.call('PUBLISH', p .. ':outbox', '1')
end

-- The end of a delivery, for good.  outcome: delivered or given_up.
local function outbox_end(token, lane, outcome)
  redis.call('ZREM', key_due(lane), token)
  redis.call('ZREM', since, token)
  redis.call('HSET', key_job(token), 'do', outcome)
  redis.call('HINCRBY', count, outcome == 'delivered' and 'delivered' or 'undelivered', 1)
end

-- One line of the log: when it began, how long it took, the answer's status (0: none), what became of it, when the
-- next is due (0: never), why.  Its end is the job's.
local LOG_MAX = 100
local function outbox_log(token, attempt, began, ms, status, outcome, due, reason)
  local key, ttl = key_log(token), redis.call('PTTL', key_job(token))
  redis.call('RPUSH', key, string.format('%s %.0f %s %s %s %.0f %s', attempt, began, ms, status, outcome, due, reason))
  redis.call('LTRIM', key, -LOG_MAX, -1)
  if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end

-- A Redis whose memory is full refuses the first write of a script, if that could take more, and none after it.
-- So what must go on then (results, leases, heartbeats, webhooks) begins with a write that only takes away.

-- The one way into a terminal state: result, counters, webhook and expiry in one step.  Returns the language.
-- epoch: of the worker that says so; NOBODY where it was not a worker's to say, so that none is told later that it was.
local NOBODY = '0'
local function conclude(token, epoch, status, result)
  local k = key_job(token)
  local lang, url, ttl, ten, cancel, ah, nb =
    unpack(redis.call('HMGET', k, 'lang', 'url', 'ttl', 'ten', 'cancel', 'ah', 'nb'))
  redis.call('DEL', key_def(token)) -- first: see above
  redis.call('HSET', k, 'st', status, 'res', result, 'fa', now, 'fe', epoch)
  if cancel or ah or nb then redis.call('HDEL', k, 'cancel', 'ah', 'nb') end
  redis.call('PEXPIRE', k, ttl)
  redis.call('ZREM', lease, token)
  redis.call('HINCRBY', p .. ':stat:' .. lang, 'st:' .. status, 1)
  if url then outbox_put(token, lane_of(ten, url)) end
  redis.call('PUBLISH', p .. ':done', token)
  return lang
end

-- The same for one that still waits in a queue.
local function conclude_queued(token, prio, ten, bytes, status, result)
  dequeued(token, prio, ten, bytes)
  count_add('stale', 1)
  local lang = conclude(token, NOBODY, status, result)
  redis.call('ZADD', stale, now, prio .. ':' .. lang .. ':' .. ten)
end

-- Back to the head of its queue, and its tenant's turn is given back: it is next, before all whose turn is as near.
local function requeue(token)
  local k = key_job(token)
  local prio, lang, ten, by, deadline = unpack(redis.call('HMGET', k, 'prio', 'lang', 'ten', 'by', 'dl'))
  local pass = pass_now(prio) - 1
  redis.call('ZREM', lease, token)
  redis.call('HSET', k, 'st', '0', 'w', '')
  redis.call('ZADD', wait, deadline, token)
  redis.call('LPUSH', key_queue(prio, lang, ten), token)
  redis.call('HSET', key_pass(prio), ten, pass)
  redis.call('ZADD', key_ring(prio, lang), pass, ten)
  tenant_add(ten, 1, number(by))
  count_add('queued:' .. prio, 1)
  count_add('bytes', number(by))
  redis.call('PUBLISH', p .. ':ready', '1')
end

-- An attempt counts when the job is begun.  A claim counts it at once where a slot is free; of what is claimed ahead the
-- worker says later that it begins, and until then it counts for nothing.
local function begun(token, epoch, worker)
  local st, ep, w, ah = unpack(redis.call('HMGET', key_job(token), 'st', 'ep', 'w', 'ah'))
  if ah and st == '1' and ep == epoch and w == worker then redis.call('HDEL', key_job(token), 'ah') end
end

local function not_begun(token)
  redis.call('HDEL', key_job(token), 'ah')
  redis.call('HINCRBY', key_job(token), 'at', -1) -- not first: see conclude()
end

-- A tenant's bucket fills by `rate` a minute (0: there is none) and holds `burst`; more at once than it holds is lent to
-- who left it full.  What is kept is when it will be full, so an unused one takes no memory.
-- Returns nil, or the refusal: {LIMIT left reset_ms retry_ms}.
local function key_rate(ten) return p .. ':rate:' .. ten end
local function bucket_full_in(ten) return math.max(number(redis.call('GET', key_rate(ten))) - now, 0) end

local function bucket_refuses(ten, rate, burst, n)
  if rate == 0 then return nil end
  local each, full_in = 60000 / rate, bucket_full_in(ten)
  local left, wanted = burst - full_in / each, math.min(n, burst)
  if left >= wanted then return nil end
  return {'LIMIT', math.max(math.floor(left), 0), math.ceil(full_in), math.ceil((wanted - left) * each)}
end

-- {OK left reset_ms}; left -1: there is no bucket.
local function bucket_take(ten, rate, burst, n)
  if rate == 0 then return {'OK', -1, 0} end
  local each, full_in = 60000 / rate, bucket_full_in(ten)
  local left = burst - full_in / each
  full_in = math.ceil(full_in + n * each)
  redis.call('SET', key_rate(ten), string.format('%.0f', now + full_in), 'PX', full_in)
  return {'OK', math.max(math.floor(left - n), 0), full_in}
end

-- How fast jobs leave the queues: `pn` since `pt`, and `pv` a second in the time before that.
local PACE_MS = 5000
local function pace_add(key, n)
  local since, before, so_far = unpack(redis.call('HMGET', key, 'pt', 'pv', 'pn'))
  local age = now - number(since)
  if not since then
    redis.call('HSET', key, 'pt', now, 'pn', n)
  elseif age >= PACE_MS then
    redis.call('HSET', key, 'pt', now, 'pv', number(so_far) * 1000 / age, 'pn', n)
  else
    redis.call('HINCRBY', key, 'pn', n)
  end
end

-- Jobs a second; 0 if none has left.
local function pace_of(key)
  local since, before, so_far = unpack(redis.call('HMGET', key, 'pt', 'pv', 'pn'))
  if not since then return 0 end
  local age = math.max(now - number(since), 1000)
  if not before or age >= PACE_MS then return number(so_far) * 1000 / age end
  return (number(before) * PACE_MS + number(so_far) * 1000) / (PACE_MS + age)
end
