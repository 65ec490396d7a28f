"""The cells of a jailer as anybody of the machine sees them: what is ready, what waits, and what has become a job.

A cell is an execd-init.  One that is ready has no child.  What was started ahead of its job is the one child of its init, alone
there; a zygote, which has no filter, has cells of its own below it, each an init and the one process that will be the job.
All of these have a limit of cpu time that no job has: a job's is put on before its first instruction, is hard, and goes over
to whatever it starts, so nothing that ever ran a user's code can look like what waits.  How many of them there are is
what execd's own metrics say.
"""

import re

from server import children_of, command_name, descendants, of_process

NO_JOBS = 86400  # seconds of cpu: more than any job may have
WAYS = {"python": (71, ["zygote"]), "node": (63, ["preboot"]), "java": (62, ["service", "preboot"]), "c": (50, ["zygote"])}


class Gone(Exception):
    """It ended while it was looked at."""


def cpu_seconds(pid):
    m = re.search(r"^Max cpu time +\S+ +(\S+)", of_process(pid, "limits"), flags=re.M)
    if m is None:
        raise Gone
    return float("inf") if m.group(1) == "unlimited" else int(m.group(1))


def has_filter(pid):
    m = re.search(r"^Seccomp:\s+(\d)", of_process(pid, "status"), flags=re.M)
    if m is None:
        raise Gone
    return m.group(1) != "0"


class Cells:
    """One look.  strangers: what is neither ready nor waits, for people."""

    def __init__(self, jailer):
        self.ready, self.runtimes, self.forks, self.strangers = [], [], {}, []
        self.zygotes = []
        for init in children_of(jailer):
            try:
                self.cell(init)
            except Gone:
                self.strangers.append("pid %d ends" % init)

    def cell(self, init):
        inside = children_of(init)
        if not inside:
            self.ready.append(init)
        elif len(inside) > 1:
            self.stranger(init, "%d processes in a cell" % len(inside))
        elif self.waits(inside[0]):
            self.runtimes.append(inside[0])
            self.below(inside[0])

    def below(self, runtime):
        """Nothing, or a zygote's cells."""
        inits = children_of(runtime)
        if not has_filter(runtime):
            self.zygotes.append(runtime)
        elif inits:
            self.stranger(runtime, "it has children")
            return
        if inits:
            self.forks[runtime] = inits
            for init in inits:
                inside = children_of(init)
                if len(inside) != 1 or not self.waits(inside[0]) or children_of(inside[0]):
                    self.stranger(init, "a fork's cell with %d processes" % len(inside))

    def waits(self, pid):
        if cpu_seconds(pid) > NO_JOBS:
            return True
        self.stranger(pid, "it has a job's limits")
        return False

    def stranger(self, pid, why):
        inside = ["%d %s" % (p, command_name(p)) for p in descendants(pid)]
        self.strangers.append("%s: %s" % (why, ", ".join(inside)))

    @property
    def count(self):
        return len(self.ready) + len(self.runtimes) + sum(map(len, self.forks.values()))

    def to_come(self, spare):
        """Forks that zygotes have been asked for and have not made, while they boot for one: their groups are there."""
        return sum(max(0, spare - len(self.forks.get(z, []))) for z in self.zygotes)

    def wrong(self, spare, runtimes):
        """What is more than it may be: `spare` ready ones of each kind, and so many runtimes; "" if nothing is."""
        if self.strangers:
            return "processes of a job: " + "; ".join(self.strangers)
        if spare is not None and len(self.ready) > spare:
            return "%d cells are ready, %d were" % (len(self.ready), spare)
        if spare is not None and any(len(f) > spare for f in self.forks.values()):
            return "a zygote has %s forks, which is more than %d" % (list(map(len, self.forks.values())), spare)
        if len(self.runtimes) > runtimes:
            return "%d runtimes, of which execd knows %d: pids %s" % (len(self.runtimes), runtimes, self.runtimes)
        return "" if self.ready else "no cell is ready"


# ---- what execd says of them -------------------------------------------------------------------------


class Warm:
    """execd's own counters (/metrics), of all languages together or of one."""

    def __init__(self, server):
        self.server, self.lacks = server, {}

    def values(self, name, label, language_id=r"\d+"):
        found = {}
        for line in self.server.request("GET", "/metrics").text.splitlines():
            m = re.fullmatch(r'execd_warm_%s\{.*language="%s",%s="(\w+)"\} (\d+)' % (name, language_id, label), line)
            if m:
                found[m.group(1)] = found.get(m.group(1), 0) + int(m.group(2))
        return found

    def known(self):
        return sum(self.values("runtimes", "state").values())

    def idle(self, language):
        """Each of its ways has one that waits, and none is on its way."""
        states = self.values("runtimes", "state", WAYS[language][0])
        return states.get("idle", 0) >= len(WAYS[language][1]) and not states["booting"] and not states["busy"]

    def steps(self, language):
        """({way: steps that ran warm}, how many could have and did not)"""
        id = WAYS[language][0]
        return self.values("steps_total", "way", id), sum(self.values("fallbacks_total", "reason", id).values())

    def tried(self, languages):
        """Has every way of these languages been tried?  Notes in `lacks` why one is not warm: {(language, way): why}."""
        for name in set(languages) & set(WAYS):
            for way in WAYS[name][1]:
                said = re.findall(r"warm_(ready|refused|failed) language_id=%d way=%s (.*)" % (WAYS[name][0], way), self.server.logged())
                if not said:
                    return False
                if "ready" not in {s[0] for s in said}:
                    self.lacks[name, way] = said[-1][1]
        return True
