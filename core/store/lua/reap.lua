-- reap.lua p max_attempts failed_status lost_result overdue_result cancelled_status cancelled_result dead_max
--   dead_max_bytes dead_ttl unbegun_max unbegun_result -> {how many were taken over from lost workers, how many waited too long, {dead token...}}
local BATCH, SWEEP_MAX, LOOK_MS = 100, 100, 5000
local dead_max, dead_max_bytes, dead_ttl = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10])
local unbegun_max = tonumber(ARGV[11])
local dead, tenants = {}, {}

-- Ends it, and keeps its program where somebody may look at it and try again.
local function bury(token, result)
  local ten, ttl = unpack(redis.call('HMGET', key_job(token), 'ten', 'ttl'))
  if redis.call('EXISTS', key_def(token)) == 0 then return conclude(token, NOBODY, ARGV[3], result) end
  redis.call('RENAME', key_def(token), key_letter(token))
  redis.call('PEXPIRE', key_letter(token), dead_ttl)
  conclude(token, NOBODY, ARGV[3], result)
  redis.call('PEXPIRE', key_job(token), math.max(number(ttl), dead_ttl))
  redis.call('ZADD', key_dead(ten), now, token)
  redis.call('PEXPIRE', key_dead(ten), dead_ttl)
  dead[#dead + 1] = token
  tenants[ten] = true
end

-- Its worker was lost before it said that it had begun this one, so that costs it no attempt.  As the worker may have been
-- lost with just that word, such losses have a bound of their own.
local function lost_unbegun(token, before)
  if before + 1 < unbegun_max then
    requeue(token)
    redis.call('HINCRBY', key_job(token), 'nb', 1)
    not_begun(token)
  else
    bury(token, ARGV[12])
    redis.call('HINCRBY', key_job(token), 'at', -1)
  end
end

-- The newest of a tenant's stay, as far as there is room.
local function trim(ten)
  local bytes = 0
  redis.call('ZREMRANGEBYSCORE', key_dead(ten), '-inf', now - dead_ttl)
  for i, token in ipairs(redis.call('ZREVRANGE', key_dead(ten), 0, -1)) do
    bytes = bytes + redis.call('STRLEN', key_letter(token))
    if i > dead_max or bytes > dead_max_bytes then
      redis.call('ZREM', key_dead(ten), token)
      redis.call('DEL', key_letter(token))
    end
  end
end

-- Takes the stale tokens at the head of a queue.  What is behind one that waits is looked at later.  Keys of another
-- type must not keep the rest from being done.
local function sweep(name)
  local prio, lang, ten = string.match(name, '^(%d+):([^:]*):(.*)$')
  if not prio then return redis.call('ZREM', stale, name) end
  local q, dropped = p .. ':q:' .. name, 0
  local token = redis.pcall('LINDEX', q, 0)
  while type(token) == 'string' and dropped < SWEEP_MAX and redis.pcall('HGET', key_job(token), 'st') ~= '0' do
    redis.call('LPOP', q)
    dropped = dropped + 1
    token = redis.pcall('LINDEX', q, 0)
  end
  redis.call('ZREM', stale, name) -- first, if there was none: see conclude()
  if dropped > 0 then
    tenant_add(ten, -dropped, 0)
    count_add('stale', -math.min(dropped, math.max(number(redis.call('HGET', count, 'stale')), 0)))
  end
  if type(token) == 'string' then
    redis.call('ZADD', stale, dropped < SWEEP_MAX and now + LOOK_MS or now, name)
  else
    redis.call('ZREM', key_ring(prio, lang), ten)
  end
end

local expired = redis.call('ZRANGEBYSCORE', lease, '-inf', now, 'LIMIT', 0, BATCH)
for _, token in ipairs(expired) do
  local st, at, cancel, ah, nb = unpack(redis.call('HMGET', key_job(token), 'st', 'at', 'cancel', 'ah', 'nb'))
  if st ~= '1' then
    redis.call('ZREM', lease, token)
  elseif cancel then
    conclude(token, NOBODY, ARGV[6], ARGV[7])
  elseif ah then
    lost_unbegun(token, number(nb))
  elseif number(at) >= tonumber(ARGV[2]) then
    bury(token, ARGV[4])
  else
    requeue(token)
  end
end
if #expired > 0 then redis.call('HINCRBY', count, 'recovered', #expired) end
count_add('dead', #dead)
for ten in pairs(tenants) do trim(ten) end

local overdue = redis.call('ZRANGEBYSCORE', wait, '-inf', now, 'LIMIT', 0, BATCH)
for _, token in ipairs(overdue) do
  local st, prio, ten, by = unpack(redis.call('HMGET', key_job(token), 'st', 'prio', 'ten', 'by'))
  if st == '0' then
    conclude_queued(token, prio, ten, number(by), ARGV[3], ARGV[5])
  else
    redis.call('ZREM', wait, token)
  end
end
for _, name in ipairs(redis.call('ZRANGEBYSCORE', stale, '-inf', now, 'LIMIT', 0, BATCH)) do sweep(name) end
return {#expired, #overdue, dead}
