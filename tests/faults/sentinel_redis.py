"""A master with a replica that sentinels watch, in the place of the one Redis."""

import time

from aof import Aof
from history import History
from resp import Client
from sentinels import PASSWORD, Sentinels
from server import eventually

TAKEN_OVER_S, JOINED_S = 60, 90  # sentinels wait before they make a replica of a master that comes back


class SentinelRedis:
    """As fleet.Redis.  The replica's file has what it was told since the start: with one fail-over, the whole history."""

    def __init__(self, directory, down_ms):
        self.directory = directory
        directory.mkdir()
        self.sentinels = Sentinels(directory, down_ms, 6 * down_ms)
        self.down = []  # [when the master went, when there was one again]
        self.aofs = {s.port: Aof(s.directory) for s in self.sentinels.servers}

    def queue(self, _):
        return self.sentinels.queue

    def master(self):
        return eventually(self.sentinels.master, "sentinels agree", TAKEN_OVER_S)

    def fail_over(self):
        """The master is killed, its replica promoted, and the dead one comes back as a replica; when it died."""
        dead = self.master()
        at = time.time()
        self.down.append([at, None])
        dead.kill()
        eventually(lambda: self.sentinels.taken_over(dead), "sentinels promote the replica", TAKEN_OVER_S)
        self.down[-1][1] = time.time()
        assert dead.start(), "the dead one does not start again"
        eventually(self.sentinels.replicated, "the dead one is a replica", JOINED_S)
        return at

    def client(self):
        c = Client(self.master().port)
        c("AUTH", PASSWORD)
        return c

    def call(self, *args):
        with self.client() as c:
            return c(*args)

    def history(self):
        aof = self.aofs[self.master().port]
        return History(aof.read(), aof.when)

    def stop(self):
        for a in self.aofs.values():
            a.stop()
        self.sentinels.stop()
