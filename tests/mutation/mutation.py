#!/usr/bin/python3
"""Switches off each defence of the sandbox in turn and demands that a test goes red.

    mutation.py [NAME...]        these, or all; all of them also renew the table in docs/security.md
    mutation.py --check [--mutant FILE]
                                 only: does defences.tsv name each defence of the mutant, and docs/security.md each row?

The mutants are the product's sources, built with every defence under a name (core/base/defence.h).  A wrapper that hands
names to execd-jailer-mutant stands for `worker.jailer`; beside it execd-probe says that all is well, so that the tests
have to notice and not the probe.  defences.tsv names the tests.  First all of them run with nothing switched off, and must
be green.  Then each defence: its tests must have a red one, or execd must not start ("refused": a cell that cannot
be closed is not opened).  What the real execd-probe would have said is noted besides.

A defence that stands behind another is switched off together with that one (joined by + in the table).

The rows run cold here: a zygote's forks close their cells by code of their own program, in which nothing can be switched
off, so a row that ran in one would stay green for the wrong reason.  What that code does is asked by rows Z.
"""

import argparse
import functools
import json
import os
import pathlib
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
HERE = pathlib.Path(__file__).resolve().parent
DOCUMENT = ROOT / "docs/security.md"
BEGIN, END = "<!-- mutation: begin -->", "<!-- mutation: end -->"
BUILD = pathlib.Path(os.environ.get("EXECD_BUILD", ROOT / "build/release")).resolve()
RESULTS = BUILD / "mutation.jsonl"  # of all runs since the last whole one
PATIENCE = 240  # seconds for the tests of one defence; a run that is longer is a fault of this one


