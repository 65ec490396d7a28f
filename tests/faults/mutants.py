"""The store without one of its guarantees: Lua that runs before a script's own (proxy.py puts it in as it is loaded)."""

MUTANTS = {
    "fence": ("finish takes the result of any epoch, at any time", {
        "finish": "ARGV[3] = redis.call('HGET', key_job(ARGV[2]), 'ep') or '0'\n"
                  "if redis.call('EXISTS', key_job(ARGV[2])) == 1 then\n"
                  "  redis.call('HDEL', key_job(ARGV[2]), 'fe')\n"
                  "  redis.call('HSET', key_job(ARGV[2]), 'st', '1', 'ep', ARGV[3])\n"
                  "end"}),
    "heartbeat": ("leases are not extended", {
        "extend": "do local held = {} for _ = 4, #ARGV, 2 do held[#held + 1] = 0 end return held end"}),
    "outbox": ("a result is written without its webhook", {
        "finish": "redis.call('HDEL', key_job(ARGV[2]), 'url')"}),
    "reaper": ("nobody returns expired leases", {"reap": "do return {0, 0} end"}),
    "epoch": ("a claim does not raise the epoch", {
        "claim": "local hset = redis.call\n"
                 "local redis = {call = function(c, k, ...)\n"
                 "  local a = {...}\n"
                 "  if c == 'HSET' and a[1] == 'st' then a[8] = 1 end\n"
                 "  return hset(c, k, unpack(a)) end, error_reply = redis.error_reply}"}),
}
