"""Where a cell's cpu time goes, by process and system call: perf's samples, counted.  Needs `perf`."""

import collections
import shutil
import subprocess

import machine
from server import BUILD

CELLS = 1000
SHOWN = 24
KIND = (("exc_page_fault", "page faults"), ("ret_from_fork", "start of a process"), ("irq", "interrupts"))


def names(stack):
    """Of a stack, innermost first: the system call that it is in, or what else it is."""
    if "do_syscall_64" in stack:
        call = stack[stack.index("do_syscall_64") - 1] if stack[0] != "do_syscall_64" else "entry and exit"
        for prefix in ("__x64_sys_", "__do_sys_", "__sys_", "ksys_"):
            call = call.removeprefix(prefix)
        return call if "exit_to_user" not in call else "entry and exit"
    for part, name in KIND:
        if any(part in frame for frame in stack):
            return name
    return "its own code"


def counted(script):
    """perf script's text -> {(process, what): samples}."""
    found = collections.Counter()
    for sample in script.split("\n\n"):
        lines = sample.strip().split("\n")
        if len(lines) > 1:
            stack = [line.split()[1] for line in lines[1:] if len(line.split()) > 1]
            found[lines[0].split()[0], names(stack) if stack else "its own code"] += 1
    return found


def perf(*args, **kw):
    return subprocess.run(["perf", *args], env=machine.CLEAN, check=True, text=True, **kw)


def measure(bench):
    """-> [[process, what, microseconds a cell], ...], the dearest first."""
    if not bench.wants("cells"):
        return
    if not shutil.which("perf"):
        bench.say("perf is not installed: no system calls are told")
        return
    bench.say("a cell by system calls")
    data = str(bench.work / "perf.data")
    try:
        for count in (10, CELLS):  # the first: what the start costs, to be taken off
            perf("record", "-q", "-F", "4000", "-e", "cpu-clock", "-g", "-o", data + str(count), "--",
                 str(BUILD / "bench/bench-jail"), str(BUILD / "execd-jailer"), str(BUILD / "bench/bench-hello"), "1",
                 input="%d 0\n" % count, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        few, many = (counted(perf("script", "-F", "comm,ip,sym", "-i", data + str(count), stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL).stdout) for count in (10, CELLS))
    except subprocess.CalledProcessError:
        bench.say("perf does not work here: no system calls are told")
        return
    each = {key: max(n - few[key], 0) * 250 / (CELLS - 10) for key, n in many.items()}
    bench.cells = [[process, what, round(us, 1)] for (process, what), us in sorted(each.items(), key=lambda e: -e[1]) if us >= 5]


def rows(cells):
    whole = collections.Counter()
    for process, _, us in cells:
        whole[process] += us
    table = [["process", "in", "µs a cell"]]
    table += [[process, what, "{:.0f}".format(us)] for process, what, us in cells[:SHOWN]]
    table += [[process, "altogether", "{:.0f}".format(us)] for process, us in whole.most_common()]
    return table


def plain(cells):
    table = rows(cells)
    widths = [max(len(row[i]) for row in table) for i in range(3)]
    return "\n".join("%s  %s  %s" % (row[0].ljust(widths[0]), row[1].ljust(widths[1]), row[2].rjust(widths[2])) for row in table)


def markdown(cells):
    return "\n".join(["| %s |" % " | ".join(row) for row in rows(cells)[:1]] + ["|---|---|---:|"] +
                     ["| %s |" % " | ".join(row) for row in rows(cells)[1:]])
