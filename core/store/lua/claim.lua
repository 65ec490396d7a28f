-- claim.lua p worker lease_ms max at_once lang... -> more(0|1), {token, epoch, ahead(0|1), def}...
--
-- Priorities strictly in order; within one, tenants take turns by their weight, and the languages of a tenant do.
-- The work does not depend on how much is queued: for each job a look at the first of each language's ring, and
-- one pop.  One that finds nothing writes nothing.
-- at_once: how many the worker begins as soon as it has them, the first ones.  The others are claimed ahead: begun().
-- more: so many stale tokens were met that this gave up; asking again at once is worth it.
local SKIP_MAX, STRIDE = 1000, 1000000
local worker, lease_ms, max, at_once = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local langs, found, skipped, bytes = {unpack(ARGV, 6)}, {0}, 0, 0
local started_at, lease_end = string.format('%.0f', now), string.format('%.0f', now + lease_ms)
local tokens, leases = {}, {}

-- The first of a ring.  A pass from before its tenant had a turn in another language is put right on sight.
local function first(prio, lang)
  local ring = key_ring(prio, lang)
  while true do
    local ten, pass = unpack(redis.call('ZRANGE', ring, 0, 0, 'WITHSCORES'))
    if not ten then return nil end
    local due = number(redis.call('HGET', key_pass(prio), ten))
    if number(pass) >= due then return ten, number(pass) end
    redis.call('ZREM', ring, ten) -- also with a full memory: see conclude()
    redis.call('ZADD', ring, due, ten)
  end
end

local function next_tenant(prio)
  local ten, pass
  for _, lang in ipairs(langs) do
    local t, at = first(prio, lang)
    if t and (not pass or at < pass) then ten, pass = t, at end
  end
  return ten, pass
end

-- The next token of a tenant that stands first somewhere, of the language after its last one that has any.
local function pop(prio, ten)
  local last, from = redis.call('HGET', key_pass(prio), 'lang:' .. ten), 0
  for i, lang in ipairs(langs) do
    if lang == last then from = i end
  end
  for i = 0, #langs - 1 do
    local lang = langs[(from + i) % #langs + 1]
    local q = key_queue(prio, lang, ten)
    local token = redis.call('LPOP', q)
    if token then
      if redis.call('EXISTS', q) == 0 then redis.call('ZREM', key_ring(prio, lang), ten) end
      return token, lang
    end
  end
end

local function charge(prio, ten, lang, pass, weight)
  pass = math.max(pass, pass_now(prio))
  redis.call('HSET', count, 'pass:' .. prio, pass)
  redis.call('HSET', key_pass(prio), ten, pass + math.floor(STRIDE / weight), 'lang:' .. ten, lang)
end

local function take(prio)
  local ten, pass = next_tenant(prio)
  if not ten then return false end
  local token, lang = pop(prio, ten)
  if not token then -- its queue was taken away
    for _, l in ipairs(langs) do redis.call('ZREM', key_ring(prio, l), ten) end
    return true
  end
  local k = key_job(token)
  -- A script that fails half way leaves what it has done: whatever is found here, it goes on to write its leases.
  local st, by, ep, at = unpack(redis.pcall('HMGET', k, 'st', 'by', 'ep', 'at'))
  local def = st == '0' and redis.pcall('GET', key_def(token))
  if type(def) ~= 'string' then
    skipped = skipped + 1
    tenant_add(ten, -1, 0)
    return true
  end
  ep, at, by = number(ep) + 1, number(at) + 1, number(by)
  charge(prio, ten, lang, pass, math.max(number(redis.call('HGET', p .. ':weight', ten)), 1))
  pace_add(key_tenant(ten), 1)
  tenant_add(ten, -1, -by)
  redis.call('HSET', k, 'st', '1', 'w', worker, 'sa', started_at, 'ep', ep, 'at', at)
  local ahead = #found > at_once -- found[1] is no job
  if ahead then redis.call('HSET', k, 'ah', '1') end
  bytes = bytes + by
  tokens[#tokens + 1] = token
  leases[#leases + 1] = lease_end
  leases[#leases + 1] = token
  found[#found + 1] = {token, ep, ahead and 1 or 0, def}
  return true
end

local has = redis.call('HMGET', count, 'stale', 'queued:0', 'queued:1', 'queued:2')
for prio = 0, 2 do
  local queued, before = number(has[prio + 2]), #found
  if queued + number(has[1]) > 0 then
    while #found <= max and skipped < SKIP_MAX and take(prio) do end
    count_add('queued:' .. prio, before - #found)
    -- Nobody waits: all begin anew, and nothing is kept of tenants that may never come again.
    if #tokens + skipped > 0 and queued + number(has[1]) == #found - before + skipped then
      redis.call('DEL', key_pass(prio))
      redis.call('HDEL', count, 'pass:' .. prio)
    end
  end
end
if #tokens + skipped > 0 then
  call_with('ZREM', wait, tokens)
  call_with('ZADD', lease, leases)
  count_add('bytes', -bytes)
  count_add('stale', -math.min(skipped, math.max(number(has[1]), 0))) -- a token of nobody was never counted
end
if #tokens > 0 then pace_add(count, #tokens) end
if skipped >= SKIP_MAX then found[1] = 1 end
return found
