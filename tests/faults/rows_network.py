"""Faults of the network between processes and Redis."""

import time

from rows import ROWS, row


@row("E12", "a worker, an API without Redis for two leases: nothing arrives, connections are reset, answers alone are lost",
     fleet={"apis": 2, "slots": 4})
def e12(w):
    w.load(500)
    for mode in ("hold", "cut", "deaf"):
        for kind in ("worker", "api"):
            role = w.fleet.of(kind)[0]
            if not role.up.wait(30):
                continue
            w.fleet.ways(role.name, mode)
            w.pause(2 * w.lease_s() if kind == "worker" else w.lease_s())
            w.fleet.proxy.set(role.name, "pass")
            w.pause(0.5)


@row("E14", "answers of Redis are lost after the script had its effect", fleet={"slots": 4}, load={"pace": 60})
def e14(w):
    w.load(400)
    begin = time.monotonic()
    while time.monotonic() - begin < 6 * w.factor:
        w.fleet.ways("*", "lose")
        w.pause(1.0)
        w.fleet.proxy.set("*", "pass")
        w.pause(0.3)


@row("E21", "clients repeat what nobody answered under one Idempotency-Key; and forty at once make the same request",
     fleet={"apis": 2, "slots": 4}, load={"keys": True, "pace": 40})
def e21(w):
    w.load(300)
    w.storms = []
    for _ in range(max(1, int(4 * w.factor))):
        w.storms.append(w.storm(40)[1])
        w.repeat(2, lambda: heard_and_killed(w), 0.1, 0.4)


def heard_and_killed(w):
    """An API whose submissions have their effect, and that dies before it hears so."""
    role = w.one("api")
    if role is None:
        return False
    w.fleet.ways(role.name, "deaf")
    w.pause(0.3)
    killed = w.fleet.kill(role)
    w.fleet.proxy.set(role.name, "cut")
    w.fleet.proxy.set(role.name, "pass")
    return killed


def once_each(w):
    seen = {}
    for token in w.v.history.jobs:
        seen.setdefault(w.v.history.ids.get(token), []).append(token)
    w.v.some("submitted twice under one key", ["%s as %s" % (i, " ".join(t)) for i, t in seen.items() if len(t) > 1])
    w.v.notes.append("%d requests repeated, %d made at once" % (w.clients.repeats, sum(map(len, w.storms))))
    w.v.some("other tokens for the same request", [t for t in w.storms if len(set(t)) != 1])


ROWS["E21"]["after"] = once_each
