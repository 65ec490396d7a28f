"""Where a job's time goes: the steps that `execd --trace` tells of, one client with pauses."""

import collections
import statistics

from figures_programs import PAUSE_MS
from programs import EXPECT, NAMES, Hello
from server import Server, client, expectations

# What lies between two steps (trace.h); `took` is the part of it that was the program's own.
PARTS = [
    ("received", "checked", None, "check the submission"),
    ("checked", "claim_asked", None, "store it, wake a worker"),
    ("claim_asked", "claimed", None, "claim it"),
    ("claimed", "planned", None, "plan"),
    ("planned", "compile_asked", None, "files of the compile step"),
    ("compile_asked", "compile_done", "compile_took", "compile step"),
    (("compile_done", "planned"), "run_asked", None, "files of the run step"),
    ("run_asked", "run_done", "run_took", "run step"),
    ("run_done", "judged", None, "judge"),
    ("judged", "told", None, "record the result, wake who waits"),
    ("told", "answered", None, "fetch the result, answer"),
]


SEEN = "as the client sees it"
TOGETHER = "in execd, together"
NAMES_OF_PARTS = [name + end for _, _, took, name in PARTS
                  for end in ((": the program", ": its sandbox") if took else ("",))] + [TOGETHER]


def read(file):
    """{step: when it was first reached} of each job that was answered."""
    jobs = collections.defaultdict(dict)
    for line in open(file):
        token, step, ns = line.split()
        jobs[token].setdefault(step, int(ns))
    return [j for j in jobs.values() if "answered" in j and "received" in j]


def parts_of(job):
    found = {}
    for begin, end, took, name in PARTS:
        for b in begin if isinstance(begin, tuple) else (begin,):
            if b in job and end in job:
                whole = job[end] - job[b]
                if took:
                    found[name + ": the program"] = job.get(took, 0)
                    found[name + ": its sandbox"] = whole - job.get(took, 0)
                else:
                    found[name] = whole
                break
    found[TOGETHER] = job["answered"] - job["received"]
    return found


def measure(bench):
    keys = [k for k in NAMES if bench.wants("steps." + k)]
    for key in keys:
        bench.say("steps of %s" % NAMES[key])
        rounds = bench.rounds(12 if key == "java" else 60)
        hello = Hello(key, bench.work)
        trace = bench.work / ("trace." + key)
        with Server(bench.work / "traced", args=["--trace", str(trace)]) as server:
            got = client("pairs", "--port", server.port, "--bodies", hello.bodies, *expectations(EXPECT), "--rounds",
                         rounds + 2, "--pause-ms", PAUSE_MS)
        jobs = [parts_of(j) for j in read(trace)][2:]
        bench.verdicts(rounds, got["wrong"])
        names = [name for name in NAMES_OF_PARTS if any(name in j for j in jobs)]
        median = {name: statistics.median(j[name] for j in jobs if name in j) / 1e3 for name in names}
        median[SEEN] = statistics.median(got["execd"][2:]) / 1e3
        bench.steps[key] = {name: round(us, 1) for name, us in median.items()}


def rows(steps):
    names = [name for name in [*NAMES_OF_PARTS, SEEN] if any(name in parts for parts in steps.values())]
    table = [["µs, median"] + [NAMES[k] for k in steps]]
    for name in names:
        table.append([name] + ["{:,.0f}".format(p[name]) if name in p else "" for p in steps.values()])
    return table


def plain(steps):
    table = rows(steps)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]) for row in table)


def markdown(steps):
    table = rows(steps)
    return "\n".join(["| %s |" % " | ".join(table[0]), "|---|" + "---:|" * (len(table[0]) - 1)] +
                     ["| %s |" % " | ".join(row) for row in table[1:]])
