-- languages.lua p ttl hold {id version}... -> {id version}... of every language that a worker named within ttl (ms)
--
-- hold: where no worker is there, what the last ones named holds, as if they had named it lately.  A fleet that was scaled
-- down to nobody comes up again by the jobs that are taken meanwhile.
local key, ttl, hold, answer = p .. ':languages', tonumber(ARGV[2]), ARGV[3] == '1', {}

local function anybody()
  for _, w in ipairs(redis.call('ZREVRANGE', p .. ':workers', 0, -1)) do
    if redis.call('EXISTS', p .. ':worker:' .. w) == 1 then return true end
    redis.call('ZREM', p .. ':workers', w)
  end
  return false
end

for a = 4, #ARGV, 2 do redis.call('HSET', key, ARGV[a], now .. ' ' .. ARGV[a + 1]) end
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local seen, version = string.match(all[i + 1], '^(%d+) (.*)$')
  -- Renewed when half of its time is over: so the first that comes again has the other half to name it.
  if seen and hold and tonumber(seen) + ttl / 2 < now then
    hold = not anybody()
    if hold then
      redis.call('HDEL', key, all[i]) -- also with a full memory: see conclude()
      redis.call('HSET', key, all[i], now .. ' ' .. version)
      seen = now
    end
  end
  if seen and tonumber(seen) + ttl >= now then
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = version
  else
    redis.call('HDEL', key, all[i])
  end
end
return answer
