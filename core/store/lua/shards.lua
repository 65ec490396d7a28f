-- shards.lua p n -> the number of shards that this Redis was first used with, which is n if that is now
--
-- What was used before there were shards has one, so one need not be written down, which a full memory refuses.
local has, accepted = unpack(redis.call('HMGET', count, 'shards', 'accepted'))
if has then return tonumber(has) end
local n = accepted and '1' or ARGV[2]
if n == '1' then redis.pcall('HSET', count, 'shards', n) else redis.call('HSET', count, 'shards', n) end
return tonumber(n)
