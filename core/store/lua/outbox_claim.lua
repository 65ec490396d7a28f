-- outbox_claim.lua p lease_ms max per_endpoint window_ms bytes_max free {tenant flying}...
--   -> {ms until the next is due (-1: none is), {token, attempt, tries, url, st, meta, res, sa, fa, at}...}
--
-- Tenants take turns, and a tenant's endpoints do.  What waits for an endpoint that is full, paused or not due is not
-- looked at, so the work does not depend on how much that is.  A claim of nothing writes nothing.
-- window_ms: what has not been delivered by then is given up, whatever it waits for.
-- bytes_max: of results, at which a claim ends; one may be more.
-- free, flying: places of the sender, and those that tenants hold.  A tenant may hold SHARE times as many as are free
-- (the dynamic threshold of Choudhury and Hahne), so one alone has three quarters of them, two have three sevenths
-- each, and a place is left for who comes next.  free 0: any number.
-- tries: attempts since the job ended or was redelivered, this one included.
local SWEEP_MAX, SKIP_MAX, SHARE = 100, 1000, 3
local lease_ms, max, per_endpoint = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local bytes_max, free, flying, holders = tonumber(ARGV[6]), tonumber(ARGV[7]), {}, 0
local answer, skipped, bytes = {-1}, 0, 0
for a = 8, #ARGV, 2 do
  flying[ARGV[a]] = tonumber(ARGV[a + 1])
  holders = holders + 1
end

local function full() return #answer > max or skipped >= SKIP_MAX or bytes >= bytes_max end

-- How many more places the tenant may have: each that it takes is one less that is free.
local function share_of(ten)
  if free == 0 then return max end
  return math.ceil((SHARE * (free + 1 - #answer) - (flying[ten] or 0)) / (SHARE + 1))
end

local function overdue(token)
  local k = key_job(token)
  local url, attempt, ten = unpack(redis.call('HMGET', k, 'url', 'da', 'ten'))
  if not url then -- the result has expired: its endpoint's turn drops it there
    redis.call('ZREM', since, token)
    redis.call('HINCRBY', count, 'undelivered', 1)
    return
  end
  local lane = lane_of(ten, url)
  if number(redis.call('ZSCORE', key_fly(lane), token)) > now then return end -- its attempt decides
  redis.call('ZREM', key_fly(lane), token)
  outbox_end(token, lane, 'given_up')
  outbox_log(token, number(attempt), now, 0, 0, 'given_up', 0, 'it could not be delivered in time')
  outbox_schedule(lane)
end

local function take(lane, ten, token)
  local k = key_job(token)
  local f = redis.call('HMGET', k, 'url', 'st', 'meta', 'res', 'sa', 'fa', 'at', 'db')
  if not f[1] then
    redis.call('ZREM', key_due(lane), token)
    redis.call('HINCRBY', count, 'undelivered', redis.call('ZREM', since, token))
    skipped = skipped + 1
    return false
  end
  local attempt = redis.call('HINCRBY', k, 'da', 1)
  redis.call('ZADD', key_due(lane), now + lease_ms, token)
  redis.call('ZADD', key_fly(lane), now + lease_ms, token)
  answer[#answer + 1] = {token, attempt, attempt - number(f[8]), f[1], f[2], f[3], f[4], f[5], f[6], f[7]}
  flying[ten] = (flying[ten] or 0) + 1
  bytes = bytes + #(f[3] or '') + #(f[4] or '')
  return true
end

-- How many more may go there; of one whose pause is over one, to see.
local function room_of(lane)
  local fly = key_fly(lane)
  redis.call('ZREMRANGEBYSCORE', fly, '-inf', now)
  local til, there = redis.call('HGET', key_brk(lane), 'til'), redis.call('ZCARD', fly)
  if not til then return per_endpoint - there end
  return number(til) > now and 0 or 1 - there
end

-- At most `quota` of one endpoint.
local function visit(lane, ten, quota)
  local room, taken = room_of(lane), 0
  local function wanted() return math.min(room - taken, quota - taken, share_of(ten)) end
  while wanted() > 0 and not full() do
    local tokens = redis.call('ZRANGEBYSCORE', key_due(lane), '-inf', now, 'LIMIT', 0, wanted())
    if #tokens == 0 then break end
    for _, token in ipairs(tokens) do
      if not full() and take(lane, ten, token) then taken = taken + 1 end
    end
  end
  -- A full one is looked at again when an attempt was settled, or its lease is over.
  outbox_schedule(lane, taken >= room and redis.call('ZRANGE', key_fly(lane), 0, 0, 'WITHSCORES')[2] or nil)
  return taken
end

-- A turn of a tenant: at most `quota`.  Returns whether it may have more.
local function serve(ten, quota)
  local rest = quota
  for _, endpoint in ipairs(redis.call('ZRANGEBYSCORE', key_turn(ten), '-inf', now, 'LIMIT', 0, quota)) do
    if rest > 0 and share_of(ten) > 0 and not full() then rest = rest - visit(ten .. '/' .. endpoint, ten, rest) end
  end
  outbox_turn(ten, true)
  return rest == 0 and share_of(ten) > 0
end

for _, token in ipairs(redis.call('ZRANGEBYSCORE', since, '-inf', now - tonumber(ARGV[5]), 'LIMIT', 0, SWEEP_MAX)) do
  overdue(token)
end
local waiting = {}
for _, ten in ipairs(redis.call('ZRANGEBYSCORE', out, '-inf', now, 'LIMIT', 0, max + holders)) do
  if share_of(ten) > 0 then waiting[#waiting + 1] = ten end
end
while #waiting > 0 and not full() do -- what one does not need of its part goes to the others
  local quota, again = math.max(math.floor((max + 1 - #answer) / #waiting), 1), {}
  for _, ten in ipairs(waiting) do
    if not full() and serve(ten, quota) then again[#again + 1] = ten end
  end
  waiting = again
end
-- Who may have no more is not waited for: a place that is free again asks.
local turns = redis.call('ZRANGE', out, 0, holders + #answer, 'WITHSCORES')
for i = 1, #turns, 2 do
  if share_of(turns[i]) > 0 then
    answer[1] = math.max(0, number(turns[i + 1]) - now)
    break
  end
end
return answer
