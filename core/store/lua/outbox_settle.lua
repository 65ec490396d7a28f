-- outbox_settle.lua p token attempt outcome(delivered|failed|given_up) retry_ms window_ms health(well|ill|unknown)
--                   pause_after pause_ms ms status reason
--   -> ms for which the endpoint is paused from now on (0: it is not, or was already)
--
-- failed: tried again after retry_ms, the last time at the end of the window.
-- health of the endpoint: after pause_after failures in a row (0: never) it is left alone for pause_ms, then tried
-- with one delivery; each failure of that doubles the pause, up to 16 times, and one that is well ends it.
local PAUSE_FACTOR_MAX = 16
local token, attempt, outcome, health = ARGV[2], ARGV[3], ARGV[4], ARGV[7]
local retry_ms, window, ms = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[10])
local k = key_job(token)
local da, url, ten = unpack(redis.call('HMGET', k, 'da', 'url', 'ten'))
if da ~= attempt or not url then return 0 end -- somebody else tries by now
local lane = lane_of(ten, url)

local function note_health()
  local brk, pause_after = key_brk(lane), tonumber(ARGV[8])
  if health == 'well' then redis.call('DEL', brk) end
  if health ~= 'ill' or pause_after == 0 then return 0 end
  local failures = redis.call('HINCRBY', brk, 'n', 1)
  local pauses, til = unpack(redis.call('HMGET', brk, 'pauses', 'til'))
  local pause = tonumber(ARGV[9]) * math.min(2 ^ number(pauses), PAUSE_FACTOR_MAX)
  redis.call('PEXPIRE', brk, math.max(window, 2 * pause))
  if failures < pause_after or number(til) > now then return 0 end
  redis.call('HSET', brk, 'til', string.format('%.0f', now + pause), 'pauses', number(pauses) + 1)
  return pause
end

redis.call('ZREM', key_fly(lane), token)
local last, due = number(redis.call('ZSCORE', since, token)) + window, 0
if outcome == 'failed' and last <= now then outcome = 'given_up' end
if outcome == 'failed' then
  due = math.min(now + retry_ms, last)
  redis.call('ZADD', key_due(lane), due, token)
  redis.call('HINCRBY', count, 'retried', 1)
else
  outbox_end(token, lane, outcome)
end
outbox_log(token, attempt, now - ms, ARGV[10], ARGV[11], outcome, due, ARGV[12])
local paused = note_health()
outbox_schedule(lane)
return paused
