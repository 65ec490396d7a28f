"""What must be true of the host after every row (the names H1 to H12 are those of the catalogue).

A picture of the host is taken before a row and compared after it.  Checks that other programs of the
machine would disturb (sockets, SysV objects, modules, free space) are made where EXECD_CI is set, on a machine of
the suite's own.
"""

import hashlib
import os
import pathlib
import re
import socket
import threading
import time

import requests
from cells import Cells, Warm
from server import ROOT, descendants, eventually, fd_count

QUIET = bool(os.environ.get("EXECD_CI"))
TROUBLE = re.compile(r"\b(BUG|Oops|WARNING:|hung task|soft lockup|general protection fault, probably|kernel panic|"
                     r"refcount_t|KASAN|UBSAN|request_module)\b")


def commands():
    """The command line of every process of the machine."""
    found = []
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                found.append(pathlib.Path("/proc", p, "cmdline").read_bytes())
            except OSError:
                pass
    return found


def read(path):
    try:
        return pathlib.Path(path).read_text(errors="replace")
    except OSError:
        return ""


def open_files(pid):
    """Descriptors of a process, without the compiled output that execd keeps open (CACHED at most); 0 where it may not be looked
    into (an ordinary user's jailer, and in a pod)."""
    try:
        cached = [name for name in map(link_of, pathlib.Path("/proc/%d/fd" % pid).iterdir()) if name.startswith("/memfd:cached")]
        return fd_count(pid) - len(cached) + max(0, len(cached) - CACHED)
    except PermissionError:
        return 0


