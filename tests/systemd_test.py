#!/usr/bin/env python3
"""The systemd units: their exposure, their grammar, and that no job is refused a call that its cell allows.

Usage: systemd_test.py SOURCE_DIR BUILD_DIR
systemd need not run: `systemd-analyze security --offline=true` reads the files alone.  Exit status 77 without it.
"""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# The exposure that each may have at most, as systemd 252 counts (0 best, 10 worst).
EXPOSURE = {"execd-api": 1.3, "execd-hook": 1.3, "execd-worker": 4.1, "execd": 4.1}
WITH_JAILER = ("execd", "execd-worker")
# Of the jailer itself (core/jailer, core/cell), beyond what jobs may call.
JAILER_CALLS = ["mount", "umount2", "pivot_root", "open_tree", "move_mount", "mount_setattr", "unshare", "clone3",
                "sethostname", "capset", "setresuid", "setresgid", "setgroups", "seccomp", "prctl", "openat2",
                "fchownat", "fchown", "chown", "mknodat", "flock", "pidfd_open", "setxattr", "close_range", "execve"]
failures = []


def check(holds, what):
    if not holds:
        failures.append(what)
        print("FAILED: " + what)


def analyze(*args):
    return subprocess.run(["systemd-analyze", "--no-pager", *args], capture_output=True, text=True)


def settings(unit):
    """Key -> values in their order, over all sections."""
    found = {}
    for line in unit.read_text().splitlines():
        m = re.fullmatch(r"(\w+)=(.*)", line)
        if m:
            found.setdefault(m.group(1), []).append(m.group(2))
    return found


class Calls:
    """systemd's sets of system calls."""

    def __init__(self):
        self.sets, name = {}, None
        for line in analyze("syscall-filter").stdout.splitlines():
            if re.match(r"@\S+$", line):
                name = line.strip()
                self.sets[name] = []
            elif name and line.strip() and not line.strip().startswith("#"):
                self.sets[name].append(line.strip())

    def expand(self, word):
        if not word.startswith("@"):
            return {word}
        return set().union(*(self.expand(w) for w in self.sets[word]))

    def allowed(self, filters):
        """By an allow list that later lines add to and take from (systemd.exec(5))."""
        found = self.expand("@default")
        for line in filters:
            words = set().union(*(self.expand(w) for w in line.lstrip("~").split()))
            found = found - words if line.startswith("~") else found | words
        return found


def names_in(source, arrays=r".*"):
    """System calls that the named arrays of a source name, and those of its rules with arguments."""
    text = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.S)
    lists = re.findall(r"\*const (%s)\[\] = \{(.*?)\};" % arrays, text, re.S)
    words = [w for _, body in lists for w in re.findall(r'"(\w+)"', body)]
    rules = re.findall(r'(?:\{"(\w+)", [A-Z]|[A-Z_]\("(\w+)", )', text)
    return set(words) | {a or b for a, b in rules}


def check_exposure(unit):
    r = analyze("security", "--offline=true", "--threshold=%d" % round(EXPOSURE[unit.stem] * 10), str(unit))
    line = r.stdout.strip().splitlines()[-1] if r.stdout.strip() else r.stderr.strip()
    print(line.lstrip("→ "))
    check(r.returncode == 0, "%s is above %.1f" % (unit.name, EXPOSURE[unit.stem]))


def check_grammar(units, build):
    """As `verify` sees them, with the built program in the place of the installed one."""
    with tempfile.TemporaryDirectory(prefix="execd-units-") as directory:
        copies = []
        for unit in units:
            copy = pathlib.Path(directory, unit.name)
            copy.write_text(re.sub(r"^ExecStart=\S+", "ExecStart=%s" % (build / "execd"), unit.read_text(), flags=re.M))
            copies.append(str(copy))
        r = analyze("verify", "--man=no", *copies)
    said = [line for line in r.stderr.splitlines() if re.search(r"execd(-\w+)?\.service", line)]
    check(r.returncode == 0 and not said, "verify: " + "; ".join(said or r.stderr.splitlines()[:3]))


def check_calls(unit, calls, source):
    with_jailer = unit.stem in WITH_JAILER
    allowed = calls.allowed(settings(unit)["SystemCallFilter"])
    needed = names_in(source / "core/shield/shield_lists.c", r"shield_(?:common|listening%s)" % ("|redis" if with_jailer else ""))
    needed -= set() if with_jailer else {"chmod", "fchmod", "arch_prctl"}
    if with_jailer:
        cell = source / "core/cell/cell_seccomp_lists.c"
        needed |= names_in(cell, r"cell_seccomp_(?:common|runtime|jit)") | set(JAILER_CALLS)
    known = calls.expand("@known")
    check(len(needed) > 100, "the lists of system calls were not found in the sources")
    missing = sorted(n for n in needed & known if n not in allowed)
    check(not missing, "%s refuses %s" % (unit.name, " ".join(missing)))


def main():
    source, build = (pathlib.Path(a).resolve() for a in sys.argv[1:3])
    if shutil.which("systemd-analyze") is None:
        print("skipped: no systemd-analyze (apt install systemd)")
        return 77
    units = [build / "deploy/systemd" / (name + ".service") for name in EXPOSURE]
    calls = Calls()
    for unit in units:
        check_exposure(unit)
        check_calls(unit, calls, source)
    check_grammar(units, build)
    return 1 if failures else 0


sys.exit(main())
