"""A short run of the fault harness (./dev faults is the long one): a soak whose seed is the day's."""

import json
import os
import pathlib
import subprocess
import sys
import time

import pytest

HERE = pathlib.Path(__file__).resolve().parent
PATIENCE = int(os.environ.get("EXECD_TEST_PATIENCE", "120"))


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a network namespace of its own")
def test_accepted_means_kept(tmp_path):
    """The seed is said with the outcome, so that a red run can be had again."""
    outcome, seed = tmp_path / "outcome.json", int(time.time() // 86400)
    r = subprocess.run([sys.executable, str(HERE / "faults.py"), "soak", "--jobs", "400", "--kills", "14", "--minutes", "0.2",
                        "--seed", str(seed), "--json", str(outcome)], capture_output=True, text=True, timeout=3 * PATIENCE,
                       env=dict(os.environ, EXECD_FAULTS_SLACK="5"))
    assert r.returncode == 0, "seed %d:\n%s%s" % (seed, r.stdout, r.stderr)
    soak = json.loads(outcome.read_text())["rows"][0]
    assert soak["faults"] >= 14 and soak["accepted"] >= 200 and soak["lost"] == soak["duplicated"] == 0, soak
