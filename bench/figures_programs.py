"""Whole programs through HTTP, beside the same work by hand: latency, tails, throughput, verdicts."""

import json
import statistics
import subprocess
import time

import costs
import machine
from programs import EXPECT, HELLO, NAMES, Hello, data
from server import Shells, client, expectations
from table import Line, quantile, spread_of

LATENCY = {"python": 0.30, "node": 0.40, "java": 0.08, "c_new": 0.80, "c_known": 0.12}
THROUGHPUT = {"python": 5, "java": 10, "c_new": 1.1, "c_known": 12, "node": 0.85}
BARE = {"python": "bare `python3 -I`", "node": "bare `node`", "java": "bare `javac` then `java`",
        "c_new": "bare `gcc -O2` then run", "c_known": "bare `gcc -O2` then run"}
PAUSE_MS = 50
BLOCKS = 5  # of one latency run: how much its ratio differs between them is its spread
STALL_NS = 6000000  # joining a cgroup after an idle moment costs 7 to 11 ms where it is on a job's way
CLIENTS = 16


def blocks(values):
    size = max(len(values) // BLOCKS, 1)
    return [statistics.median(values[i:i + size]) for i in range(0, size * min(BLOCKS, len(values)), size)]


def late(values):
    """The share of them that came so late as if something had stalled."""
    middle = statistics.median(values)
    return sum(v > middle + STALL_NS for v in values) / len(values)


def latency(bench, server):
    stalls = {}
    for key in (k for k in LATENCY if bench.wants("latency." + k)):
        rounds = bench.rounds(15 if key == "java" else 100)
        hello = Hello(key, bench.work)
        bench.say("latency of %s" % NAMES[key])
        client("pairs", "--port", server.port, "--bodies", hello.bodies, *expectations(EXPECT), "--rounds", 3,
               command=hello.bare)  # the first ones read files from the disk
        got = client("pairs", "--port", server.port, "--bodies", hello.bodies, *expectations(EXPECT),
                     "--rounds", rounds, "--pause-ms", PAUSE_MS, command=hello.bare)
        bench.verdicts(rounds, got["wrong"])
        ours, theirs = statistics.median(got["execd"]), statistics.median(got["bare"])
        each = [a / b for a, b in zip(blocks(got["execd"]), blocks(got["bare"]))]
        bench.samples["latency." + key] = {"execd_ms": ms_all(got["execd"]), "bare_ms": ms_all(got["bare"])}
        bench.add(Line("latency." + key, "%s: submit to result / %s" % (NAMES[key], BARE[key]), ours / theirs,
                       most=LATENCY[key], spread=spread_of(each),
                       detail="%.2f ms / %.2f ms, %d rounds" % (ours / 1e6, theirs / 1e6, rounds)))
        if key != "java":  # a stall is lost in what a compiler's times differ by
            stalls[key] = (late(got["execd"]), late(got["bare"]))
    if stalls:
        worst = max(stalls, key=lambda k: stalls[k][0] - stalls[k][1])
        bench.add(Line("stalls", "Jobs 6 ms or more behind the median, one client with pauses", 100 * stalls[worst][0], "%",
                       ok=all(a <= b + 0.02 for a, b in stalls.values()), target="≤ bare + 2 %",
                       detail="; ".join("%s %.1f %% (bare %.1f %%)" % (NAMES[k], 100 * a, 100 * b)
                                        for k, (a, b) in stalls.items())))


def ms_all(values):
    return [round(v / 1e6, 3) for v in values]


def rate_in(got, seconds):
    """Jobs a second in the window: the last answer's time, so that a long job's rest does not count."""
    times = [t for t in got["at"] if t <= seconds * 1e9] or got["at"][:1]
    return len(times) / (max(times) / 1e9)


def throughput(bench, server):
    cpu = costs.Costs(server)
    for key in (k for k in THROUGHPUT if bench.wants("throughput." + k)):
        seconds = bench.seconds(10 if key == "java" else 4)
        hello = Hello(key, bench.work)
        bench.say("throughput of %s" % NAMES[key])
        load(server, hello, min(seconds, 2))
        rates, took = [], []
        cpu.clear()
        for _ in range(bench.rounds(3)):
            shells = Shells([hello.shell(i) for i in range(2)]).rate(seconds)
            with cpu:
                got = load(server, hello, seconds)
            bench.verdicts(len(got["took"]), got["wrong"])
            rates.append((rate_in(got, seconds), shells))
            took += got["took"]
        bench.costs[key] = cpu.each(len(took), hello)
        ours, theirs = (statistics.median(r[i] for r in rates) for i in (0, 1))
        bench.samples["throughput." + key] = {"execd_per_s": [r[0] for r in rates], "shells_per_s": [r[1] for r in rates]}
        bench.add(Line.ratio("throughput." + key, "%s: jobs a second / two bare shells looping" % NAMES[key], rates,
                             least=THROUGHPUT[key], detail="%.1f / %.1f jobs a second" % (ours, theirs)))
        middle, tail = statistics.median(took), quantile(took, 0.99)
        bench.add(Line("tail." + key, "%s: p99 / median, %d clients, queue never empty" % (NAMES[key], CLIENTS),
                       tail / middle, detail="%.1f ms / %.1f ms, %d jobs" % (tail / 1e6, middle / 1e6, len(took))))


def load(server, hello, seconds):
    return client("load", "--port", server.port, "--bodies", hello.bodies, *expectations(EXPECT), "--clients", CLIENTS,
                  "--seconds", seconds)


# ---- the programs of tests/data -----------------------------------------------------------


def data_bodies(bench, name, programs):
    file = bench.work / (name + ".bodies")
    file.write_text("".join(json.dumps({"language_id": p["language_id"], "source_code": p["source_code"],
                                        "timeout": 30000}) + "\n" for p in programs))
    return file


def all_of(bench, server, file, count):
    """Each program once; jobs a second."""
    got = client("load", "--port", server.port, "--bodies", file, "--expect", '"status":"completed"', "--expect",
                 '"exit_code":0', "--clients", CLIENTS, "--count", count)
    bench.verdicts(count, got["wrong"])
    return count - got["wrong"], count / (max(got["at"]) / 1e9)


def two_shells(bench, programs):
    """The same by two shells that take every second of them, their output thrown away; jobs a second."""
    scripts = []
    for i in range(2):
        directory = bench.work / ("data%d" % i)
        directory.mkdir(exist_ok=True)
        for n, p in enumerate(programs[i::2]):
            (directory / ("%d.py" % n)).write_text(p["source_code"])
        scripts.append("for f in %s/*.py; do /usr/bin/python3 -I $f >/dev/null || exit 1; done" % directory)
    begin = time.monotonic()
    shells = [subprocess.Popen(["/bin/sh", "-c", s], env=machine.CLEAN, preexec_fn=machine.end_with_us) for s in scripts]
    if any([s.wait() for s in shells]):
        raise RuntimeError("a program of tests/data failed by hand")
    return len(programs) / (time.monotonic() - begin)


def programs(bench, server):
    if not bench.wants("programs"):
        return
    bench.say("the programs of tests/data")
    python, node = data()
    file = data_bodies(bench, "python", python)
    rates, right = [], 0
    for i in range(bench.rounds(3)):
        right, rate = all_of(bench, server, file, len(python))
        rates.append((rate, two_shells(bench, python)))
    node_right, node_rate = all_of(bench, server, data_bodies(bench, "node", node), len(node))
    ours, theirs = (statistics.median(r[i] for r in rates) for i in (0, 1))
    total = len(python) + len(node)
    bench.add(Line("programs.verdicts", "%d programs of tests/data: right verdicts" % total, right + node_right,
                   least=total, detail="Python half %.0f, Node.js half %.0f jobs a second" % (ours, node_rate)))
    bench.add(Line.ratio("programs.python", "their Python half: jobs a second / two bare shells looping", rates, least=3,
                         detail="%.1f / %.1f jobs a second" % (ours, theirs)))
