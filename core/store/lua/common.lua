-- common.lua - put before every script: keys, time, and the steps that several scripts share.
--
-- Every key of a shard begins with the same hash tag, so that Redis Cluster keeps them together; the names
-- are made from ARGV[1] and what is stored, never from another shard's keys.
--
--   <p>:job:<token>           hash: st status, meta (what a client sees), prio, lang, ten tenant, by bytes, url
--                             (if it has one), ep epoch, at attempts, w worker, qa queued at, dl when waiting is
--                             too long, sa started at, fa finished at, fe epoch that finished it, res result, ttl
--                             of the result (ms), cancel, da delivery attempts, dr why the last delivery failed
--   <p>:def:<token>           what a worker needs, until the job has ended.  Beside the hash, because one field
--                             of more than hash-max-listpack-value bytes makes a hash take a kilobyte more
--   <p>:ring:<prio>:<lang>    list of tenants with something queued, each once
--   <p>:q:<prio>:<lang>:<ten> list of tokens
--   <p>:wait                  sorted set: token of a queued job by its dl
--   <p>:lease                 sorted set: token by the end of its lease (ms)
--   <p>:out                   sorted set: token by when its delivery is due (ms)
--   <p>:count                 hash of counters
--   <p>:langs, <p>:stat:<lang>  languages seen, their statistics
--   <p>:languages             hash: what workers say of the languages they serve
--   <p>:workers, <p>:worker:<id>  sorted set of workers by their last heartbeat, the heartbeats
--
-- A token stands in a queue once for each time its job was queued.  One whose job has ended while it waited is
-- left where it is, counted as `dead`, and dropped by the claim that meets it.
local p = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key_job(token) return p .. ':job:' .. token end
local function key_def(token) return p .. ':def:' .. token end
local function key_ring(prio, lang) return p .. ':ring:' .. prio .. ':' .. lang end
local function key_queue(prio, lang, ten) return p .. ':q:' .. prio .. ':' .. lang .. ':' .. ten end
local lease, out, count, wait = p .. ':lease', p .. ':out', p .. ':count', p .. ':wait'

local function number(value) return tonumber(value or 0) or 0 end

-- For scripts that bring a job on its way out: they must come through where Redis has reached maxmemory, or leases end
-- unextended and results find no place.  Redis refuses a script's first write for want of memory, and none after one
-- that takes no memory (SCRIPT_WRITE_DIRTY in its script.c), whether or not that found something to remove.
local function beyond_maxmemory() redis.call('DEL', p .. ':none') end

-- A command of any number of arguments: Lua's stack holds some thousands.
local function call_with(command, key, list)
  for i = 1, #list, 1000 do redis.call(command, key, unpack(list, i, math.min(i + 999, #list))) end
end

local function count_add(field, n)
  if n ~= 0 then redis.call('HINCRBY', count, field, n) end
end

-- A tenant stands in its ring exactly while its queue has something.  push: RPUSH, or LPUSH to be the next.
local function enqueue(tokens, prio, lang, ten, push)
  local q = key_queue(prio, lang, ten)
  if redis.call('EXISTS', q) == 0 then redis.call(push, key_ring(prio, lang), ten) end
  call_with(push, q, tokens)
  count_add('queued:' .. prio, #tokens)
end

local function dequeued(token, prio, bytes)
  redis.call('ZREM', wait, token)
  count_add('queued:' .. prio, -1)
  count_add('bytes', -bytes)
end

-- The one way into a terminal state: result, counters, webhook and expiry in one step.  Returns the language.
local function conclude(token, epoch, status, result)
  local k = key_job(token)
  local lang, url, ttl, cancel = unpack(redis.call('HMGET', k, 'lang', 'url', 'ttl', 'cancel'))
  redis.call('HSET', k, 'st', status, 'res', result, 'fa', now, 'fe', epoch)
  redis.call('DEL', key_def(token))
  if cancel then redis.call('HDEL', k, 'cancel') end
  redis.call('PEXPIRE', k, ttl)
  redis.call('ZREM', lease, token)
  redis.call('HINCRBY', p .. ':stat:' .. lang, 'st:' .. status, 1)
  if url then
    redis.call('ZADD', out, now, token)
    redis.call('PUBLISH', p .. ':outbox', '1')
  end
  redis.call('PUBLISH', p .. ':done', token)
  return lang
end

-- The same for one that still waits in a queue.
local function conclude_queued(token, epoch, prio, bytes, status, result)
  dequeued(token, prio, bytes)
  count_add('dead', 1)
  conclude(token, epoch, status, result)
end

local function requeue(token)
  local k = key_job(token)
  local prio, lang, ten, bytes, deadline = unpack(redis.call('HMGET', k, 'prio', 'lang', 'ten', 'by', 'dl'))
  redis.call('ZREM', lease, token)
  redis.call('HSET', k, 'st', '0', 'w', '')
  redis.call('ZADD', wait, deadline, token)
  count_add('bytes', number(bytes))
  enqueue({token}, prio, lang, ten, 'LPUSH')
  redis.call('PUBLISH', p .. ':ready', '1')
end