def link_of(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""


def zombies(pid):
    return [p for p in descendants(pid) if re.search(r"\) Z ", read("/proc/%d/stat" % p))]


def resident(pid):
    return int((read("/proc/%d/statm" % pid).split() or [0, 0])[1]) * os.sysconf("SC_PAGESIZE")


def digest(path):
    h = hashlib.sha256()
    st = os.lstat(path)
    h.update(("%o %d %d" % (st.st_mode, st.st_uid, st.st_gid)).encode())
    if os.path.islink(path):
        h.update(os.readlink(path).encode())
    elif os.path.isfile(path):
        h.update(pathlib.Path(path).read_bytes())
    return h.hexdigest()


def kernel_messages():
    """All that the kernel's ring holds now; where it may not be read, nothing."""
    lines = []
    try:
        fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return lines
    try:
        while True:
            try:
                lines.append(os.read(fd, 8192).decode(errors="replace"))
            except BrokenPipeError:
                continue  # overwritten while we read
            except OSError:
                return lines
    finally:
        os.close(fd)


# cgroup v1: empty groups of dead cells that the jailer keeps for the next, each of up to 11 descriptors.
CANARIES = 2  # jobs at once
KEPT_GROUPS = 8 if os.path.exists("/sys/fs/cgroup/memory") else 0
CACHED = 64  # CACHE_HOT_MAX of core/cache/cache.h
FDS_OF_CELL = (8, 16)  # descriptors that one cell more costs execd and its jailer


class Listeners:
    """Planted where a job that got out would look first: nobody must ever connect."""

    def __init__(self):
        self.hits, self.sockets = [], []
        for port in (6379, 2358, 8080, 9229, 0):
            s = socket.socket()
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                s.close()  # a real one is there
                continue
            s.listen()
            self.sockets.append(s)
            threading.Thread(target=self.accept, args=(s,), daemon=True).start()

    def accept(self, s):
        while True:
            try:
                self.hits.append(s.accept()[1])
            except OSError:
                return

    def close(self):
        for s in self.sockets:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


class Host:
    """The machine as seen from outside of the cells, and what was planted on it."""

    def __init__(self, server, directory, secrets, slots):
        self.server, self.secrets = server, secrets
        self.jailer = server.child("execd-jailer")
        self.warm, self.runtimes_max, self.spare = Warm(server), 4 * slots + 2, None  # warm.runtimes_max as shipped
        self.canaries = directory / "canaries"
        self.canaries.mkdir()
        for name in ("secret.txt", "CANARY-" + secrets[0][:8]):
            (self.canaries / name).write_text(secrets[0])
            (self.canaries / name).chmod(0o644)
        build = pathlib.Path(os.environ.get("EXECD_BUILD", ROOT / "build/release"))
        self.watched = [p for p in ("/etc/passwd", "/etc/shadow", "/etc/group", "/etc/hosts", "/bin/sh", "/etc/ld.so.cache")
                        if os.access(p, os.R_OK)]
        self.watched += [str(build / p) for p in ("execd", "execd-jailer", "execctl")]
        self.watched += [str(p) for p in sorted(self.canaries.iterdir())]
        self.digests = {p: digest(p) for p in self.watched}
        self.listeners = Listeners()
        self.messages = set(kernel_messages())
        self.modules = {line.split()[0] for line in read("/proc/modules").splitlines()}
        self.rows, self.jobs = 0, 0
        self.groups_seen = ""
        self.settled()
        self.spare = len(Cells(self.jailer).ready)
        self.memory = resident(server.pid) + resident(self.jailer)
        self.log_at = server.log_path.stat().st_size

    # ---- before and after a row ----

    def settled(self, seconds=20):
        """No cell runs anything: each is ready, or holds what waits for a job, and of those there are as many as execd knows."""
        wrong = [""]

        def still():
            known = min(self.warm.known(), self.runtimes_max)
            wrong[0] = Cells(self.jailer).wrong(self.spare, known)
            return not wrong[0]
        return eventually(still, lambda: "H1: processes of a cell outlive its job: " + wrong[0], seconds)

    def picture(self):
        self.rows += 1
        return {
            "pids": (self.server.pid, self.jailer),
            "fds": (open_files(self.server.pid), open_files(self.jailer)),
            "cells": Cells(self.jailer).count,
            "mounts": self.mount_counts(),
            "ipc": self.ipc(),
            "log": self.server.log_path.stat().st_size,
            "jobs": self.jobs,
        }

    def mount_counts(self):
        pids = ("self", self.server.pid, self.jailer) if QUIET else (self.jailer,)
        return tuple(len(read("/proc/%s/mountinfo" % p).splitlines()) for p in pids)

    def cgroup_names(self):
        """Cells' groups that exist, in whichever hierarchies."""
        found = set()
        for directory, _, _ in os.walk("/sys/fs/cgroup"):
            if re.search("/execd-%d-\\d+(/|$)" % self.server.pid, directory):
                found.add(directory)
        return found

    def cgroups_are_as_before(self):
        """Those of the cells that there are or that zygotes will make, of the canaries' jobs, which begin and end meanwhile,
        their parent, and the few kept for the next cells, of which nothing of the last is to be seen."""
        groups = [pathlib.Path(p) for p in self.cgroup_names()]
        members = {g: set(map(int, read(g / "cgroup.procs").split())) for g in groups}
        inhabited = {g.name for g in groups if members[g]}
        if not set().union(*members.values()) <= set(descendants(self.jailer)):
            return False
        for g in groups:
            if re.fullmatch(r"\d+", g.name) and g.name not in inhabited:
                if int(read(g / "pids.current") or 0) > 0 or int(read(g / "memory.usage_in_bytes") or 0) > 1 << 20:
                    return False
        cells = Cells(self.jailer)
        names = {g.name for g in groups}
        self.groups_seen = ("%d groups, of which %d have somebody; cells: %d ready, %d wait, forks %s, %d to come" % (
            len(names), len(inhabited), len(cells.ready), len(cells.runtimes), list(map(len, cells.forks.values())),
            cells.to_come(self.spare)))
        return (len(inhabited) <= cells.count + CANARIES
                and len(names) <= cells.count + CANARIES + cells.to_come(self.spare) + 1 + KEPT_GROUPS)

    def descriptors_are_as_before(self, before):
        """But for those of cells that hold what waits for a job, and did not then."""
        more = max(0, Cells(self.jailer).count - before["cells"])
        return (open_files(self.server.pid) <= before["fds"][0] + 16 + more * FDS_OF_CELL[0]
                and open_files(self.jailer) <= before["fds"][1] + 16 + KEPT_GROUPS * 11 + more * FDS_OF_CELL[1])

    @staticmethod
    def ipc():
        return {f: len(read("/proc/sysvipc/" + f).splitlines()) for f in ("shm", "sem", "msg")} if QUIET else {}

    def check(self, before):
        """Everything that can be seen from outside after a row.  The failing invariant is named."""
        assert self.server.process.poll() is None, "H3: execd ended: " + self.server.logged()[-3000:]
        assert pathlib.Path("/proc/%d" % self.jailer).exists(), "H3: the jailer ended"
        self.settled()
        eventually(self.cgroups_are_as_before, lambda: "H1: cgroups of cells that are gone: " + self.groups_seen, 20)
        assert self.mount_counts() == before["mounts"], "H2: mounts"
        eventually(lambda: self.descriptors_are_as_before(before),
                   lambda: "H3: descriptors %s, now %d and %d" % (before["fds"], open_files(self.server.pid), open_files(self.jailer)), 20)
        eventually(lambda: not zombies(self.server.pid), "H3: zombies", 20)
        for path, value in self.digests.items():
            assert digest(path) == value, "H4: %s changed" % path
        self.check_kernel()
        assert self.ipc() == before["ipc"], "H10: IPC objects"
        self.check_log(before)
        self.check_network()

    def check_kernel(self):
        fresh = [m for m in kernel_messages() if m not in self.messages]
        self.messages.update(fresh)
        bad = [m for m in fresh if TROUBLE.search(m)]
        assert not bad, "H6: the kernel says %s" % bad[:5]
        if QUIET:
            modules = {line.split()[0] for line in read("/proc/modules").splitlines()}
            assert modules <= self.modules, "H6: modules %s" % (modules - self.modules)

    def check_log(self, before):
        with open(self.server.log_path, "rb") as f:
            f.seek(self.log_at)
            text = f.read()
            self.log_at = f.tell()
        for line in text.split(b"\n"):
            assert not re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", line), "H11: control bytes in the log: %r" % line[:200]
            assert not line or re.match(rb"\d{4}-\d\d-\d\dT[\d:.]+Z [A-Z]+ [a-z0-9_]+", line), "H11: log line %r" % line[:200]
        ended = len(set(re.findall(rb" job_finished token=(\S+) ", text)))  # the canaries' as well, in a row that takes long
        jobs = max(1, self.jobs - before["jobs"], ended)
        assert len(text) <= 16384 * jobs, "H11: %d bytes of log for %d jobs" % (len(text), jobs)
        self.check_secrets(text.decode(errors="replace"), "log")

    def check_network(self):
        assert not self.listeners.hits, "H12: connections from %s" % self.listeners.hits
        for line in read("/proc/%d/net/dev" % self.jailer).splitlines()[2:]:
            name, numbers = line.split(":", 1)
            assert not any(int(n) for n in numbers.split()), "H12: packets on %s of the cells" % name

    def check_secrets(self, text, where):
        for secret in self.secrets:
            assert secret not in text, "H5: a planted secret is in the %s" % where

    def finish(self):
        """At the suite's end: memory (H3), and the digests once more with the page cache dropped (H4)."""
        self.listeners.close()
        try:
            pathlib.Path("/proc/sys/vm/drop_caches").write_text("1")
        except OSError:
            pass  # an ordinary user
        for path, value in self.digests.items():
            assert digest(path) == value, "H4: %s changed on the disk" % path
        grown = resident(self.server.pid) + resident(self.jailer) - self.memory
        allowed = (32 << 20) + (4 << 20) * self.rows // 100
        assert grown <= allowed or "san" in os.environ.get("EXECD_BUILD", ""), "H3: %d bytes more resident after %d rows" % (grown, self.rows)


class Canaries:
    """Honest jobs beside the attacks: a hello (H8) and a neighbour that uses 0.8 of its second of cpu (H9)."""

    HELLO = "print('canary')\n"
    NEIGHBOUR = ("#include <time.h>\n#include <stdio.h>\n"
                 "static double used(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);\n"
                 "    return t.tv_sec + t.tv_nsec / 1e9; }\n"
                 "int main(void) { volatile unsigned n = 0; while (used() < 0.8) n++; puts(\"neighbour\"); }\n")

    def __init__(self, server, slow):
        self.server, self.slow = server, slow
        self.troubles, self.latencies, self.cpu = [], [], []
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.loop, args=a, daemon=True) for a in
                        ((self.hello, 0.5 * slow), (self.neighbour, 4.0 * slow))]
        for t in self.threads:
            t.start()

    def loop(self, once, pause):
        session = requests.Session()
        while not self.ended.wait(pause):
            try:
                once(session)
            except Exception as e:  # noqa: BLE001 - whatever it is, the row must hear of it
                if not self.ended.is_set():
                    self.troubles.append("%s: %r" % (once.__name__, e))

    def run(self, session, **fields):
        r = session.post(self.server.url + "/v1/jobs?wait=60", json=fields, timeout=120)
        assert r.status_code in (200, 202), r.text
        j = r.json()
        end = time.monotonic() + 120
        while j["status"] in ("queued", "running") and time.monotonic() < end:
            j = session.get(self.server.url + "/v1/jobs/%s?wait=30" % j["token"], timeout=120).json()
        return j

    def hello(self, session):
        begin = time.monotonic()
        j = self.run(session, language_id=71, source_code=self.HELLO, timeout=min(60000, int(10000 * self.slow)), priority="high")
        self.latencies.append(time.monotonic() - begin)
        assert (j["status"], j["stdout"]) == ("completed", "canary\n"), "H8: " + str(j)
        assert session.get(self.server.url + "/health", timeout=60).status_code == 200, "H8: /health"

    def neighbour(self, session):
        j = self.run(session, language_id=50, source_code=self.NEIGHBOUR, timeout=min(60000, int(20000 * self.slow)), cpu_timeout=int(1000 * self.slow),
                     priority="high")
        self.cpu.append(j["cpu_time"])
        assert (j["status"], j["stdout"]) == ("completed", "neighbour\n"), "H9: " + str(j)
        assert 800 <= j["cpu_time"] <= 800 + 80 * self.slow, "H9: a neighbour of 800 ms was measured as %s ms" % j["cpu_time"]

    def check(self):
        assert not self.troubles, "%s" % self.troubles[:3]

    def finish(self):
        self.ended.set()
        for t in self.threads:
            t.join(150)
