"""Those who must notice nothing: askers with a connection each, and the memory of every process."""

import collections
import http.client
import os
import subprocess
import sys
import threading
import time
import urllib.parse

from server import command_name, descendants, end_with_us, of_process

PROGRAM = b'{"language_id":71,"source_code":"print(\\"hello\\")"}'
QUESTIONS = {"/health": ("GET", "/health", None), "/metrics": ("GET", "/metrics", None),
             "job": ("POST", "/v1/jobs?wait=30", PROGRAM), "machine": ("GET", "/", None)}
TIMEOUT_S = 30


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)] if ordered else 0.0


def prefer_this_thread():
    """On a busy machine its own turn would be waited for as well, and that is not what is measured.  Threads have a
    priority each (Linux); an ordinary user has none to give."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(os.nice(0), 0))
    except PermissionError:
        pass


def cpu_seconds(pid):
    """Of a process, of all below it, and of those of them that have ended (proc(5): utime, stime, cutime, cstime)."""
    ticks = 0
    for p in descendants(pid):
        stat = of_process(p, "stat")
        if stat:
            ticks += sum(map(int, stat.rsplit(")", 1)[1].split()[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


MIRROR = """
import socket
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
while True:
    c, _ = listener.accept()
    c.recv(65536)
    c.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 1\\r\\n\\r\\n.")
    c.close()
"""


class Mirror:
    """A server that does nothing but answer, with execd's priority: how late it is the machine is."""

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-I", "-c", MIRROR], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=end_with_us)
        self.url = "http://127.0.0.1:%d" % int(self.process.stdout.readline())
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


class Asker(threading.Thread):
    """One question after another, a few each second, each by a new connection: seconds, or what came in place of an answer."""

    def __init__(self, url, name, a_second=10):
        super().__init__(daemon=True)
        self.address = urllib.parse.urlsplit(url).netloc
        self.name, self.pause = name, 1 / a_second
        self.took, self.failed = [], []  # (when, seconds); texts
        self.over = threading.Event()

    def run(self):
        prefer_this_thread()
        while not self.over.wait(self.pause):
            begin = time.monotonic()
            try:
                self.ask()
                self.took.append((begin, time.monotonic() - begin))
            except (OSError, http.client.HTTPException, ValueError) as e:
                self.failed.append("%s: %s" % (type(e).__name__, e))

    def ask(self):
        method, path, body = QUESTIONS[self.name]
        c = http.client.HTTPConnection(self.address, timeout=TIMEOUT_S)
        try:
            c.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            r = c.getresponse()
            text = r.read()
        finally:
            c.close()
        # /health says 503 while the queue is full: that is an answer.
        if self.name == "job" and (r.status != 200 or b'"status":"completed"' not in text):
            raise ValueError("%d %s" % (r.status, text[:100].decode()))
        if not text:
            raise ValueError("%d, empty" % r.status)


class Askers:
    """All of them for as long as the block lasts."""

    def __init__(self, url, names=("/health", "/metrics", "job")):
        self.url, self.names, self.mirror = url, names, Mirror()

    def __enter__(self):
        self.mirror.__enter__()
        self.all = {name: Asker(self.url, name) for name in self.names}
        self.all["machine"] = Asker(self.mirror.url, "machine")
        for t in self.all.values():
            t.start()
        return self

    def __exit__(self, *_):
        for t in self.all.values():
            t.over.set()
        for t in self.all.values():
            t.join(TIMEOUT_S + 5)
        self.mirror.__exit__()

    def figures(self):
        """name -> milliseconds and counts."""
        found = {}
        for name, t in self.all.items():
            ms = [1000 * s for _, s in t.took]
            found[name] = {"asked": len(t.took) + len(t.failed), "p50_ms": round(percentile(ms, 0.5), 1),
                           "p99_ms": round(percentile(ms, 0.99), 1), "max_ms": round(max(ms, default=0), 1),
                           "above_100_ms": sum(m > 100 for m in ms), "failed": len(t.failed),
                           "first_failure": t.failed[0] if t.failed else ""}
        return found


class Processes(threading.Thread):
    """Resident MiB of execd and all below it, once a second: by name, those of one name together.  And for which part of the
    time execd's loop was kept from running by others."""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.pid, self.samples, self.over = pid, [], threading.Event()
        self.kept = 0.0

    def waited(self):
        """Seconds, since its start, that it was ready to run and did not."""
        return int(of_process(self.pid, "schedstat").split()[1]) / 1e9

    def run(self):
        while True:
            self.samples.append((time.monotonic(), self.now()))
            if self.over.wait(1):
                return

    def now(self):
        found = collections.Counter()
        for pid in descendants(self.pid):
            pages = of_process(pid, "statm").split()
            if pages:
                found[command_name(pid)] += int(pages[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
        return dict(found)

    def __enter__(self):
        self.begun = time.monotonic(), self.waited()
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.over.set()
        self.join()
        if kind is None:
            self.kept = (self.waited() - self.begun[1]) / (time.monotonic() - self.begun[0])

    def between(self, name, begin, end):
        """The median of a name in a part of the time (0..1)."""
        first, last = self.samples[0][0], self.samples[-1][0]
        values = [s.get(name, 0.0) for at, s in self.samples if begin <= (at - first) / max(last - first, 1) <= end]
        return percentile(values, 0.5)

    def peak(self, name):
        return max(s.get(name, 0.0) for _, s in self.samples)

    def names(self):
        return sorted({n for _, s in self.samples for n in s})
