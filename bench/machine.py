"""What the machine is, and who on it used how much cpu time."""

import ctypes
import os
import pathlib
import platform
import re
import signal
import subprocess
import time

# Nothing of the caller's environment reaches what is measured: NODE_EXTRA_CA_CERTS alone doubles Node's start.
CLEAN = {"PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
LIBC = ctypes.CDLL(None)
TICK = os.sysconf("SC_CLK_TCK")


def end_with_us(signo=signal.SIGTERM):
    """For preexec_fn of what must not outlive a benchmark that is killed."""
    LIBC.prctl(1, signo, 0, 0, 0)  # PR_SET_PDEATHSIG


def output(*command):
    try:
        text = subprocess.run(command, env=CLEAN, capture_output=True, text=True, timeout=60)
    except OSError:
        return ""
    return (text.stdout or text.stderr).strip().split("\n")[0]


def facts():
    cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpuinfo)
    memory = re.search(r"MemTotal: *(\d+)", pathlib.Path("/proc/meminfo").read_text())
    return {
        "cpu": model.group(1) if model else platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_mib": int(memory.group(1)) // 1024,
        "kernel": platform.release(),
        "python": output("/usr/bin/python3", "--version"),
        "node": output("/usr/bin/node", "--version"),
        "java": output("java", "-version"),
        "gcc": output("gcc", "--version"),
        "redis": output("redis-server", "--version").split(" sha=")[0],
        "bubblewrap": output("bwrap", "--version"),
        "crun": output("crun", "--version"),
        "priority": os.nice(0),
        "root": os.geteuid() == 0,
    }


class Busy:
    """How busy the machine was with other things than idling: the noise of a shared machine, before we begin."""

    def __init__(self, seconds):
        before = self.times()
        time.sleep(seconds)
        after = self.times()
        total = sum(after) - sum(before)
        self.share = 1 - (after[3] + after[4] - before[3] - before[4]) / max(total, 1)

    @staticmethod
    def times():
        return [int(n) for n in open("/proc/stat").readline().split()[1:9]]


def cpu_ns(pid, children=False):
    """Of a process, or of it and of all of its children that it waited for (proc(5): utime, stime, cutime, cstime)."""
    fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    return sum(int(n) for n in fields[11:15 if children else 13]) * 1000000000 // TICK


class KernelCpu:
    """Of all kernel threads since it was made: where namespaces end, work is left to them.  Other programs' share is in
    it too; what a thread did that has ended meanwhile is not."""

    def __init__(self):
        self.before = kernel_threads()

    def ns(self):
        return sum(max(ns - self.before.get(pid, 0), 0) for pid, ns in kernel_threads().items())


def kernel_threads():
    """pid -> nanoseconds."""
    found = {}
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            if pathlib.Path("/proc", entry, "stat").read_text().rsplit(")", 1)[1].split()[1] in ("2", "0"):
                found[int(entry)] = int(pathlib.Path("/proc", entry, "schedstat").read_text().split()[0])
        except (FileNotFoundError, ProcessLookupError, IndexError):
            pass  # it ended
    return found


def resident_kib(pid):
    return int(re.search(r"VmRSS:\s*(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text()).group(1))
