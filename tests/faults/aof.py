"""A redis-server's append-only file, and when it had which length: so that what it says has a time."""

import bisect
import re
import threading
import time


class Aof:
    """`directory`: the server's.  What a rewrite has put aside (a replica's first copy of its master) is not in it."""

    def __init__(self, directory):
        self.folder = directory / "appendonlydir"
        self.sizes, self.times, self.over = [0], [time.time()], False
        self.watcher = threading.Thread(target=self._watch, daemon=True)
        self.watcher.start()

    def files(self):
        """In order; a rewrite begins another one."""
        return sorted(self.folder.glob("appendonly.aof.*.incr.aof"), key=lambda f: int(re.search(r"\.(\d+)\.incr", f.name)[1]))

    def read(self):
        return b"".join(f.read_bytes() for f in self.files())

    def _watch(self):
        while not self.over:
            try:
                size = sum(f.stat().st_size for f in self.files())
            except OSError:
                continue  # a rewrite took one away meanwhile
            while self.sizes[-1] > size:  # cut off
                self.sizes.pop(), self.times.pop()
            if size > self.sizes[-1]:
                self.sizes.append(size), self.times.append(time.time())
            time.sleep(0.01)

    def when(self, offset):
        return self.times[min(bisect.bisect_left(self.sizes, offset), len(self.times) - 1)]

    def stop(self):
        self.over = True
        self.watcher.join()
