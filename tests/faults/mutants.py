"""The store without one of its guarantees: Lua that runs before a script's own (proxy.py puts it in as it is loaded)."""

# name: (what it is, the row that must notice, how it says so (a regular expression), {script: prelude})
MUTANTS = {
    "fence": ("finish takes any epoch's result, at any time", "E04",
              "terminal results|a result of epoch|a result of a job that did not run", {
        "finish": "do local st, ep = unpack(redis.call('HMGET', key_job(ARGV[3]), 'st', 'ep'))\n"
                  "if st and (st ~= '1' or ep ~= ARGV[4]) then\n"
                  "  conclude(ARGV[3], ARGV[4], ARGV[5], ARGV[6])\n"
                  "  return 'OK'\n"
                  "end end"}),
    "heartbeat": ("leases are not extended", "E02", "nothing was done to their worker", {
        "extend": "do local held = {} for _ = 4, #ARGV, 3 do held[#held + 1] = 0 end return held end"}),
    "outbox": ("a result is written without its webhook", "E20", "webhooks that never came", {
        "finish": "redis.call('HDEL', key_job(ARGV[3]), 'url')"}),
    "begun": ("a job that was not begun loses an attempt with its worker", "E02b", "begun: False", {
        "reap": "for _, t in ipairs(redis.call('ZRANGEBYSCORE', lease, '-inf', now)) do\n"
                "  redis.call('HDEL', key_job(t), 'ah')\n"
                "end"}),
    "reaper": ("nobody returns expired leases", "E02", "never ended", {"reap": "do return {0, 0, {}} end"}),
    "late": ("finish takes what comes late for a repeat", "E17", "told that its late result was recorded", {
        "finish": "if tonumber(redis.call('HGET', key_job(ARGV[3]), 'st') or 0) > 1 then return 'OK' end"}),
    "idempotency": ("an Idempotency-Key is not remembered", "E21", "submitted twice", {"submit": "ARGV[11] = ''"}),
    "release": ("a job that is handed back is forgotten", "E18", "never ended", {
        "release": "do redis.call('ZREM', lease, ARGV[3]) return 'OK' end"}),
}
