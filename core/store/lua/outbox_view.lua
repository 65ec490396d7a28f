-- outbox_view.lua p token -> {state, attempts, due_ms (0: never), line of the log...} | NOTFOUND
--
-- state: none (no callback), waiting (the job has not ended), pending, sending, delivered, given_up.
local token = ARGV[2]
local st, url, attempts, ended, ten = unpack(redis.call('HMGET', key_job(token), 'st', 'url', 'da', 'do', 'ten'))
if not st then return redis.error_reply('NOTFOUND no such job') end
local answer = {'none', number(attempts), 0}
if not url then return answer end
local lane = lane_of(ten, url)
local due = redis.call('ZSCORE', key_due(lane), token)
if number(redis.call('ZSCORE', key_fly(lane), token)) > now then
  answer[1] = 'sending'
elseif due then
  answer[1] = 'pending'
  answer[3] = math.max(number(due), number(redis.call('HGET', key_brk(lane), 'til')))
else
  answer[1] = ended or 'waiting'
end
for _, line in ipairs(redis.call('LRANGE', key_log(token), 0, -1)) do answer[#answer + 1] = line end
return answer