def table():
    """defences.tsv: [(names, tests, remark)]."""
    rows = []
    for line in (HERE / "defences.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            name, tests, remark = (line.split("\t") + [""])[:3]
            rows.append((name, tests.split(), remark))
    return rows


def described(mutant):
    """name -> what it is, as the mutant has it."""
    out = subprocess.run([str(mutant), "--list"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("\t") for line in out.splitlines())


# ---- one run --------------------------------------------------------------------------------


def wrapper(directory, names, real_probe):
    """A jailer that goes without `names`, for worker.jailer."""
    directory.chmod(0o755)
    probe = "exec '%s/execd-probe' \"$@\"" % BUILD if real_probe else "echo '*: ok'"
    if real_probe:
        (directory / "execd-probe").write_bytes((BUILD / "execd-probe").read_bytes())  # it goes into a cell as it is
    else:
        (directory / "execd-probe").write_text("#!/bin/sh\n%s\n" % probe)
    (directory / "jailer").write_text("#!/bin/sh\nexec '%s/execd-jailer-mutant' %s\n" % (BUILD, " ".join(names)))
    for file in ("jailer", "execd-probe"):
        (directory / file).chmod(0o755)
    return str(directory / "jailer")


def generous():
    """What a cell must not inherit: in the child that becomes pytest, and so execd's."""
    for what, value in ((resource.RLIMIT_NICE, 30), (resource.RLIMIT_RTPRIO, 50), (resource.RLIMIT_MEMLOCK, 1 << 30),
                        (resource.RLIMIT_MSGQUEUE, 1 << 20), (resource.RLIMIT_CORE, resource.RLIM_INFINITY)):
        try:
            resource.setrlimit(what, (value, value))
        except (ValueError, OSError):
            pass
    if os.geteuid() == 0:
        os.setgroups([0, 4, 27])


def finish_leftovers():
    """Processes that a mutant let live have become our children: their end is ours to see to."""
    from server import children, descendants

    for pid in [p for child in children() for p in descendants(child)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    try:
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
    except ChildProcessError:
        pass


def pytest(tests, names, directory):
    """Runs them against a server without `names`; (red, green, refused), text."""
    conf = directory / "conf.json"
    plugins = ["lang-c.so", "lang-python.so"]
    conf.write_text(json.dumps({
        "worker": {"slots": 4, "jailer": wrapper(directory, names, False)},
        "plugins": [{"file": p} for p in plugins] + [{"file": str(BUILD / "tests/attacks/lang-hostile.so")}]}))
    env = dict(os.environ, EXECD_BUILD=str(BUILD), EXECD_ATTACKS_CONF=str(conf), PYTHONDONTWRITEBYTECODE="1",
               EXECD_TEST_PATIENCE="40", EXECD_ATTACKS_COLD="1")
    command = ["nice", sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", "-rA", "--tb=line", "--no-canaries",
               "--basetemp", str(directory / "run")] + ["tests/attacks/" + t for t in tests]
    log = directory / "log"
    with open(log, "wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=subprocess.STDOUT, preexec_fn=generous)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    finish_leftovers()
    return log.read_text(errors="replace")


def outcome(text):
    """From pytest's summary: what was red, what green, and whether execd refused to start."""
    red = re.findall(r"^(?:FAILED|ERROR) tests/attacks/(\S+)", text, flags=re.M)
    green = [t for t in re.findall(r"^PASSED tests/attacks/(\S+)", text, flags=re.M) if t not in red]
    return sorted(set(red)), green, "execd did not start" in text


def run_programs(programs, names):
    """The build's own test programs: red is another exit status than 0.  PROGRAM[TEST] starts a jailer and is given ours;
    others take the names themselves."""
    red = []
    for p in programs:
        file, _, test = p.rstrip("]").partition("[")
        with tempfile.TemporaryDirectory() as d:
            jailer = wrapper(pathlib.Path(d), names, False)
            env = dict(os.environ, EXECD_TEST_JAILER=jailer, EXECD_TEST_FILTER=test) if test else dict(os.environ)
            command = [str(BUILD / file)] + ([] if test else names)
            status = subprocess.run(command, env=env, capture_output=True, timeout=PATIENCE).returncode
        red += [p] if status != 0 else []
    finish_leftovers()
    return red


def probe_says(names, directory):
    """Does execd start, with the real probe?  What that found, or ""."""
    from server import Execd

    jailer = wrapper(directory, names, True)
    server = Execd(directory, {"worker": {"slots": 1, "jailer": jailer}, "plugins": [{"file": "lang-c.so"}]})
    try:
        if server.process.stdout.readline().startswith(b"execd ready"):
            server.process.kill()
            return ""
        server.process.wait(30)
        m = re.search(r"start_refused .*", server.logged())
        return "refuses" if m else "execd does not start"
    finally:
        if server.process.poll() is None:
            server.process.kill()
            server.process.wait()
        server.close()
        finish_leftovers()


def examine(names, tests):
    """One defence: (red tests, refused, what the probe says, output)."""
    programs = [t for t in tests if "::" not in t]
    rows = [t for t in tests if "::" in t]
    red = run_programs(programs, names)
    refused, text, probe = False, "", ""
    if rows:
        with tempfile.TemporaryDirectory() as d:
            text = pytest(rows, names, pathlib.Path(d))
        more, _, refused = outcome(text)
        red += [] if refused else more
        with tempfile.TemporaryDirectory() as d:
            probe = probe_says(names, pathlib.Path(d))
    return red, refused, probe, text


def baseline(rows):
    """Every test that is asked of, with nothing switched off: all green, or this says nothing."""
    tests = sorted({t for _, ts, _ in rows for t in ts if "::" in t})
    red = run_programs(sorted({t for _, ts, _ in rows for t in ts if "::" not in t}), [])
    text = ""
    if tests:
        with tempfile.TemporaryDirectory() as d:
            text = pytest(tests, [], pathlib.Path(d))
        more, green, _ = outcome(text)
        if more:  # once more: a machine that is busy elsewhere is not what is looked for
            with tempfile.TemporaryDirectory() as d:
                text = pytest(more, [], pathlib.Path(d))
            more, again, _ = outcome(text)
            green += again
        red += more
        if not red and len(green) < len(tests):
            red = ["only %d green for %d asked" % (len(green), len(tests))]
    if red:
        print(text[-6000:])
        sys.exit("mutation: with nothing switched off these are red, so nothing can be said: " + " ".join(red))
    return len(tests)


# ---- the document -----------------------------------------------------------------------------


def short(test):
    """test_syscalls.py::test_S02_capabilities -> S02; others by their name."""
    name = test.split("::")[-1]
    m = re.match(r"test_([A-Z]\d\d)_[^\[]*(\[.*\])?", name)
    if m:
        return m.group(1) + (m.group(2) or "").replace("[", " ").replace("]", "")
    return "`%s`" % name.rsplit("/", 1)[-1]


def line(name, what, red, refused, probe, remark):
    shown = "execd does not start" if refused else ", ".join(dict.fromkeys(short(t) for t in red)) or "in the lane `vm`"
    if remark:
        shown += " (%s)" % remark
    return "| %s | %s | %s | %s |" % (" + ".join("`%s`" % n for n in name.split("+")),
                                      "; ".join(what[n] for n in name.split("+")), shown, probe or "-")


def write(what):
    """The table, once every defence has been examined; the last word on each counts."""
    found = {}
    for text in RESULTS.read_text().splitlines():
        name, *rest = json.loads(text)
        found[name] = rest
    rows = table()
    if any(name not in found for name, _, _ in rows):
        return
    lines = [line(name, what, *found[name], remark) for name, _, remark in rows]
    text = DOCUMENT.read_text()
    before, rest = text.split(BEGIN)
    head = "| switched off | what it is | what goes red | `execd-probe`, at the start |\n|---|---|---|---|\n"
    DOCUMENT.write_text(before + BEGIN + "\n" + head + "\n".join(lines) + "\n" + END + rest.split(END)[1])


def check(mutant):
    wanted, rows = set(described(mutant)), table()
    named = {n for name, _, _ in rows for n in name.split("+")}
    wrong = ["not in defences.tsv: " + n for n in sorted(wanted - named)]
    wrong += ["no defence: " + n for n in sorted(named - wanted)]
    wrong += ["%s: no test" % name for name, tests, _ in rows if not tests]
    part = DOCUMENT.read_text().split(BEGIN)[1].split(END)[0]
    shown = {"+".join(re.findall(r"`(\w+)`", line.split("|")[1])) for line in part.splitlines() if line.startswith("| `")}
    wrong += ["docs/security.md lacks %s: run `./dev mutation`" % name for name, _, _ in rows if name not in shown]
    wrong += ["docs/security.md has %s, which defences.tsv lacks" % name for name in sorted(shown - {r[0] for r in rows})]
    functions = {"%s::%s" % (p.name, f) for p in (ROOT / "tests/attacks").glob("test_*.py")
                 for f in re.findall(r"^def (test_\w+)", p.read_text(), flags=re.M)}
    wrong += ["%s: there is no %s" % (name, t) for name, tests, _ in rows for t in tests
              if "::" in t and t.split("[")[0] not in functions]
    for w in wrong:
        print("mutation: " + w, file=sys.stderr)
    return 1 if wrong else 0


@functools.lru_cache(None)
def unified():
    """cgroup v2 alone, as execd would find it."""
    return pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()


def main():
    p = argparse.ArgumentParser()
    p.add_argument("names", nargs="*")
    p.add_argument("--check", action="store_true")
    p.add_argument("--mutant", type=pathlib.Path, default=BUILD / "execd-jailer-mutant")
    p.add_argument("--no-baseline", action="store_true", help="the tests are known to be green")
    p.add_argument("--verbose", action="store_true", help="pytest's output of each")
    a = p.parse_args()
    if a.check:
        return check(a.mutant)
    from server import cgroups  # noqa: F401 - makes us the reaper of what mutants leave
    what, rows = described(a.mutant), table()
    unknown = [n for n in a.names if n not in {r[0] for r in rows}]
    if unknown:
        sys.exit("mutation: not in defences.tsv: " + " ".join(unknown))
    rows = [r for r in rows if not a.names or r[0] in a.names]
    begin = time.monotonic()
    if not a.no_baseline:
        print("%d tests are green with nothing switched off (%.0f s)" % (baseline(rows), time.monotonic() - begin), flush=True)
    green = []
    if not a.names and not a.no_baseline:
        RESULTS.unlink(missing_ok=True)
    for name, tests, remark in rows:
        names, at = name.split("+"), time.monotonic()
        if remark.startswith("cgroup v2") and not unified():
            red, refused, probe, text = [], False, "", "not run here: " + remark
        else:
            red, refused, probe, text = examine(names, tests)
            if not red and not refused:
                green.append(name)
        if a.verbose or name in green:
            print(text[-3000:])
        with open(RESULTS, "a") as f:
            f.write(json.dumps([name, red, refused, probe]) + "\n")
        said = "refused" if refused else "red: " + " ".join(map(short, red)) if red else "GREEN" if name in green else text
        print("%-28s %s; probe: %s (%.0f s)" % (name, said, probe or "-", time.monotonic() - at), flush=True)
    print("%d defences in %.0f s; nothing noticed that these were off: %s"
          % (len(rows), time.monotonic() - begin, " ".join(green) or "none"))
    if not green:
        write(what)
    return 1 if green else 0


if __name__ == "__main__":
    sys.exit(main())
