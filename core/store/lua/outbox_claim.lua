-- outbox_claim.lua p lease_ms max per_endpoint window_ms
--   -> {ms until the next is due (-1: none is), {token, attempt, tries, url, st, meta, res, sa, fa, at}...}
--
-- Endpoints take turns.  What waits for one that is full, paused or not due is not looked at, so the work does
-- not depend on how much that is.  A claim of nothing writes nothing.
-- window_ms: what has not been delivered by then is given up, whatever it waits for.
-- tries: attempts since the job ended or was redelivered, this one included.
local SWEEP_MAX, SKIP_MAX = 100, 1000
local lease_ms, max, per_endpoint = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local answer, skipped = {-1}, 0

local function overdue(token)
  local k = key_job(token)
  local url, attempt = unpack(redis.call('HMGET', k, 'url', 'da'))
  if not url then -- the result has expired: its endpoint's turn drops it there
    redis.call('ZREM', since, token)
    redis.call('HINCRBY', count, 'undelivered', 1)
    return
  end
  local endpoint = endpoint_of(url)
  if number(redis.call('ZSCORE', key_fly(endpoint), token)) > now then return end -- its attempt decides
  redis.call('ZREM', key_fly(endpoint), token)
  outbox_end(token, endpoint, 'given_up')
  outbox_log(token, number(attempt), now, 0, 0, 'given_up', 0, 'it could not be delivered in time')
  outbox_schedule(endpoint)
end

local function take(endpoint, token)
  local k = key_job(token)
  local f = redis.call('HMGET', k, 'url', 'st', 'meta', 'res', 'sa', 'fa', 'at', 'db')
  if not f[1] then
    redis.call('ZREM', key_due(endpoint), token)
    redis.call('HINCRBY', count, 'undelivered', redis.call('ZREM', since, token))
    skipped = skipped + 1
    return false
  end
  local attempt = redis.call('HINCRBY', k, 'da', 1)
  redis.call('ZADD', key_due(endpoint), now + lease_ms, token)
  redis.call('ZADD', key_fly(endpoint), now + lease_ms, token)
  answer[#answer + 1] = {token, attempt, attempt - number(f[8]), f[1], f[2], f[3], f[4], f[5], f[6], f[7]}
  return true
end

-- How many more may go there; of one whose pause is over one, to see.
local function room_of(endpoint)
  local fly = key_fly(endpoint)
  redis.call('ZREMRANGEBYSCORE', fly, '-inf', now)
  local til, flying = redis.call('HGET', key_brk(endpoint), 'til'), redis.call('ZCARD', fly)
  if not til then return per_endpoint - flying end
  return number(til) > now and 0 or 1 - flying
end

local function visit(endpoint)
  local due, fly, room = key_due(endpoint), key_fly(endpoint), room_of(endpoint)
  while room > 0 and #answer <= max and skipped < SKIP_MAX do
    local tokens = redis.call('ZRANGEBYSCORE', due, '-inf', now, 'LIMIT', 0, math.min(room, max + 1 - #answer))
    if #tokens == 0 then break end
    for _, token in ipairs(tokens) do
      if take(endpoint, token) then room = room - 1 end
    end
  end
  outbox_schedule(endpoint)
  -- A full one is looked at again when an attempt was settled, or its lease is over.
  local first = room <= 0 and redis.call('ZRANGE', fly, 0, 0, 'WITHSCORES')[2]
  local turn = first and redis.call('ZSCORE', out, endpoint)
  if turn and number(turn) < number(first) then redis.call('ZADD', out, first, endpoint) end
end

for _, token in ipairs(redis.call('ZRANGEBYSCORE', since, '-inf', now - tonumber(ARGV[5]), 'LIMIT', 0, SWEEP_MAX)) do
  overdue(token)
end
for _, endpoint in ipairs(redis.call('ZRANGEBYSCORE', out, '-inf', now, 'LIMIT', 0, max)) do
  if #answer <= max and skipped < SKIP_MAX then visit(endpoint) end
end
local next = redis.call('ZRANGE', out, 0, 0, 'WITHSCORES')[2]
if next then answer[1] = math.max(0, number(next) - now) end
return answer
