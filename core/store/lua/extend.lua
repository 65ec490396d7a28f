-- extend.lua p worker lease_ms {token epoch begun(0|1)}... -> {0 held | 1 lost | 2 cancelled}...
local worker, lease_ms, answer = ARGV[2], tonumber(ARGV[3]), {}
for a = 4, #ARGV, 3 do
  local st, ep, w, cancel = unpack(redis.call('HMGET', key_job(ARGV[a]), 'st', 'ep', 'w', 'cancel'))
  if st ~= '1' or ep ~= ARGV[a + 1] or w ~= worker then
    answer[#answer + 1] = 1
  else
    redis.call('ZREM', lease, ARGV[a]) -- also with a full memory: see conclude()
    redis.call('ZADD', lease, now + lease_ms, ARGV[a])
    if ARGV[a + 2] == '1' then begun(ARGV[a], ARGV[a + 1], worker) end
    answer[#answer + 1] = cancel and 2 or 0
  end
end
return answer
