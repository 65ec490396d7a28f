"""Every hostile program, again and again, in random order, from eight clients at once.

Each job has a random choice of the suite's programs with short limits, so that most of them are cut off somewhere.
None may end as anybody's fault but its own, honest jobs beside them must not notice, and the host must be as it was, which
is looked at as after every row (descriptors among it, without the compiled output that execd keeps open).
EXECD_ATTACKS_SOAK says how many jobs (the full run: 10,000); EXECD_ATTACKS_SEED which order.
"""

import collections
import concurrent.futures
import os
import random
import sys
import time

from host import QUIET, read, resident
from rows import LANGUAGES, PROGRAMS, Result

CLIENTS = 8
# Of a program that asks for a certain machine, or lives for its arguments, the soak learns nothing.
SUFFIXES = {suffix: name for name, (_, suffix) in LANGUAGES.items() if suffix in ("c", "py", "js", "java")}


def whole(path):
    """Rows that look around begin with lines which they have in common."""
    text = path.read_bytes()
    common = path.suffix == ".c" and b"#include" not in text
    return (PROGRAMS / "attempt.h").read_bytes() + text if common else text


def chosen(rng, sources, attack):
    path = rng.choice(sources)
    wall = rng.choice((200, 400, 800))
    return attack.job(SUFFIXES[path.suffix[1:]], source=whole(path), timeout=wall, cpu_timeout=wall // 2)


def one(attack, job, names):
    r = Result(attack.server.result(attack.server.submit(job)[0]), attack.slow)
    attack.host.check_secrets(str(r.json), "result")
    assert r.status != "internal_error", r.short()
    names[r.words[0].split("(")[0]] += 1


def client(attack, seed, count, sources, names, report):
    rng = random.Random(seed)
    for _ in range(count):
        one(attack, chosen(rng, sources, attack), names)
        report()


def progress(total):
    """A line for people at a terminal, now and then; silence in a pipe."""
    done, last = [0], [time.monotonic()]

    def report():
        done[0] += 1
        if sys.__stderr__.isatty() and time.monotonic() - last[0] > 1:
            last[0] = time.monotonic()
            sys.__stderr__.write("\r\033[K%d of %d hostile jobs" % (done[0], total))
    return report


def test_hostile_jobs_in_random_order(attack):
    total = int(os.environ.get("EXECD_ATTACKS_SOAK", 10000 if attack.full else attack.times(240, 240)))
    seed = int(os.environ.get("EXECD_ATTACKS_SEED", 1))
    sources = sorted(p for p in PROGRAMS.iterdir() if p.suffix[1:] in SUFFIXES)
    memory = resident(attack.server.pid) + resident(attack.host.jailer)
    names, report = collections.Counter(), progress(total)
    attack.host.jobs += total
    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        runs = [pool.submit(client, attack, seed * CLIENTS + i, total // CLIENTS, sources, names, report) for i in range(CLIENTS)]
        for r in runs:
            r.result()
    assert sum(names.values()) == total // CLIENTS * CLIENTS
    assert len(names) >= 5, names  # they did end in many ways
    print("\n%d hostile jobs, seed %d: %s" % (sum(names.values()), seed, dict(names)))
    attack.host.settled()
    grown = resident(attack.server.pid) + resident(attack.host.jailer) - memory
    assert grown < (16 << 20) + total * 2048 or not QUIET, "%d bytes more resident" % grown
    assert read("/proc/%d/status" % attack.server.pid).count("Threads:") == 1
