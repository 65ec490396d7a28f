-- finish.lua p token epoch status result ttl bucket seconds -> OK | CONFLICT
--
-- bucket: index of the execution time's histogram bucket, -1 if nothing was run.
local token, epoch, bucket = ARGV[2], ARGV[3], tonumber(ARGV[7])
local k = key_job(token)
local st, ep, fe, lang = unpack(redis.call('HMGET', k, 'st', 'ep', 'fe', 'lang'))
if fe == epoch and st ~= '0' and st ~= '1' then return 'OK' end -- the answer to the first was lost
if st ~= '1' or ep ~= epoch then return redis.error_reply('CONFLICT the lease was lost') end
conclude(token, epoch, ARGV[4], ARGV[5], ARGV[6])
if bucket >= 0 then
  local s = p .. ':stat:' .. lang
  redis.call('HINCRBY', s, 'b:' .. bucket, 1)
  redis.call('HINCRBY', s, 'n', 1)
  redis.call('HINCRBYFLOAT', s, 'sum', ARGV[8])
end
return 'OK'
