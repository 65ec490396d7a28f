"""A short run of the fault harness (./dev faults is the long one); its seed is the day's, or EXECD_FAULTS_SEED."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = int(os.environ.get("EXECD_TEST_PATIENCE", "120"))
SLACK_S = "5"  # of a recovery: here other tests may have the machine, so that how soon is not what is asked


def missing():
    """What keeps a row from its own network and mounts, or None."""
    if os.getuid() != 0:
        return "needs root, for a network and mounts of its own"
    r = subprocess.run(["unshare", "--net", "--mount", "--", "ip", "link", "set", "lo", "up"], capture_output=True, text=True)
    return "no network and mounts of one's own here: %s" % r.stderr.strip() if r.returncode != 0 else None


MISSING = missing()
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))


def faults(tmp_path, *args):
    """The outcome's rows by name; all must be as they should be."""
    outcome = tmp_path / "outcome.json"
    seed = os.environ.get("EXECD_FAULTS_SEED") or str(int(time.time() // 86400))  # it is said, so that a red run can be had again
    r = subprocess.run([sys.executable, str(HERE / "faults.py"), *args, "--seed", seed, "--json", str(outcome)],
                       capture_output=True, text=True, timeout=3 * PATIENCE, env=dict(os.environ, EXECD_FAULTS_SLACK=SLACK_S))
    assert r.returncode == 0, "EXECD_FAULTS_SEED=%s:\n%s%s" % (seed, r.stdout, r.stderr)
    print(r.stdout)
    return {row["row"]: row for row in json.loads(outcome.read_text())["rows"]}


def test_accepted_means_kept(tmp_path):
    soak = faults(tmp_path, "soak", "--jobs", "400", "--kills", "14", "--minutes", "0.15")["soak"]
    assert soak["faults"] >= 14 and soak["accepted"] >= 200 and soak["lost"] == soak["duplicated"] == 0, soak


def test_rows_that_guarantees_stand_on(tmp_path):
    """Those that are red without the fence, the heartbeat, the outbox (mutants.py); no memory, and records of others."""
    rows = faults(tmp_path, "E02", "E04", "E09", "E20", "E24", "--factor", "0.3", "--parallel", "5")
    assert len(rows) == 5 and all(r["accepted"] > 0 for r in rows.values()), rows
