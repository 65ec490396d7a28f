-- dead_list.lua p tenant offset max -> all, {token, ended_ms, bytes, attempts, meta}...  the newest first
local k, answer = key_dead(ARGV[2]), {}
local offset, max = tonumber(ARGV[3]), tonumber(ARGV[4])
answer[1] = redis.call('ZCARD', k)
if max == 0 then return answer end -- ZREVRANGE takes -1 for all
local list = redis.call('ZREVRANGE', k, offset, offset + max - 1, 'WITHSCORES')
for i = 1, #list, 2 do
  local at, meta = unpack(redis.call('HMGET', key_job(list[i]), 'at', 'meta'))
  local bytes = redis.call('STRLEN', key_letter(list[i]))
  if meta and bytes > 0 then answer[#answer + 1] = {list[i], list[i + 1], bytes, at, meta} end
end
return answer
