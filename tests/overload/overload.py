#!/usr/bin/python3
"""More than execd can do, and clients that are slow on purpose (docs/reliability.md).

First what it can do: jobs a second, each client waiting for its result.  Then so many times that, for some minutes, by
clients that do not wait for each other; and then one kind of slow client after another.  Meanwhile others ask for /health,
/metrics and small jobs, each by a connection of its own, and every process's memory is read.

It has a network of its own (loopback, and addresses that swallow what is sent to them)."""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]
ROOT = HERE.parents[1]


def arguments():
    import rows

    p = argparse.ArgumentParser(prog="./dev overload", description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("rows", nargs="*", metavar="ROW", help="%s; all by default" % ", ".join(rows.ROWS))
    p.add_argument("--seconds", type=float, default=300, help="of overload (default: 300)")
    p.add_argument("--times", type=float, default=3, help="as many jobs as execd can do (default: 3)")
    p.add_argument("--slow-seconds", type=float, default=30, help="of each kind of slow client (default: 30)")
    p.add_argument("--json", type=pathlib.Path, help="write the outcome there, beside build/overload/results.json")
    p.add_argument("--write", action="store_true", help="renew the table in docs/reliability.md")
    p.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    a = p.parse_args()
    for name in a.rows:
        if name not in rows.ROWS:
            p.error("row `%s`: there are %s" % (name, ", ".join(rows.ROWS)))
    if a.seconds < 10 or a.slow_seconds < 5:
        p.error("--seconds is 10 at least, --slow-seconds 5")
    return a


def network():
    """Loopback, and addresses from which no answer ever comes."""
    for command in ("ip link set lo up", "ip route add 10.9.0.0/16 dev lo"):  # whose packets the kernel drops there
        subprocess.run(command.split(), check=True)


def run(a):
    import report
    import rows

    network()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="execd-overload-", dir="/tmp"))
    folder.chmod(0o755)
    begin = time.monotonic()
    try:
        outcome = rows.run(a, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report.conclude(a, outcome, time.monotonic() - begin)


def main():
    a = arguments()
    if a.inside:
        return run(a)
    if os.getuid() != 0:
        sys.exit("overload: needs root, for a network of its own")
    return subprocess.run(["unshare", "--net", "--", sys.executable, __file__, "--inside", *sys.argv[1:]]).returncode


if __name__ == "__main__":
    sys.exit(main())
