"""What a sandbox costs for a program that costs nothing: a static hello through the jailer, bubblewrap and crun.

Cpu time is that of everything: ours counts the worker's end of the jailer, the jailer, and every process of every
cell (from making it to its death); theirs every process that the command started.  What kernel threads did
meanwhile is added to both, because ending a network namespace, for one, happens there.
"""

import json
import os
import shutil
import statistics

import machine
from server import BUILD, Tool, client
from table import Line, quantile, spread_of

HELLO = BUILD / "bench/bench-hello"
# crun refuses a machine where v1 and v2 of the cgroups are mounted side by side; it need not see v2 here.
HIDE = ["unshare", "--mount", "/bin/sh", "-c", "umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"", "sh"]


def crun_command(work):
    """The least that an OCI bundle can ask for; None where this machine's crun does not run it."""
    bundle = work / "crun"
    for place in ("dev", "proc"):
        (bundle / "rootfs" / place).mkdir(parents=True, exist_ok=True)
    shutil.copy(HELLO, bundle / "rootfs/hello")
    spaces = [{"type": t} for t in ("pid", "mount", "ipc", "uts", "network")]
    (bundle / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.0", "root": {"path": "rootfs", "readonly": True},
        "process": {"args": ["/hello"], "cwd": "/", "user": {"uid": 0, "gid": 0}, "noNewPrivileges": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": spaces}}))
    return ["crun", "--root", str(bundle / "state"), "--cgroup-manager", "disabled", "run", "--bundle", str(bundle), "bench"]


def hide(name):
    return HIDE if name == "crun" and os.path.ismount("/sys/fs/cgroup/unified") else ()


def peers(bench):
    found = {"bare": [str(HELLO)]}
    if shutil.which("bwrap"):
        found["bubblewrap"] = ["bwrap", "--unshare-all", "--ro-bind", str(HELLO), "/hello", "/hello"]
    if shutil.which("crun"):
        found["crun"] = crun_command(bench.work)
    for name, command in list(found.items()):
        try:
            client("spawn", "--count", 1, command=command, prefix=hide(name))
        except RuntimeError:
            bench.say("%s does not run here and is left out" % name)
            del found[name]
    return found


def by_hand(name, command, count):
    kernel = machine.KernelCpu()
    got = client("spawn", "--count", count, command=command, prefix=hide(name))
    return {"cpu": got["cpu_ns"] / count, "kernel": kernel.ns() / count, "took": got["took"]}


def by_jailer(jail, pid, count):
    kernel, tree = machine.KernelCpu(), machine.cpu_ns(pid, children=True)
    got = jail.ask("%d 0" % count)
    tree = machine.cpu_ns(pid, children=True) - tree
    return {"cpu": (got["cpu_ns"] + tree) / count, "kernel": kernel.ns() / count, "took": got["took"]}


def measure(bench):
    found = peers(bench)
    sides = {name: [] for name in ("execd", *found)}
    with Tool(BUILD / "bench/bench-jail", BUILD / "execd-jailer", HELLO, 1) as jail:
        pid = jail.read()
        by_jailer(jail, pid, 20)
        for _ in range(bench.rounds(5)):
            sides["execd"].append(by_jailer(jail, pid, 400))
            for name, command in found.items():
                sides[name].append(by_hand(name, command, 100))
        paused = jail.ask("%d 50" % bench.rounds(60))["took"]
    return sides, paused


def rates(bench):
    """Cells a second one after another, and with as many at a time as there are cores, in turn."""
    command = (BUILD / "bench/bench-jail", BUILD / "execd-jailer", HELLO)
    with Tool(*command, 1) as one, Tool(*command, len(bench.cores)) as all_cores:
        for tool in (one, all_cores):
            tool.read()
            tool.ask("20 0")
        return [[400 / (tool.ask("400 0")["wall_ns"] / 1e9) for tool in (all_cores, one)] for _ in range(bench.rounds(5))]


def whole(side):
    return [r["cpu"] + r["kernel"] for r in side]


def sandbox(bench):
    if not bench.wants("sandbox"):
        return
    bench.say("a static hello in sandboxes")
    sides, paused = measure(bench)
    ours = statistics.median(whole(sides["execd"]))
    for name, side in sides.items():
        cpu, kernel = (statistics.median(r[k] for r in side) for k in ("cpu", "kernel"))
        took = statistics.median(t for r in side for t in r["took"])
        bench.samples["sandbox." + name] = {"cpu_us": cpu / 1e3, "kernel_us": kernel / 1e3, "took_us": took / 1e3}
    if "bubblewrap" in sides:
        bench.add(Line.ratio("sandbox.cpu", "static C hello through the jailer: cpu, everything counted / bubblewrap",
                             list(zip(whole(sides["execd"]), whole(sides["bubblewrap"]))), most=0.25,
                             detail="%.2f ms / %.2f ms" % (ours / 1e6, statistics.median(whole(sides["bubblewrap"])) / 1e6)))
    pairs = rates(bench)
    many, one = (statistics.median(p[i] for p in pairs) for i in (0, 1))
    bench.add(Line.ratio("sandbox.cores", "static C hello through the jailer: %d at a time / one at a time" % len(bench.cores),
                         pairs, detail="{:,.0f} / {:,.0f} cells a second".format(many, one)))
    for name, side in sides.items():
        s = bench.samples["sandbox." + name]
        title = {"execd": "the jailer", "bare": "started by hand"}.get(name, name)
        each = [v / 1e6 for v in whole(side)]
        bench.add(Line("sandbox." + name, "static C hello, %s: cpu" % title, statistics.median(each), "ms", spread=spread_of(each),
                       detail="processes %.2f ms, kernel threads %.2f ms; done after %.2f ms" %
                              (s["cpu_us"] / 1e3, s["kernel_us"] / 1e3, s["took_us"] / 1e3)))
    bench.add(Line("sandbox.paused", "static C hello through the jailer, 50 ms pauses: p95 - median",
                   (quantile(paused, 0.95) - statistics.median(paused)) / 1e6, "ms", most=6,
                   detail="median %.2f ms, p95 %.2f ms; joining a cgroup on the way would add 7 to 11 ms" %
                          (statistics.median(paused) / 1e6, quantile(paused, 0.95) / 1e6)))
