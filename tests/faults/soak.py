"""Random faults by a seed, of all kinds that processes, Redis and the network between them can have: E27."""

import os
import signal
import time

# (weight, kind): of a hundred
PLAN = [(34, "worker"), (14, "jailer"), (14, "api"), (14, "hook"), (12, "redis"), (5, "stop"), (3, "hold"), (2, "cut"),
        (2, "lose")]
RETRY_S = 2.0
KILLS = {"worker", "jailer", "api", "hook", "redis"}


def fault(world, kind):
    """False: nobody is there to have it."""
    fleet = world.fleet
    if kind == "redis":
        fleet.kill_redis(world.rng.choice((0, 0, 0.3)))
        return True
    if kind in ("hold", "cut", "lose"):
        role = world.rng.choice(list(fleet.roles.values()))
        if not role.up.is_set():
            return False
        fleet.ways(role.name, kind)
        world.later(world.rng.uniform(0.3, world.lease_s() * 1.5), fleet.proxy.set, role.name, "pass")
        return True
    role = world.one("worker" if kind in ("worker", "jailer", "stop") else kind)
    if role is None:
        return False
    if kind == "jailer":
        return fleet.kill_jailer(role)
    if kind == "stop":
        pid = role.pid
        if not fleet.signal(role, signal.SIGSTOP, "stop"):
            return False
        world.later(world.rng.uniform(0.5, 1.5) * world.lease_s(), resume, pid)
        return True
    return fleet.kill(role)


def resume(pid):
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        pass


class Soak:
    """`kills` faults that end a process, and others between them, spread over the load's time."""

    def __init__(self, jobs, kills, minutes):
        self.jobs, self.kills, self.minutes = jobs, kills, minutes

    def row(self):
        pace = self.jobs / (self.minutes * 60)
        return {"text": "random faults, of processes, Redis and the network",
                "fleet": {"workers": 4, "apis": 2, "hooks": 2, "slots": 4},
                "load": {"pace": pace, "backlog": max(200, int(pace * 5)), "threads": 4},
                "failing": 0.1, "faults": self.faults}

    def faults(self, world):
        world.later_list = []
        world.later = lambda s, fn, *args: world.later_list.append((time.monotonic() + s, fn, args))
        world.load(self.jobs)
        begin, killed = time.monotonic(), 0
        weights, kinds = zip(*PLAN)
        kind, patience = None, 0.0  # one that finds nobody is tried for a while, or what is always there would be hit most
        while killed < self.kills:
            due = begin + self.minutes * 60 * killed / self.kills
            self.undo(world, time.monotonic())
            if time.monotonic() < due:
                time.sleep(0.01)
                continue
            if kind is None or time.monotonic() > patience:
                kind, patience = world.rng.choices(kinds, weights)[0], time.monotonic() + RETRY_S
            happened = fault(world, kind)
            killed += happened and kind in KILLS
            if happened:
                kind = None
            else:
                time.sleep(0.01)
        self.undo(world, None)

    @staticmethod
    def undo(world, now):
        """What was only for a while, and whose time is over (now None: all)."""
        ready = [x for x in world.later_list if now is None or x[0] <= now]
        world.later_list = [x for x in world.later_list if x not in ready]
        for _, fn, args in ready:
            fn(*args)
