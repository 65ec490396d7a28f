"""Faults of Redis: its process, its answers, its memory, its clock."""

import struct
import threading
import time

from resp import RedisError
from rows import ROWS, row
from server import eventually


def killed_often(w):
    w.load(400)
    w.repeat(int(20 * w.factor), lambda: w.fleet.kill_redis() or True, 0.1, 0.4)


row("E05", "kill -9 of redis-server under load, appendfsync always", fleet={"slots": 4})(killed_often)
row("E05b", "kill -9 of redis-server under load, appendfsync everysec", fleet={"slots": 4, "fsync": "everysec"})(killed_often)


@row("E09", "maxmemory is reached under load", fleet={"slots": 4})
def e09(w):
    w.load(400)
    w.pause(0.5)
    jobs = [w.submit(ms=3000) for _ in range(4)]
    for job in jobs:
        w.running_on(job)
    w.fleet.note("redis_oom", "redis")
    w.fleet.redis.call("CONFIG", "SET", "maxmemory", "1mb")
    w.load(100)
    w.pause(3 * w.lease_s() + 3)  # three attempts' time
    w.v.notes.append("%d of 4 running jobs recorded meanwhile" % sum(w.state(j) == "2" for j in jobs))
    refused = [s for _, s in w.clients.refusals]
    w.fleet.redis.call("CONFIG", "SET", "maxmemory", "0")
    assert refused and set(refused) == {503}, "submissions were answered with %s" % set(refused)


@row("E10", "FLUSHALL and SCRIPT FLUSH under load", fleet={"slots": 4})
def e10(w):
    w.load(200)
    w.pause(1)
    w.fleet.note("redis_flush", "redis")
    with w.fleet.redis.client() as c:
        c("FLUSHALL")
        c("SCRIPT", "FLUSH")
    gone = [t for t, j in list(w.clients.jobs.items()) if not j.answers]
    w.v.notes.append("%d jobs were flushed with it" % len(gone))
    w.load(200)


@row("E11", "Redis answers after 2 s: CLIENT PAUSE, DEBUG SLEEP", fleet={"slots": 4, "lease_ms": 8000}, load={"pace": 40})
def e11(w):
    w.load(300)
    for args in (("CLIENT", "PAUSE", 2000, "ALL"), ("DEBUG", "SLEEP", 2)) * 2:
        w.fleet.note("redis_slow", "redis")
        w.fleet.redis.call(*args)
        w.pause(2.5)


def no_lease_was_lost(w):
    lost = [t for t, p in w.v.history.jobs.items() if sum(c.end == "requeued" for c in p.claims)]
    w.v.some("leases lost although every worker lives", lost)


ROWS["E11"]["after"] = no_lease_was_lost


# ---- classes of errors ----


def noscript(c):
    c("SCRIPT", "FLUSH")
    time.sleep(1)


def readonly(c):
    c("REPLICAOF", "127.0.0.1", 1)
    time.sleep(1)
    c("REPLICAOF", "NO", "ONE")


def noreplicas(c):
    c("CONFIG", "SET", "min-replicas-to-write", 1)
    time.sleep(1)
    c("CONFIG", "SET", "min-replicas-to-write", 0)


def misconf(c):
    """A background save that fails, with stop-writes-on-bgsave-error."""
    c("CONFIG", "SET", "dbfilename", "appendonlydir")  # it cannot be renamed to a folder's name
    c("CONFIG", "SET", "save", "3600 100000000")
    c("BGSAVE")
    eventually(lambda: b"rdb_last_bgsave_status:err" in c("INFO", "persistence"), "the save fails", 20)
    time.sleep(1)
    c("CONFIG", "SET", "save", "")


@row("E15", "every class of error: NOSCRIPT, READONLY, NOREPLICAS, MISCONF, BUSY, LOADING", fleet={"slots": 4}, load={"pace": 60})
def e15(w):
    w.load(500)
    for fault in (noscript, readonly, noreplicas, misconf):
        w.fleet.note("redis_" + fault.__name__, "redis")
        with w.fleet.redis.client() as c:
            fault(c)
        w.pause(0.5)
    busy(w)
    w.pause(0.5)
    loading(w)


def busy(w):
    """A script of somebody else's that does not end."""
    def endless():
        try:
            w.fleet.redis.call("EVAL", "while true do end", 0)
        except RedisError:
            pass
    w.fleet.note("redis_busy", "redis")
    t = threading.Thread(target=endless)
    t.start()
    w.pause(1.2)
    with w.fleet.redis.client() as c:
        eventually(lambda: killed(c), "the script is killed", 20)
    t.join()


def killed(c):
    try:
        return c("SCRIPT", "KILL") == b"OK"
    except RedisError:
        return False


def loading(w):
    """It starts, and says LOADING for a second."""
    r = w.fleet.redis
    w.fleet.note("redis_loading", "redis")
    r.kill()
    commands = max(1, r.aof.read_bytes().count(b"\r\n*"))
    r.conf["key-load-delay"] = max(1, 1000000 // commands)
    r.conf["loading-process-events-interval-bytes"] = 1024
    r.start()
    del r.conf["key-load-delay"], r.conf["loading-process-events-interval-bytes"]


# ---- time ----


def step(path, seconds):
    path.write_bytes(struct.pack("q", int(seconds * 1e9)))


@row("E16", "Redis' clock steps forth by an hour, back by ten seconds",
     fleet={"slots": 4, "disk": True, "conf": {"queue": {"result_ttl_ms": 86400000}}})
def e16(w):
    w.load(200)
    w.pause(1)
    for seconds in (3600, 3590):  # back: what was due by the later clock waits for it, as long as the step was
        w.fleet.note("redis_clock", "redis")
        step(w.fleet.redis.clock, seconds)
        w.pause(w.lease_s() + 1)
    w.load(100)
