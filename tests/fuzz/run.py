#!/usr/bin/python3
"""Runs the fuzz targets, two at a time: `./dev fuzz [TARGET...] [--seconds N] [--minimise]`.

What a run finds of interest stays in build/fuzz/corpus/TARGET for the next one.  An input that breaks a target is
copied to tests/fuzz/regressions/TARGET, where every later test replays it.  --minimise writes the smallest set of
inputs that reaches everything that is known to be reached to tests/fuzz/corpus/TARGET.

On a terminal there is a line that moves; in a pipe there are only the results.  Status 0: nothing was found.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parents[1] / "build/fuzz"
# Bytes of an input at most: enough for every branch, few enough for thousands of runs a second.
LENGTHS = {"http": 2048, "conf": 1024, "json": 1024, "store": 2048, "plugin": 1024, "text": 256}
CORPUS_MAX = 120  # files of a target in the tree
DICTIONARIES = HERE / "dictionaries"


def targets():
    return sorted(p.name[: -len("_fuzz.c")] for p in HERE.glob("*_fuzz.c"))


class Run:
    """One target under libFuzzer."""

    def __init__(self, name, seconds):
        self.name = name
        self.begun = time.monotonic()
        self.seconds = seconds
        self.found = pathlib.Path(tempfile.mkdtemp(prefix="found-%s-" % name, dir=BUILD))
        work = BUILD / "corpus" / name
        work.mkdir(parents=True, exist_ok=True)
        command = [program(name), "-max_total_time=%d" % seconds, "-timeout=10", "-rss_limit_mb=1024",
                   "-max_len=%d" % LENGTHS.get(name, 512), "-artifact_prefix=%s/" % self.found, "-print_final_stats=1",
                   "-report_slow_units=5", work]
        if name == "conf":
            command.insert(1, "-detect_leaks=0")  # libconfig's own, looked at too often to be of use
        dictionary = DICTIONARIES / name
        if dictionary.exists():
            command.insert(1, "-dict=%s" % dictionary)
        command += [d for d in (HERE / "corpus" / name, HERE / "regressions" / name) if d.is_dir()]
        self.log = open(BUILD / ("%s.log" % name), "w+b")
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=self.log, stdin=subprocess.DEVNULL,
                                        env=dict(os.environ, TMPDIR=str(self.found)))

    def text(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def stat(self, name):
        m = re.search(r"stat::%s:\s+(\d+)" % name, self.text())
        return int(m.group(1)) if m else 0

    def coverage(self):
        m = re.findall(r"cov: (\d+)", self.text())
        return int(m[-1]) if m else 0

    def end(self):
        """What broke it, as paths in the tree."""
        kept = []
        for f in sorted(self.found.iterdir()):
            if f.is_dir() or f.name.startswith("slow-unit"):
                continue  # slow is no fault; what takes 10 s is a `timeout`
            folder = HERE / "regressions" / self.name
            folder.mkdir(parents=True, exist_ok=True)
            kept.append(folder / f.name)
            shutil.copy(f, kept[-1])
        shutil.rmtree(self.found)
        return kept


def program(name):
    return BUILD / "tests/fuzz" / ("fuzz_" + name)


def say(text):
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def report(run):
    kept = run.end()
    good = run.process.returncode == 0 and not kept
    rate = run.stat("average_exec_per_sec")
    say("")
    print("%-8s %s  %9d inputs  %6d/s  %5d edges" % (run.name, "ok    " if good else "BROKEN",
                                                      run.stat("number_of_executed_units"), rate, run.coverage()))
    if not good:
        text = run.text()
        at = min((text.find(w) for w in ("ERROR:", "runtime error", "does not hold") if w in text), default=0)
        print(text[max(0, at - 200):][:6000])
        for path in kept:
            print("saved: %s" % path.relative_to(HERE.parents[1]))
    sys.stdout.flush()
    run.log.close()
    return good


def fuzz(names, seconds, jobs):
    waiting, running, bad = list(names), [], []
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(Run(waiting.pop(0), seconds))
            for run in list(running):
                if run.process.poll() is not None:
                    running.remove(run)
                    if not report(run):
                        bad.append(run.name)
            say("%s; %d to come" % (", ".join("%s %d/%d s" % (r.name, time.monotonic() - r.begun, seconds) for r in running), len(waiting)))
            time.sleep(0.2)
    finally:
        for run in running:
            run.process.kill()
            run.process.wait()
            shutil.rmtree(run.found, ignore_errors=True)
        say("")
    return bad


def minimise(name):
    """The tree's corpus anew, from itself and from what runs have found."""
    tree, fresh = HERE / "corpus" / name, BUILD / "minimised" / name
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    sources = [d for d in (tree, BUILD / "corpus" / name) if d.is_dir()]
    subprocess.run([program(name), "-set_cover_merge=1", "-use_counters=0", "-rss_limit_mb=1024",
                    "-max_len=%d" % LENGTHS.get(name, 512), fresh, *sources],
                   check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    files = sorted(fresh.iterdir(), key=lambda p: p.stat().st_size)[:CORPUS_MAX]
    shutil.rmtree(tree, ignore_errors=True)
    tree.mkdir(parents=True)
    for f in files:
        shutil.copy(f, tree / f.name[:12])
    print("%-8s %4d files, %6d bytes" % (name, len(files), sum(f.stat().st_size for f in files)))


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("target", nargs="*", help="of: " + ", ".join(targets()))
    parser.add_argument("--seconds", type=int, default=600, help="for each target")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time")
    parser.add_argument("--minimise", action="store_true", help="renew the corpora in the tree instead")
    args = parser.parse_args()
    names = args.target or targets()
    unknown = set(names) - set(targets())
    if unknown:
        parser.error("no such target: %s (there are: %s)" % (", ".join(sorted(unknown)), ", ".join(targets())))
    if args.minimise:
        for name in names:
            minimise(name)
        return 0
    bad = fuzz(names, args.seconds, args.jobs)
    if bad:
        print("broken: %s; the inputs are in tests/fuzz/regressions" % ", ".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
