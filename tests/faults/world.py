"""One run: a fleet, its load, a row's faults, the check."""

import concurrent.futures
import json
import pathlib
import random
import time
import traceback

from check import Verdict, check_all, memory
from fleet import Fleet
from load import Clients, Job, Receiver
from server import cgroups, eventually

SETTLE_S = 60  # for what is left after the last fault: 3 * (longest job + lease + 1 s), and patience for a busy machine


class World:
    """What a row's function gets."""

    def __init__(self, name, directory, seed, row=None, prelude=None, jobs_factor=1.0):
        row = row or {}
        self.rng = random.Random("%s/%d" % (name, seed))
        self.v = Verdict()
        self.recovers = row.get("recovers", 0)
        self.factor, self.settle_s = jobs_factor, row.get("settle_s", SETTLE_S)
        self.foreign = set()  # tokens of a row's own that are not as others
        self.fleet = Fleet(directory, seed, prelude=prelude, **row.get("fleet", {}))
        try:
            self.fleet.ready()
            self.receiver = Receiver(random.Random(seed), row.get("failing", 0.05))
            self.clients = Clients(self.fleet, self.rng, self.receiver, **row.get("load", {}))
            self.clients.run(2).submitted()  # what is made with the first job is there before memory is measured
            self.clients.finished(30)
            with self.fleet.redis.client() as c:
                self.base_memory = memory(c)
        except BaseException:  # nothing of it goes on running
            self.fleet.stop()
            raise

    # ---- what rows do ----

    def load(self, jobs):
        self.clients.run(int(jobs * self.factor))

    def one(self, kind):
        """A living process of that role."""
        alive = [r for r in self.fleet.of(kind) if r.up.is_set()]
        return self.rng.choice(alive) if alive else None

    def pause(self, low, high=None):
        time.sleep(low if high is None else self.rng.uniform(low, high))

    def lease_s(self):
        return self.fleet.lease_ms / 1000

    def repeat(self, times, fault, low, high):
        """`times` faults that happened: one that finds nobody is tried again."""
        done, tried = 0, 0
        while done < times and tried < times * 50:
            tried += 1
            done += bool(fault())
            self.pause(low, high)
        if done < times:
            self.v.breach("only %d of %d faults could be injected", done, times)

    def own(self, ms=0, callback=False):
        """A job of the row's own, counted as all are."""
        with self.clients.lock:
            self.clients.made += 1
            self.clients.wanted += 1
            return Job("j%06d" % (900000 + self.clients.made), ms, callback)

    def submit(self, ms=0, callback=False, **fields):
        """One, followed as all are."""
        return self.storm(1, self.own(ms, callback), **fields)[0]

    def storm(self, count, job=None, **fields):
        """One, submitted by so many at once under one key: it, and the tokens that they were told."""
        job = job or self.own()
        body, sent = json.dumps({"submissions": [self.clients.submission(job, **fields)]}), time.time()
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            told = list(pool.map(lambda _: self.clients.ask_until_taken(body, job.id), range(count)))
        self.clients.accept([job], told[0][:1], sent)
        return job, [t for tokens in told for t in tokens]

    def state(self, job, field="st"):
        value = self.fleet.redis.call("HGET", "{execd}:job:" + job.token, field)
        return value.decode() if value is not None else None

    def running_on(self, job):
        """Waits until it runs; the role that runs it, or did a moment ago: on a busy machine it may be over meanwhile."""
        eventually(lambda: self.state(job, "w"), "it runs", 60)
        pid = int(self.state(job, "w").split(":")[1])
        return next((r for r in self.fleet.of("worker") if r.pid == pid), None)

    # ---- the end ----

    def heal(self):
        self.receiver.down, self.receiver.failing = False, 0.0
        self.fleet.proxy.set("*", "pass")
        for r in self.fleet.roles.values():
            r.held = False

    def settled(self):
        with self.fleet.redis.client() as c:
            return all(n == 0 for n in c.many([("ZCARD", "{execd}:" + k) for k in ("lease", "wait", "out", "since")]))

    def conclude(self):
        """The load's end, then the check."""
        if not self.clients.submitted():
            self.v.breach("only %d of %d jobs could be submitted", self.clients.made, self.clients.wanted)
        self.heal()
        begin = time.monotonic()
        self.clients.finished(self.settle_s)
        try:
            eventually(self.settled, "nothing is queued, leased or due", self.settle_s)
        except AssertionError as e:
            self.v.breach(str(e))
        self.v.notes.append("settled in %.1f s" % (time.monotonic() - begin))
        self.clients.look_again(200)
        self.clients.stop()
        check_all(self.fleet, self.clients, self.receiver, self.base_memory, self.v, self.foreign)
        if len(self.v.recoveries) < self.recovers:
            self.v.breach("no job was taken over from a dead worker: the row did not do what it says")
        return self.v

    def cgroups_left(self):
        """execd-PID-N, of ours."""
        return [c for c in cgroups() if int(c.rsplit("execd-", 1)[1].split("-")[0]) in self.fleet.pids]

    def close(self, keep):
        self.clients.over = True
        self.receiver.stop()
        crashed = len(self.fleet.crashed)
        self.fleet.stop()
        self.v.some("processes that did not end well", self.fleet.crashed[crashed:])
        try:
            eventually(lambda: not self.cgroups_left(), lambda: "cgroups of dead jailers: %s" % self.cgroups_left(), 15)
        except AssertionError as e:
            self.v.breach(str(e))
        if not self.v.breaches and not keep:
            self.fleet.remove()


def run(name, directory, seed, row, prelude=None, jobs_factor=1.0, keep=False):
    """A row, from its start to its verdict."""
    world = World(name, pathlib.Path(directory), seed, row, prelude, jobs_factor)
    try:
        row["faults"](world)
        world.conclude()
        if "after" in row:
            row["after"](world)
    except AssertionError as e:
        world.v.breach("%s", e)
    except Exception:  # the row itself is broken, or what it asked was not there: red, and the others go on
        world.v.breach("%s", traceback.format_exc())
    finally:
        world.close(keep)
    return world.v
