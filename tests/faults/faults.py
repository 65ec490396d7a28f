#!/usr/bin/python3
"""Breaks execd's processes, its Redis and the network between them under load, and checks the whole history (docs/reliability.md).

Each row runs in a process, a network and mounts of its own: its ports are nobody else's, and what it mounts goes with it."""

import argparse
import concurrent.futures
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]


def arguments():
    p = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    p.add_argument("rows", nargs="*", help="E01..E26, `soak`; all by default")
    p.add_argument("--jobs", type=int, default=10000, help="of the soak")
    p.add_argument("--kills", type=int, default=300, help="of the soak: faults that end a process")
    p.add_argument("--minutes", type=float, default=2.5, help="over which they are spread")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--factor", type=float, default=1.0, help="of the other rows' jobs and repetitions")
    p.add_argument("--mutants", action="store_true", help="the store without one of its guarantees, each: its row must be red")
    p.add_argument("--without", metavar="NAME", help="any rows on the store without that guarantee (fence, heartbeat, outbox...): "
                   "they must be red, by what it guarantees")
    p.add_argument("--parallel", type=int, default=3, help="rows at once, but for the soak; each mostly waits for leases")
    p.add_argument("--json", type=pathlib.Path, help="also write the outcome there")
    p.add_argument("--write", action="store_true", help="renew the table in docs/reliability.md")
    p.add_argument("--keep", type=pathlib.Path, help="a folder for all that the rows leave; without it red ones leave theirs in /tmp")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return p.parse_args()


def run_here(a, names):
    """Each row in its turn, in the namespaces that this process has."""
    import report
    import world

    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    signal.signal(signal.SIGTERM, end_once)
    folder = a.keep or pathlib.Path(tempfile.mkdtemp(prefix="execd-faults-", dir="/tmp"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    outcome = []
    for name, (row, prelude) in names.items():
        at = time.monotonic()
        v = world.run(name, folder / name.replace(" ", "-"), a.seed, row, prelude, a.factor, a.keep is not None)
        outcome.append(report.entry(name, row, v, time.monotonic() - at))
    if not a.keep and (a.mutants or a.without):
        shutil.rmtree(folder)
    elif not a.keep:
        try:
            folder.rmdir()
        except OSError:
            outcome[-1]["notes"].append("what it left is in %s" % folder)
    a.json.write_text(json.dumps(outcome))


def end_once(*_):
    """Each thread of a parent that dies says so (prctl(2)): only the first begins the end, or the others would break it off."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(143)


def end_in_order():
    """For a row's process: if we are killed it puts away what it started."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def run_there(a, name):
    """A row in a process and namespaces of its own; its outcome."""
    import report

    with tempfile.NamedTemporaryFile(suffix=".json") as f:
        command = ["unshare", "--net", "--mount", "--", sys.executable, __file__, "--inside", "--json", f.name, "--seed",
                   str(a.seed), "--jobs", str(a.jobs), "--kills", str(a.kills), "--minutes", str(a.minutes), "--factor",
                   str(a.factor), *(["--mutants"] if a.mutants else []),
                   *(["--without", a.without] if a.without else []), *(["--keep", str(a.keep)] if a.keep else []), name]
        r = subprocess.run(command, capture_output=True, text=True, preexec_fn=end_in_order)
        text = pathlib.Path(f.name).read_text()
    if r.returncode != 0 or not text:
        sys.exit("faults: %s could not be run:\n%s%s" % (name, r.stdout, r.stderr))
    outcome = json.loads(text)[0]
    report.say(outcome)
    return outcome


def main():
    import plan
    import report

    a = arguments()
    names = plan.rows_of(a)
    if a.inside:
        return run_here(a, names)
    if os.getuid() != 0:
        sys.exit("faults: needs root, for network namespaces of its own")
    if a.keep:
        a.keep.mkdir(exist_ok=True)
        a.keep.chmod(0o755)
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(a.parallel) as pool:
        outcome = list(pool.map(lambda name: run_there(a, name), [n for n in names if n != "soak"]))
    outcome += [run_there(a, "soak")] if "soak" in names else []
    return report.conclude(a, outcome, time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main())
