"""Many jobs at once: each with its right verdict, and the host as before."""

import concurrent.futures
import json
import os
import pathlib
import signal

import requests

from conftest import C, JAVA, NODE, PYTHON, eventually, fd_count

PROGRAMS = [json.loads(line) for line in open(pathlib.Path(__file__).resolve().parents[1] / "data/programs.jsonl")]

# (weight of 100, submission, status, stdout); Java and compilers are dear, so there are fewer of them.
MIX = [
    (50, {"language_id": PYTHON, "source_code": "print(int(input()) * 2)", "stdin": "21\n"}, "completed", "42\n"),
    (16, {"language_id": NODE, "source_code": "console.log(6 * 7)"}, "completed", "42\n"),
    (8, {"language_id": C, "source_code": '#include <stdio.h>\nint main(void) { puts("42"); }\n'}, "completed", "42\n"),
    (1, {"language_id": JAVA, "source_code": "class M { public static void main(String[] a) { System.out.println(42); } }"},
     "completed", "42\n"),
    (8, {"language_id": PYTHON, "source_code": "1/0"}, "runtime_error", ""),
    (6, {"language_id": PYTHON, "source_code": "print(41)", "expected_output": "42\n"}, "wrong_answer", "41\n"),
    (5, {"language_id": C, "source_code": "int main(void) { return x; }"}, "compile_error", ""),
    (3, {"language_id": PYTHON, "source_code": "while True: pass", "timeout": 300}, "time_limit_exceeded", ""),
    (3, {"language_id": PYTHON, "source_code": "b = bytearray(1 << 30)", "memory_limit": 64}, "memory_limit_exceeded", ""),
]


# cgroup v1: as many groups of dead cells are kept open, each with a directory and a file in up to five hierarchies.
KEPT_GROUPS = 8 * 11


def mixed(count):
    jobs = []
    for weight, item, status, out in MIX:
        jobs += [(item, status, out)] * (weight * count // 100)
    return [jobs[i * 7919 % len(jobs)] for i in range(len(jobs))]  # stirred: 7919 is prime


def client(url, jobs):
    wrong = []
    with requests.Session() as session:
        for at in range(0, len(jobs), 8):
            part = jobs[at:at + 8]
            r = session.post(url + "/submit/batch", json={"submissions": [j[0] for j in part]}, timeout=60)
            assert r.status_code == 202, r.text
            for token, (item, status, out) in zip(r.json()["tokens"], part):
                j = {"status": "queued"}
                while j["status"] in ("queued", "running"):
                    j = session.get(url + "/v1/jobs/%s?wait=30" % token, timeout=60).json()
                if (j["status"], j["stdout"]) != (status, out):
                    wrong.append((item, j))
    return wrong


def test_a_thousand_mixed_jobs_from_sixteen_clients(start):
    s = start()  # which sees to it that no process, cgroup or mount is left
    assert s.run(PYTHON, "print(1)")["status"] == "completed"
    jailer = s.child("execd-jailer")
    fds = (fd_count(s.pid), fd_count(jailer))
    jobs = mixed(1000)
    assert len(jobs) == 1000
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wrong = sum(pool.map(lambda i: client(s.url, jobs[i::16]), range(16)), [])
    assert not wrong, "%d wrong, for instance %s" % (len(wrong), wrong[0])
    eventually(lambda: fd_count(s.pid) <= fds[0] + 2, "execd's descriptors")
    eventually(lambda: fd_count(jailer) <= fds[1] + 2 + KEPT_GROUPS, "the jailer's descriptors")


def test_every_program_of_the_data(shared):
    """328 real programs, by HTTP, each to exit code 0."""
    tokens = []
    for at in range(0, len(PROGRAMS), 41):
        tokens += shared.submit(*[{"source_code": p["source_code"], "language_id": p["language_id"], "timeout": 30000}
                                  for p in PROGRAMS[at:at + 41]])
    bad = []
    for program, token in zip(PROGRAMS, tokens):
        j = shared.result(token)
        if (j["status"], j["exit_code"]) != ("completed", 0):
            bad.append((program["id"], j["status"], j["stderr"][-300:]))
    assert len(tokens) == 328 and not bad, bad


def status(server, token):
    return server.request("GET", "/v1/jobs/" + token).json()["status"]


def test_a_job_claimed_ahead_does_not_wait_for_a_long_one(redis, start):
    """Where jobs were short a worker claims the next one while one runs; if that is long, another worker gets it."""
    conf = {"queue": {"url": redis.url, "password": redis.password}, "worker": {"slots": 1}}
    api = start(conf, roles="api")
    first, second = (start(conf, roles="worker") for _ in range(2))
    os.kill(second.pid, signal.SIGSTOP)
    try:
        for token in api.submit(*[{"language_id": C, "source_code": "int main(void) { return 0; }\n"}] * 200):
            api.result(token)
        slow, = api.submit({"language_id": PYTHON, "source_code": "import time; time.sleep(8)"})
        eventually(lambda: status(api, slow) == "running", "the long job's start")
        quick, = api.submit({"language_id": C, "source_code": "int main(void) { return 0; }\n"})
        eventually(lambda: "job_handed_back" in first.logged() and status(api, quick) == "queued", "the job is handed back")
    finally:
        os.kill(second.pid, signal.SIGCONT)
    assert api.result(quick)["status"] == "completed"
    assert status(api, slow) == "running"
    assert api.result(slow)["status"] == "completed"
