-- claim.lua p worker lease_ms max lang... -> more(0|1), {token, epoch, attempt, def}...
--
-- Priorities strictly in order; within one, languages take turns, and tenants take turns within a language.
-- The work does not depend on how much is queued: one pop from a ring and one from a queue for each job.  One
-- that finds nothing writes nothing.
-- more: so many dead tokens were met that this gave up; asking again at once is worth it.
local SKIP_MAX = 1000
local worker, lease_ms, max = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local langs, found, skipped, bytes = #ARGV - 4, {0}, 0, 0
local turn = number(redis.call('HGET', count, 'turn'))
local started_at, lease_end = string.format('%.0f', now), string.format('%.0f', now + lease_ms)
local tokens, leases = {}, {}

local function take(prio, lang)
  local ring = key_ring(prio, lang)
  local ten = redis.call('LPOP', ring)
  if not ten then return false end
  local q = key_queue(prio, lang, ten)
  local token = redis.call('LPOP', q)
  if redis.call('EXISTS', q) == 1 then redis.call('RPUSH', ring, ten) end
  if not token then return true end
  local k = key_job(token)
  -- A script that fails half way leaves what it has done: whatever is found here, it goes on to write its leases.
  local st, by, ep, at = unpack(redis.pcall('HMGET', k, 'st', 'by', 'ep', 'at'))
  local def = st == '0' and redis.call('GET', key_def(token))
  if not def then
    skipped = skipped + 1
    return true
  end
  ep, at = number(ep) + 1, number(at) + 1
  redis.call('HSET', k, 'st', '1', 'w', worker, 'sa', started_at, 'ep', ep, 'at', at)
  bytes = bytes + number(by)
  tokens[#tokens + 1] = token
  leases[#leases + 1] = lease_end
  leases[#leases + 1] = token
  found[#found + 1] = {token, ep, at, def}
  return true
end

for prio = 0, 2 do
  local left, before = true, #found
  while left and #found <= max and skipped < SKIP_MAX do
    left = false
    for i = 0, langs - 1 do
      if #found > max then break end
      if take(prio, ARGV[5 + (turn + i) % langs]) then left = true end
    end
    turn = turn + 1
  end
  count_add('queued:' .. prio, before - #found)
end
if #tokens + skipped > 0 then
  redis.call('HINCRBY', count, 'turn', 1)
  call_with('ZREM', wait, tokens)
  call_with('ZADD', lease, leases)
  count_add('bytes', -bytes)
  count_add('dead', -skipped)
end
if skipped >= SKIP_MAX then found[1] = 1 end
return found
