"""Faults of what is stored: disks that lose, fill up, end in the middle; records that nobody can read."""

import os
import shutil
import struct
import subprocess
import time
import uuid

from resp import Client, RedisError
from rows import row
from server import end_with_us, eventually

LOST_S = 2.0  # of what was accepted last, with everysec: a sync each second, and one more while it is slow
SCAN_PORT = 6950

# What must hold of every state that Redis can come back with; returns what does not.
INVARIANTS = """
local bad, queued = {}, {}
for _, q in ipairs(redis.call('KEYS', '*:q:*')) do
  for _, t in ipairs(redis.call('LRANGE', q, 0, -1)) do queued[t] = (queued[t] or 0) + 1 end
end
for _, k in ipairs(redis.call('KEYS', '*:job:*')) do
  local p, t = string.match(k, '^(.*):job:(.*)$')
  local st = redis.call('HGET', k, 'st')
  local leased = redis.call('ZSCORE', p .. ':lease', t)
  local def = redis.call('EXISTS', p .. ':def:' .. t) == 1
  local waits = redis.call('ZSCORE', p .. ':wait', t)
  if st == '0' and not (queued[t] == 1 and def and waits and not leased) then bad[#bad + 1] = t .. ' queued' end
  if st == '1' and not (leased and def and not waits and not queued[t]) then bad[#bad + 1] = t .. ' running' end
  if st ~= '0' and st ~= '1' and (leased or def or waits or redis.call('PTTL', k) < 0) then bad[#bad + 1] = t .. ' ended' end
end
return bad
"""


# ---- power ----


def cut_power(w, allowed):
    """Redis dies, and its disk has what was synced."""
    r = w.fleet.redis
    r.gone()
    at = time.time()
    r.process.kill()
    r.process.wait()
    synced = struct.unpack("q", r.synced.read_bytes())[0] if r.synced.exists() else 0
    size = r.aof.stat().st_size
    os.truncate(r.aof, synced)
    w.fleet.note("redis_power", "redis")
    if allowed:
        w.v.losses.append((at - LOST_S, at))
    w.cut_bytes = getattr(w, "cut_bytes", 0) + size - synced
    r.start()
    return True


def power(allowed):
    def faults(w):
        w.load(400)
        w.repeat(int(6 * w.factor), lambda: cut_power(w, allowed), 0.3, 1.2)
        w.v.notes.append("%d bytes were written and not synced" % w.cut_bytes)
    return faults


row("E06", "power cut of Redis' disk, appendfsync always: what was not synced is gone",
    fleet={"slots": 4, "disk": True})(power(False))
row("E06b", "the same with everysec: what was accepted in the last 2 s may be lost, and answers 404",
    fleet={"slots": 4, "disk": True, "fsync": "everysec"})(power(True))


@row("E07", "the append-only file ends at any byte of its last 4 KiB (each eighth is loaded, `--factor 8`: each); then one live",
     fleet={"slots": 4}, load={"pace": 150})
def e07(w):
    w.load(300)
    w.pause(1.2)
    r = w.fleet.redis
    w.fleet.note("kill_redis", "redis")
    r.kill()
    data = r.aof.read_bytes()
    r.start()
    begin, every = max(0, len(data) - 4096), max(1, int(8 / w.factor))
    scanned = scan(w, data, range(begin, len(data), every))
    w.v.notes.append("%d lengths loaded" % scanned)
    w.load(100)
    w.pause(0.3)
    w.fleet.note("redis_cut", "redis")
    at = time.time()
    r.kill()
    os.truncate(r.aof, r.aof.stat().st_size - w.rng.randrange(1, 4096))
    w.v.losses.append((at - LOST_S, at))
    r.start()


def scan(w, data, lengths):
    """A server of its own loads each, as after a loss of power; how many they were."""
    folder = w.fleet.directory / "scan"
    (folder / "appendonlydir").mkdir(parents=True)
    for name in ("appendonly.aof.manifest", "appendonly.aof.1.base.rdb"):
        shutil.copy(w.fleet.redis.directory / "appendonlydir" / name, folder / "appendonlydir" / name)
    aof = folder / "appendonlydir/appendonly.aof.1.incr.aof"
    aof.write_bytes(b"")
    bad = []
    for length in lengths:
        aof.write_bytes(data[:length])
        server = subprocess.Popen(["redis-server", "--port", str(SCAN_PORT), "--dir", str(folder), "--save", "", "--appendonly",
                                   "yes", "--appendfsync", "no", "--loglevel", "warning"], stdout=subprocess.DEVNULL,
                                  preexec_fn=end_with_us)
        try:
            c = eventually(lambda: connected(SCAN_PORT), "a server answers that was given %d bytes" % length, 20)
            bad += ["%d: %s" % (length, b.decode()) for b in c("EVAL", INVARIANTS, 0)]
            c.close()
        finally:
            server.kill()
            server.wait()
    w.v.some("lengths after which something is half done", bad)
    return len(lengths)


