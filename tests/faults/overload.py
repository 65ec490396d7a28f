"""Three times what the fleet can do, and clients that are slow, idle or half there: what is accepted keeps its bounds, and
everybody else his latency."""

import http.client
import resource
import select
import socket
import threading
import time
import urllib.parse

from check import percentile
from server import of_process

WATCHED_MS = 100  # /health and /metrics, p99
SLOW = 100  # of each kind
FLAT = 1.25  # what a process may hold in the last third of the time, of what it held in the first; and SOME more
SOME = 16 << 20
QUEUE = 1000  # jobs that may wait


class Watch:
    """Asks /health and /metrics, and what memory each process holds."""

    def __init__(self, fleet):
        self.fleet, self.over = fleet, False
        self.took, self.bad, self.memory = [], [], []
        self.threads = [threading.Thread(target=f, daemon=True) for f in (self._ask, self._weigh)]
        for t in self.threads:
            t.start()

    def _ask(self):
        path = 0
        while not self.over:
            for url in self.fleet.urls():
                path = 1 - path
                begin = time.monotonic()
                c = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=10)
                try:
                    c.request("GET", ("/health", "/metrics")[path])
                    status = c.getresponse()
                    status.read()
                    if path == 1 and status.status != 200:
                        self.bad.append(status.status)
                except OSError as e:
                    self.bad.append(str(e))
                c.close()
                self.took.append(time.monotonic() - begin)
            time.sleep(0.2)

    def _weigh(self):
        while not self.over:
            self.memory.append({r.name: resident(r.pid) for r in self.fleet.roles.values()})
            time.sleep(0.5)

    def stop(self):
        self.over = True
        for t in self.threads:
            t.join()


def resident(pid):
    fields = of_process(pid, "statm").split()
    return int(fields[1]) * 4096 if fields else 0


class Crowd:
    """Connections that cost what they cost, and want nothing; one thread keeps them all."""

    def __init__(self, fleet, idle):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self.where = urllib.parse.urlsplit(fleet.urls()[0])
        self.over, self.cut, self.slow = False, 0, []
        self.idle = [self._connect() for _ in range(idle)]
        for s in self.idle[::2]:  # half of them have asked something before they fell silent
            s.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        self.thread = threading.Thread(target=self._drip, daemon=True)
        self.thread.start()

    def _connect(self):
        s = socket.create_connection((self.where.hostname, self.where.port), 10)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return s

    def _fresh(self, kind):
        s = self._connect()
        if kind == "headers":
            s.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n")
        elif kind == "body":
            s.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        else:  # asks a lot and reads nothing
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 50)
        s.setblocking(False)
        return s

    def _drip(self):
        """A byte a second from each; who is cut off comes again."""
        places = [(kind, None) for kind in ("headers", "body", "read") * SLOW]
        while not self.over:
            for i, (kind, s) in enumerate(places):
                try:
                    if s is None:
                        s = self._fresh(kind)
                    elif kind != "read":
                        s.send(b"x")
                        if select.select([s], [], [], 0)[0] and s.recv(1000) == b"":
                            raise ConnectionResetError
                except BlockingIOError:
                    pass
                except OSError:
                    self.cut += 1
                    if s is not None:
                        s.close()
                    s = None
                places[i] = (kind, s)
            time.sleep(1)
        for s in [s for _, s in places if s is not None] + self.idle:
            s.close()

    def stop(self):
        self.over = True
        self.thread.join()


def rate(history, begin, end):
    """Results a second."""
    return sum(begin <= p.finished < end for p in history.jobs.values()) / (end - begin)


class Overload:
    def __init__(self, minutes, idle=10000):
        self.seconds, self.idle = minutes * 60, idle

    def row(self):
        return {"text": "3 times the capacity, %d idle and %d slow connections" % (self.idle, 3 * SLOW),
                "fleet": {"workers": 1, "slots": 4, "lease_ms": 8000,
                          "conf": {"queue": {"max_jobs": QUEUE}, "api": {"connections_max": self.idle + 2000}}},
                "load": {"pace": 100000, "backlog": 16, "threads": 8, "callbacks": 0.0, "dawdle": (0,)},
                "failing": 0.0, "settle_s": 180, "faults": self.faults, "after": self.after}

    def faults(self, w):
        self.peak = self._phase(w, 20)  # as much as there is room for, and no more
        w.clients.backlog = 10 * QUEUE
        crowd = Crowd(w.fleet, self.idle)
        w.fleet.note("overload", "api0")
        watch = Watch(w.fleet)
        refused = len(w.clients.refusals)
        self.over = self._phase(w, self.seconds)
        self.offered = sum(1 for _ in w.clients.refusals[refused:])
        watch.stop()
        crowd.stop()
        self.watch, self.cut = watch, crowd.cut

    @staticmethod
    def _phase(w, seconds):
        """Submits for so long: (begin, end)."""
        begin = time.time()
        w.clients.run(10000000)
        w.pause(seconds)
        with w.clients.lock:
            w.clients.wanted = w.clients.made
        return begin, time.time()

    def after(self, w):
        v, thirds = w.v, max(1, len(self.watch.memory) // 3)
        peak = rate(v.history, self.peak[0] + 3, self.peak[1])
        good = rate(v.history, self.over[0] + 3, self.over[1])
        p99 = percentile(self.watch.took, 0.99) * 1000
        v.notes.append("%.0f results a second before, %.0f under overload; %d submissions refused; /health and /metrics p99 %.0f ms; "
                       "%d slow connections cut" % (peak, good, self.offered, p99, self.cut))
        if good < 0.9 * peak:
            v.breach("goodput fell from %.0f to %.0f a second", peak, good)
        if p99 > WATCHED_MS:
            v.breach("/health and /metrics took %.0f ms (p99), the bound is %d ms", p99, WATCHED_MS)
        v.some("/metrics did not answer", self.watch.bad)
        for name in w.fleet.roles:
            first = max(m[name] for m in self.watch.memory[:thirds])
            last = max(m[name] for m in self.watch.memory[-thirds:])
            v.notes.append("%s %d MB" % (name, last >> 20))
            if last > FLAT * first + SOME:
                v.breach("%s grew from %d to %d bytes", name, first, last)
