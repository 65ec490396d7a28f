"""Faults of the network between processes and Redis."""

import time

from rows import row


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
