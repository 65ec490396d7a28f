-- finish.lua p token epoch status result bucket microseconds cache -> OK | CONFLICT
--
-- bucket: index of the execution time's histogram bucket, -1 if nothing was run.
-- cache: "hit" or "miss" of the compiled output, "" if it was not looked for.
beyond_maxmemory()
local token, epoch, bucket = ARGV[2], ARGV[3], tonumber(ARGV[6])
local k = key_job(token)
local st, ep, fe = unpack(redis.call('HMGET', k, 'st', 'ep', 'fe'))
if fe == epoch and st ~= '0' and st ~= '1' then return 'OK' end -- the answer to the first was lost
if st ~= '1' or ep ~= epoch then return redis.error_reply('CONFLICT the lease was lost') end
local lang = conclude(token, epoch, ARGV[4], ARGV[5])
local s = p .. ':stat:' .. lang
if ARGV[8] ~= '' then redis.call('HINCRBY', s, 'cc:' .. ARGV[8], 1) end
if bucket >= 0 then
  redis.call('HINCRBY', s, 'b:' .. bucket, 1)
  redis.call('HINCRBY', s, 'us', ARGV[7])
end
return 'OK'
