-- finish.lua p worker token epoch status result bucket microseconds cache {begun token, its epoch}... -> OK | CONFLICT
--
-- A worker that was given up is not heard: its result is late, and counted.  The epoch alone does not tell it:
-- a Redis that has lost writes gives an epoch again.
-- bucket: index of the execution time's histogram bucket, -1 if nothing was run.
-- cache: "hit" or "miss" of the compiled output, "" if it was not looked for.
-- begun: what takes the slot that this job leaves, if it was claimed ahead.
local worker, token, epoch, bucket = ARGV[2], ARGV[3], ARGV[4], tonumber(ARGV[7])
local k = key_job(token)
for a = 10, #ARGV, 2 do begun(ARGV[a], ARGV[a + 1], worker) end
local st, ep, w, fe, sa = unpack(redis.call('HMGET', k, 'st', 'ep', 'w', 'fe', 'sa'))
if fe == epoch and w == worker and st ~= '0' and st ~= '1' then return 'OK' end -- the answer to the first was lost
if st ~= '1' or ep ~= epoch or w ~= worker then
  redis.pcall('HINCRBY', count, 'late', 1) -- a full memory keeps no count, and no worker waiting
  return redis.error_reply('CONFLICT the lease was lost')
end
local lang = conclude(token, epoch, ARGV[5], ARGV[6])
local s = p .. ':stat:' .. lang
count_add('served', 1) -- what a scaler reckons with: how many, and for how long (ms) they were a worker's
count_add('held', math.max(now - number(sa), 0))
if ARGV[9] ~= '' then redis.call('HINCRBY', s, 'cc:' .. ARGV[9], 1) end
if bucket >= 0 then
  redis.call('HINCRBY', s, 'b:' .. bucket, 1)
  redis.call('HINCRBY', s, 'us', ARGV[8])
end
return 'OK'
