#!/usr/bin/python3 -I
"""The benchmark: `./dev bench`.

Every ratio is of two sides that were measured in turn, in one run, on one machine; what is told is the median of
the rounds and how far they lie apart.  The server has its default configuration.
"""

import argparse
import json
import os
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import cells
import figures_programs
import figures_queue
import figures_sandbox
import figures_webhooks
import machine
import report
import steps
from server import Server
from table import Line

# The defaults, and the one package that a program of tests/data requires.
CONF = """plugins = ({ file = "lang-python.so"; }, { file = "lang-c.so"; }, { file = "lang-java.so"; },
    { file = "lang-node.so"; settings = { modules = "%s"; }; });
""" % (pathlib.Path(__file__).resolve().parents[1] / "tests/data/node_modules")
GROUPS = ("latency", "throughput", "programs", "sandbox", "queue", "webhook", "steps", "cells")
MILLION = 1000000
ROOT = pathlib.Path(__file__).resolve().parents[1]


class Bench:
    def __init__(self, only, quick):
        self.only, self.quick = only, quick
        self.cores = os.sched_getaffinity(0)
        self.lines, self.samples, self.steps, self.costs, self.cells = [], {}, {}, {}, []
        self.jobs = self.wrong = 0
        (ROOT / "build/bench").mkdir(parents=True, exist_ok=True)
        self.work = pathlib.Path(tempfile.mkdtemp(dir=ROOT / "build/bench", prefix="work-"))
        self.work.chmod(0o755)

    def wants(self, key):
        return not self.only or any(key == o or key.startswith(o + ".") or o.startswith(key + ".") for o in self.only)

    def rounds(self, count):
        return max(count // 4, 2) if self.quick else count

    def seconds(self, count):
        return max(count / 2, 1) if self.quick else count

    def say(self, text):
        print("bench: %s" % text, file=sys.stderr, flush=True)

    def add(self, line):
        self.lines.append(line)

    def unmeasured(self):
        """What was asked for by name and is in no figure: a name that is none, or a tool that is not there."""
        found = [line.key for line in self.lines] + ["steps." + k for k in self.steps] + ["cells"] * bool(self.cells)
        return [o for o in self.only if not any(key == o or key.startswith(o + ".") for key in found)]

    def verdicts(self, jobs, wrong):
        self.jobs += jobs
        self.wrong += wrong


def resident(bench, server, idle):
    now = machine.resident_kib(server.pid)
    bench.add(Line("rss.idle", "execd's resident memory, all roles, idle", idle / 1024, "MiB", most=20,
                   detail="its Redis and its jailer are processes of their own"))
    bench.add(Line("rss.worker", "execd's resident memory, all roles: growth while {:,} jobs ran".format(bench.jobs),
                   (now - idle) / 1024, "MiB", most=1, detail="%.1f MiB then %.1f MiB" % (idle / 1024, now / 1024)))


def million(bench, server):
    """--long: a million real programs, by the way of every job."""
    hello = figures_programs.Hello("python", bench.work)
    bench.say("a million jobs, one after another")
    before = machine.resident_kib(server.pid)
    got = figures_programs.client("load", "--port", server.port, "--bodies", hello.bodies, "--clients", 16,
                                  *figures_programs.expectations(figures_programs.EXPECT), "--count", MILLION)
    bench.verdicts(MILLION, got["wrong"])
    after = machine.resident_kib(server.pid)
    bench.add(Line("rss.million", "execd's resident memory, all roles: growth while {:,} programs ran".format(MILLION),
                   (after - before) / 1024, "MiB", most=1, detail="%.1f MiB then %.1f MiB" % (before / 1024, after / 1024)))


def run(bench, long_way):
    begin = time.monotonic()
    if any(bench.wants(k) for k in ("latency", "throughput", "programs")):
        with Server(bench.work / "server", conf=CONF) as server:
            time.sleep(1)
            idle = machine.resident_kib(server.pid)
            figures_programs.latency(bench, server)
            figures_programs.throughput(bench, server)
            figures_programs.programs(bench, server)
            if bench.jobs:
                resident(bench, server, idle)
            if long_way:
                million(bench, server)
    figures_sandbox.sandbox(bench)
    figures_queue.queue(bench)
    figures_webhooks.webhooks(bench)
    steps.measure(bench)
    cells.measure(bench)
    return time.monotonic() - begin


def arguments():
    p = argparse.ArgumentParser(prog="./dev bench", description="Measures execd beside the same work by hand.")
    p.add_argument("--only", nargs="+", metavar="NAME", default=[],
                   help="%s; latency.python is one of a group" % " ".join(GROUPS))
    p.add_argument("--quick", action="store_true", help="a quarter of the rounds: for a look, not for a record")
    p.add_argument("--long", action="store_true", help="a million real programs as well, for execd's memory")
    p.add_argument("--keep", action="store_true", help="write bench/results and the tables in docs/performance.md anew")
    options = p.parse_args()
    for name in options.only:
        if name.split(".")[0] not in GROUPS:
            p.error("--only %s: there are %s" % (name, ", ".join(GROUPS)))
    return options


def main():
    options = arguments()
    if options.keep and (options.only or options.quick):
        sys.exit("bench: what is kept is a whole run")
    bench = Bench(options.only, options.quick)
    try:
        facts = machine.facts()
        facts["busy_before"] = round(machine.Busy(1).share, 2)
        seconds = run(bench, options.long)
    finally:
        shutil.rmtree(bench.work, ignore_errors=True)
    if bench.wrong:
        bench.add(Line("wrong", "answers that were not as expected", bench.wrong, most=0))
    result = {"machine": facts, "seconds": round(seconds), "date": time.strftime("%Y-%m-%d", time.gmtime()),
              "lines": [line.as_json() for line in bench.lines], "steps": bench.steps, "costs": bench.costs,
              "cells": bench.cells, "samples": bench.samples}
    report.write(ROOT / "build/bench", result, bench.lines)
    if options.keep:
        report.keep(ROOT, result, bench.lines)
    print(report.text(result, bench.lines))
    for name in bench.unmeasured():
        bench.say("--only %s: nothing of that name was measured" % name)
    return 1 if bench.wrong or bench.unmeasured() else 0


if __name__ == "__main__":
    sys.exit(main())
