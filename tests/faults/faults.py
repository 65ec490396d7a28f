#!/usr/bin/python3
"""Breaks execd's processes, its Redis and the network between them under load, and checks the whole history (docs/reliability.md)."""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]


def isolated():
    """A network and mounts of our own: fixed ports are nobody else's, and what we mount goes with us."""
    if os.environ.get("EXECD_FAULTS_INSIDE"):
        return
    if os.getuid() != 0:
        sys.exit("faults: needs root, for a network namespace of its own")
    os.environ["EXECD_FAULTS_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--mount", "--", sys.executable, *sys.argv])


def arguments():
    p = argparse.ArgumentParser(prog="./dev faults", description=__doc__)
    p.add_argument("rows", nargs="*", help="E01..E27 or `soak`; all by default")
    p.add_argument("--jobs", type=int, default=10000, help="of the soak")
    p.add_argument("--kills", type=int, default=300, help="of the soak: faults that end a process")
    p.add_argument("--minutes", type=float, default=2.5, help="over which they are spread")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--factor", type=float, default=1.0, help="of the other rows' jobs and repetitions")
    p.add_argument("--mutants", action="store_true", help="the store without one of its guarantees, each: its row must be red")
    p.add_argument("--json", type=pathlib.Path, help="also write the outcome there")
    p.add_argument("--write", action="store_true", help="renew the table in docs/reliability.md")
    p.add_argument("--keep", type=pathlib.Path, help="a folder for all that the rows leave; without it red ones leave theirs in /tmp")
    return p.parse_args()


def main():
    a = arguments()
    isolated()
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    import report
    from plan import rows_of
    import world

    outcome, begin = [], time.monotonic()
    folder = a.keep or pathlib.Path(tempfile.mkdtemp(prefix="execd-faults-", dir="/tmp"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name, row, prelude in rows_of(a):
        at = time.monotonic()
        v = world.run(name, folder / name.replace(" ", "-"), a.seed, row, prelude, a.factor, a.keep is not None)
        outcome.append(report.entry(name, row, v, time.monotonic() - at))
        report.say(outcome[-1])
    if not a.keep:
        try:
            folder.rmdir()
        except OSError:
            print("faults: what red rows left is in %s" % folder)
    return report.conclude(a, outcome, time.monotonic() - begin)


if __name__ == "__main__":
    sys.exit(main())
