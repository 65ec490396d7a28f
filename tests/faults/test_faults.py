"""A short run of the fault harness (./dev faults is the long one); its seed is the day's."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = int(os.environ.get("EXECD_TEST_PATIENCE", "120"))


pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a network namespace of its own")


def faults(tmp_path, *args):
    """The outcome's rows by name; all must be as they should be."""
    outcome, seed = tmp_path / "outcome.json", int(time.time() // 86400)  # it is said, so that a red run can be had again
    r = subprocess.run([sys.executable, str(HERE / "faults.py"), *args, "--seed", str(seed), "--json", str(outcome)],
                       capture_output=True, text=True, timeout=3 * PATIENCE, env=dict(os.environ, EXECD_FAULTS_SLACK="5"))
    assert r.returncode == 0, "seed %d:\n%s%s" % (seed, r.stdout, r.stderr)
    return {row["row"]: row for row in json.loads(outcome.read_text())["rows"]}


def test_accepted_means_kept(tmp_path):
    soak = faults(tmp_path, "soak", "--jobs", "400", "--kills", "14", "--minutes", "0.15")["soak"]
    assert soak["faults"] >= 14 and soak["accepted"] >= 200 and soak["lost"] == soak["duplicated"] == 0, soak


def test_no_memory_and_foreign_records_fail_no_job(tmp_path):
    rows = faults(tmp_path, "E09", "E24", "--factor", "0.3")
    assert rows["E09"]["accepted"] > 0 and rows["E24"]["accepted"] > 0, rows
