"""execd --trace: each step of a job's way, in order, with times that fit what the client saw."""

import time

import pytest

from conftest import C, PYTHON

COMPILED = ["received", "checked", "claim_asked", "claimed", "planned", "compile_asked", "compile_done", "run_asked",
            "run_done", "judged", "told", "answered"]
INTERPRETED = [step for step in COMPILED if not step.startswith("compile")]


def read(file):
    jobs = {}
    for line in file.read_text().splitlines():
        token, step, ns = line.split()
        jobs.setdefault(token, {}).setdefault(step, int(ns))  # a waiter may be told more than once
    return jobs


@pytest.mark.parametrize("language, source, steps", [
    (C, '#include <stdio.h>\nint main(void) { puts("x"); return 0; }\n', COMPILED),
    (PYTHON, "print('x')", INTERPRETED),
])
def test_steps_are_told_in_order(start, tmp_path, language, source, steps):
    s = start(args=["--trace", str(tmp_path / "trace")])
    begin = time.monotonic_ns()
    r = s.request("POST", "/v1/jobs?wait=60", json={"language_id": language, "source_code": source})
    end = time.monotonic_ns()
    assert r.status_code == 200 and r.json()["stdout"] == "x\n", r.text
    s.stop()
    job = read(tmp_path / "trace")[r.json()["token"]]
    times = [job[step] for step in steps]
    assert begin < times[0] and times == sorted(times) and times[-1] < end, job
    assert set(job) - set(steps) == {"recorded"} | {t for t in ("compile_took", "run_took") if t[:-5] + "_done" in steps}
    assert 0 < job["run_took"] < job["run_done"] - job["run_asked"]
    assert job["recorded"] > job["judged"]


def test_a_trace_that_cannot_be_written_refuses_the_start(start, tmp_path):
    said = start(wait=False, args=["--trace", str(tmp_path)]).refused()
    assert "--trace %s: Is a directory" % tmp_path in said
