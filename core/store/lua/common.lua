-- common.lua - put before every script: keys, time, and the steps that several scripts share.
--
-- Every key of a shard begins with the same hash tag, so that Redis Cluster keeps them together; the names
-- are made from ARGV[1] and what is stored, never from another shard's keys.
--
--   <p>:job:<token>           hash: st status, def (what a worker needs), meta (what a client sees), prio, lang,
--                             ten tenant, by bytes, url, ep epoch, at attempts, w worker, qa queued at, sa started
--                             at, fa finished at, fe epoch that finished it, res result, cancel, da delivery
--                             attempts, dr why the last delivery failed
--   <p>:ring:<prio>:<lang>    list of tenants with something queued, each once
--   <p>:q:<prio>:<lang>:<ten> list of tokens
--   <p>:lease                 sorted set: token by the end of its lease (ms)
--   <p>:out                   sorted set: token by when its delivery is due (ms)
--   <p>:count                 hash of counters
--   <p>:langs, <p>:stat:<lang>  languages seen, their statistics
local p = ARGV[1]
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function key_job(token) return p .. ':job:' .. token end
local function key_ring(prio, lang) return p .. ':ring:' .. prio .. ':' .. lang end
local function key_queue(prio, lang, ten) return p .. ':q:' .. prio .. ':' .. lang .. ':' .. ten end
local lease, out, count = p .. ':lease', p .. ':out', p .. ':count'

local function number(value) return tonumber(value or 0) or 0 end

-- A tenant stands in its ring exactly while its queue has something.
local function enqueue(token, prio, lang, ten, bytes, head)
  local q = key_queue(prio, lang, ten)
  local length
  if head then length = redis.call('LPUSH', q, token) else length = redis.call('RPUSH', q, token) end
  if length == 1 then
    if head then redis.call('LPUSH', key_ring(prio, lang), ten) else redis.call('RPUSH', key_ring(prio, lang), ten) end
  end
  redis.call('HINCRBY', count, 'queued:' .. prio, 1)
  redis.call('HINCRBY', count, 'bytes', bytes)
end

local function dequeued(prio, bytes)
  redis.call('HINCRBY', count, 'queued:' .. prio, -1)
  redis.call('HINCRBY', count, 'bytes', -bytes)
end

-- The one way into a terminal state: result, counters, webhook and expiry in one step.
local function conclude(token, epoch, status, result, ttl)
  local k = key_job(token)
  local lang, url = unpack(redis.call('HMGET', k, 'lang', 'url'))
  redis.call('HSET', k, 'st', status, 'res', result, 'fa', now, 'fe', epoch)
  redis.call('HDEL', k, 'def', 'cancel')
  redis.call('PEXPIRE', k, ttl)
  redis.call('ZREM', lease, token)
  redis.call('HINCRBY', p .. ':stat:' .. lang, 'st:' .. status, 1)
  if url and url ~= '' then
    redis.call('ZADD', out, now, token)
    redis.call('PUBLISH', p .. ':outbox', '1')
  end
  redis.call('PUBLISH', p .. ':done', token)
end

local function requeue(token)
  local k = key_job(token)
  local prio, lang, ten, bytes = unpack(redis.call('HMGET', k, 'prio', 'lang', 'ten', 'by'))
  redis.call('ZREM', lease, token)
  redis.call('HSET', k, 'st', '0', 'w', '')
  enqueue(token, prio, lang, ten, number(bytes), true)
  redis.call('PUBLISH', p .. ':ready', '1')
end
