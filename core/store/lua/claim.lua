-- claim.lua p worker lease_ms max lang... -> {token, epoch, attempt, def}...
--
-- Priorities strictly in order; within one, languages take turns, and tenants take turns within a language.
-- The work does not depend on how much is queued: one pop from a ring and one from a queue for each job.
local worker, lease_ms, max = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local langs, found, skipped = #ARGV - 4, {}, 0
local turn = redis.call('HINCRBY', count, 'turn', 1)

local function take(prio, lang)
  local ring = key_ring(prio, lang)
  local ten = redis.call('LPOP', ring)
  if not ten then return false end
  local q = key_queue(prio, lang, ten)
  local token = redis.call('LPOP', q)
  if redis.call('LLEN', q) > 0 then redis.call('RPUSH', ring, ten) end
  if not token then return true end
  local k = key_job(token)
  local st, by, def = unpack(redis.call('HMGET', k, 'st', 'by', 'def'))
  if st ~= '0' or not def then -- cancelled while it waited
    skipped = skipped + 1
    return true
  end
  dequeued(prio, number(by))
  redis.call('HSET', k, 'st', '1', 'w', worker, 'sa', now)
  local epoch = redis.call('HINCRBY', k, 'ep', 1)
  local attempt = redis.call('HINCRBY', k, 'at', 1)
  redis.call('ZADD', lease, now + lease_ms, token)
  found[#found + 1] = {token, epoch, attempt, def}
  return true
end

for prio = 0, 2 do
  local left = true
  while left and #found < max and skipped < 1000 do
    left = false
    for i = 0, langs - 1 do
      if #found >= max then break end
      if take(prio, ARGV[5 + (turn + i) % langs]) then left = true end
    end
    turn = turn + 1
  end
end
return found