def connected(port):
    try:
        c = Client(port)
        return c if c("PING") == b"PONG" else None
    except (OSError, RedisError):  # LOADING
        return None


# ---- full disks ----


def fill(folder):
    """Leaves nothing, or a few kB; returns the file that takes the rest."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    try:
        filler.write_bytes(bytes(max(0, free.f_bavail * free.f_frsize - 16384)))
    except OSError:
        pass  # others write as well: it is full
    return filler


def disk_full(w):
    w.load(500)
    w.pause(1)
    r = w.fleet.redis
    w.fleet.note("redis_disk_full", "redis")
    filler = fill(r.directory)
    end = time.monotonic() + 5
    while time.monotonic() < end:  # with `always` it ends at the first write; its supervisor starts it again and again
        if r.process.poll() is not None:
            r.gone()
            w.fleet.note("redis_ended", "redis", r.process.pid)
            r.start(wait=False)
        w.pause(0.2)
    filler.unlink()

    def back():  # its last write may still end it
        if r.process.poll() is not None:
            r.gone()
            r.start(wait=False)
        return r.answers()
    eventually(back, "Redis answers", 30)
    for down in r.down:
        down[1] = down[1] or time.time()
    refused = {s for _, s in w.clients.refusals}
    assert refused <= {503}, refused


row("E08", "the disk of the append-only file is full for 5 s, appendfsync everysec (MISCONF)",
    fleet={"slots": 4, "fsync": "everysec", "disk_kb": 4096})(disk_full)
row("E08b", "the same with always: redis-server ends at each write", fleet={"slots": 4, "disk_kb": 4096})(disk_full)


@row("E25", "a worker's own disk is full: the compile cache takes nothing", fleet={"slots": 4, "state_kb": 128}, load={"pace": 30})
def e25(w):
    fill(w.fleet.state)
    w.fleet.note("state_disk_full", "worker0")
    w.load(150)
    jobs = [w.submit(source_code="#include <stdio.h>\nint main(void){char s[99];int a,b;scanf(\"%%d %%d %%s\",&a,&b,s);puts(s);return %d-%d;}\n" % (i, i))
            for i in range(6)]
    assert w.clients.submitted()
    eventually(lambda: all(j.answers for j in jobs), "they end", 60)


# ---- records ----


@row("E23", "output beyond output_bytes: cut, told, and recorded", fleet={"slots": 4}, load={"pace": 40})
def e23(w):
    w.load(100)
    w.big = [w.submit(stdin="0 3000 x\n") for _ in range(2)]
    w.foreign = {j.token for j in w.big}
    eventually(lambda: all(j.answers for j in w.big), "jobs with long output end", 60)
    for j in w.big:
        a = j.answers[0]
        assert a["status"] == "output_limit_exceeded" and 0 < len(a["stdout"]) <= 1 << 20, (a["status"], len(a["stdout"]))


@row("E24", "entries in Redis that are not ours: tokens of nobody, records that cannot be read, keys of another type",
     fleet={"slots": 4, "workers": 2})
def e24(w):
    for r in w.fleet.of("worker"):
        r.held = True
        w.fleet.signal(r, 15, "term")
        r.ended.wait(20)
    mine = [w.submit() for _ in range(3)]
    broken = [str(uuid.uuid4()) for _ in range(4)]
    w.foreign = set(broken)
    with w.fleet.redis.client() as c:
        queue = c("KEYS", "*:q:*")[0]
        like = c("HGETALL", "{execd}:job:" + mine[0].token)
        definition = c("GET", "{execd}:def:" + mine[0].token)
        job, made = "{execd}:job:", dict(zip(like[::2], like[1::2]))
        c("HSET", job + broken[0], *like)
        c("SET", "{execd}:def:" + broken[0], b"\xff\xfe no record of any version")  # a schema that nobody knows
        c("SET", job + broken[1], "a string where a hash should be")
        c("SET", "{execd}:def:" + broken[1], definition)
        c("HSET", job + broken[2], *[x for k, v in made.items() if k not in (b"ep", b"at") for x in (k, v)])
        c("SET", "{execd}:def:" + broken[2], definition)
        for token in broken:  # the last of them is nobody's; they are met one by one, before ours
            c("LPUSH", queue, token)
        c("HINCRBY", "{execd}:count", "queued:1", 2)
        c("HINCRBY", "{execd}:count", "bytes", 2 * int(made[b"by"]))
    w.fleet.note("redis_foreign", "redis")
    for r in w.fleet.of("worker"):
        r.held = False
    w.load(100)
    eventually(lambda: all(j.answers for j in mine), "jobs behind them end", 60)
    eventually(lambda: w.fleet.redis.call("HGET", job + broken[0], "st") == b"10", "one that nobody can read ends", 60)
    with w.fleet.redis.client() as c:
        c("DEL", job + broken[1], "{execd}:def:" + broken[1])
