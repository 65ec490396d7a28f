"""Which process a job's cpu time is spent in, while both cores are busy."""

import glob

import machine
from programs import NAMES
from server import client

BARE_RUNS = 10


def cells_ns(pid):
    """What all cells of this execd have used, by the cgroup that theirs are made in; 0: there is none."""
    found = [0]
    for file in glob.glob("/sys/fs/cgroup/**/execd-%d-*/cpuacct.usage" % pid, recursive=True):
        found.append(int(open(file).read()))
    for file in glob.glob("/sys/fs/cgroup/**/execd-%d-*/cpu.stat" % pid, recursive=True):
        found += [1000 * int(line.split()[1]) for line in open(file) if line.startswith("usage_usec")]
    return max(found)


class Costs:
    """Around what is to be counted; of all times since clear()."""

    def __init__(self, server):
        self.execd, self.redis, self.jailer = server.pid, server.child("redis-server"), server.child("execd-jailer")
        self.clear()

    def clear(self):
        self.sums = dict.fromkeys([*self.now(), "kernel threads"], 0)

    def now(self):
        cells = cells_ns(self.execd)
        return {"execd": machine.cpu_ns(self.execd), "Redis": machine.cpu_ns(self.redis),
                "jailer": machine.cpu_ns(self.jailer, children=cells == 0), "cells": cells}

    def __enter__(self):
        self.before, self.kernel = self.now(), machine.KernelCpu()

    def __exit__(self, *_):
        for name, ns in self.now().items():
            self.sums[name] += ns - self.before[name]
        self.sums["kernel threads"] += self.kernel.ns()

    def each(self, jobs, hello):
        """Microseconds of a job, and of the same by hand."""
        runs = 2 if hello.key == "java" else BARE_RUNS
        found = {name: round(ns / jobs / 1e3) for name, ns in self.sums.items()}
        found["together"] = sum(found.values())
        found["by hand"] = round(client("spawn", "--count", runs, command=hello.bare)["cpu_ns"] / runs / 1e3)
        return found


def rows(costs):
    table = [["µs of cpu a job"] + [NAMES[key] for key in costs]]
    for name in next(iter(costs.values())):
        table.append([name] + ["{:,}".format(c[name]) for c in costs.values()])
    return table


def plain(costs):
    table = rows(costs)
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join([row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]) for row in table)


def markdown(costs):
    table = rows(costs)
    return "\n".join(["| %s |" % " | ".join(table[0]), "|---|" + "---:|" * (len(table[0]) - 1)] +
                     ["| %s |" % " | ".join(row) for row in table[1:]])
