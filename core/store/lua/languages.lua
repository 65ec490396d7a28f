-- languages.lua p ttl {id version}... -> {id version}... of every language that a worker named within ttl (ms)
local key, ttl, answer = p .. ':languages', tonumber(ARGV[2]), {}
for a = 3, #ARGV, 2 do redis.call('HSET', key, ARGV[a], now .. ' ' .. ARGV[a + 1]) end
local all = redis.call('HGETALL', key)
for i = 1, #all, 2 do
  local seen, version = string.match(all[i + 1], '^(%d+) (.*)$')
  if seen and tonumber(seen) + ttl >= now then
    answer[#answer + 1] = all[i]
    answer[#answer + 1] = version
  else
    redis.call('HDEL', key, all[i])
  end
end
return answer
