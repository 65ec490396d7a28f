"""Faults of masters that a Redis Cluster or sentinels replace."""

from rows import row

TIMEOUT_MS = 5000  # after which a node that says nothing is given up: more than a busy machine keeps one waiting
BEHIND_S = 0.2  # a replica, at most


def kill_a_master(w, stays_away):
    r = w.fleet.redis
    _, _, port = w.rng.choice(r.owners())
    w.fleet.note("kill_redis", "redis")
    at = r.kill_master(port, w.rng.uniform(0, 0.3), stays_away)
    if stays_away:
        w.v.losses.append((at - BEHIND_S, at))
    return True


@row("E13", "kill -9 of a Redis Cluster's master under load, which comes back with its append-only file",
     fleet={"slots": 4, "cluster": {"replicas": 0, "timeout_ms": TIMEOUT_MS}}, load={"pace": 30})
def e13(w):
    w.load(600)  # as long as the kills take
    w.repeat(int(10 * w.factor), lambda: kill_a_master(w, False), 0.1, 0.4)


@row("E13b", "the same, and its replica takes over; the one that was killed comes back as a replica: what a replica had not yet "
     "may be lost, and answers 404", fleet={"slots": 4, "cluster": {"replicas": 1, "timeout_ms": TIMEOUT_MS}}, load={"pace": 20})
def e13b(w):
    w.load(600)
    w.pause(1)
    w.repeat(max(1, int(3 * w.factor)), lambda: kill_a_master(w, True), 0.5, 1.5)


def fail_over(w):
    w.fleet.note("kill_redis", "redis")
    at = w.fleet.redis.fail_over()
    w.v.losses.append((at - BEHIND_S, at))
    return True


@row("E13c", "kill -9 of a master under load, sentinels promote its replica; the one that was killed comes back as a replica: what "
     "the replica had not yet may be lost, and answers 404", fleet={"slots": 4, "sentinels": {"down_ms": TIMEOUT_MS}},
     load={"pace": 20})
def e13c(w):
    w.load(400)
    w.pause(1)
    w.repeat(1, lambda: fail_over(w), 0.5, 1.5)
