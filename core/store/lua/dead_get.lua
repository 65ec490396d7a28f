-- dead_get.lua p tenant token -> {ended_ms, bytes, attempts, letter} | NOTFOUND
local ended = redis.call('ZSCORE', key_dead(ARGV[2]), ARGV[3])
local letter = ended and redis.call('GET', key_letter(ARGV[3]))
if not letter then return redis.error_reply('NOTFOUND no such dead letter') end
return {ended, #letter, redis.call('HGET', key_job(ARGV[3]), 'at'), letter}
