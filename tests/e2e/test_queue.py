"""Whose turn it is, who is let in, and what becomes of a job that costs its worker each time."""

import collections
import concurrent.futures
import os
import signal
import time

import requests
from resp import Client

from conftest import C, PATIENCE, PYTHON, eventually, execctl

KEYS = {name: "%s-key-of-the-tests-0123456789" % name for name in "abc"}
SLOW = "import time\ntime.sleep(%s)\n"


def key_of(name):
    return {"X-Auth-Token": KEYS[name]}


def keys(**more):
    return [dict({"name": name, "key": key}, **more.get(name, {})) for name, key in KEYS.items()]


def batch(source, count):
    return {"submissions": [{"source_code": source, "language_id": PYTHON}] * count}


def metric(s, name, headers=None):
    for line in s.request("GET", "/metrics", headers=headers).text.splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


# ---- order ----

def test_one_job_is_not_behind_anothers_hundred_thousand(start):
    """It waits for what runs, and for no more than one job of those that were there before."""
    s = start({"api": {"keys": keys()}, "worker": {"slots": 1}})
    for _ in range(100):
        assert s.request("POST", "/submit/batch", json=batch("print(1)", 1000), headers=key_of("a")).status_code == 202
    before = s.request("GET", "/metrics", headers=key_of("b")).text
    assert "execd_queue_length" in before
    r = s.request("POST", "/v1/jobs?wait=60", json={"source_code": "print(2)", "language_id": PYTHON}, headers=key_of("b"))
    assert r.status_code == 200 and r.json()["stdout"] == "2\n", r.text
    ended = metric(s, 'execd_queue_length{priority="normal"}', key_of("b"))
    assert ended > 95000, "most of the others still wait"


def test_turns_by_weight(start):
    """Of keys that all have jobs, one of weight 3 gets three turns for each of the others'."""
    s = start({"api": {"keys": keys(a={"weight": 3})}, "worker": {"slots": 1}})
    hold = s.request("POST", "/v1/jobs", json={"source_code": SLOW % 1, "language_id": PYTHON}, headers=key_of("c")).json()
    tokens = {}
    for name in "ab":
        r = s.request("POST", "/submit/batch", json=batch("print(1)", 24), headers=key_of(name))
        tokens.update((t, name) for t in r.json()["tokens"])
    assert s.request("GET", "/v1/jobs/" + hold["token"], headers=key_of("c")).json()["status"] in ("queued", "running")
    started = {}
    for token, name in tokens.items():
        r = s.request("GET", "/v1/jobs/%s?wait=60" % token, headers=key_of(name))
        assert r.json()["status"] == "completed", r.text
        started[token] = r.json()["started_at"]
    first = [tokens[t] for t in sorted(started, key=started.get)][:24]
    assert 16 <= first.count("a") <= 20, "".join(first)


# ---- admission ----

def test_rate_of_a_key(start):
    s = start({"api": {"keys": keys(a={"rate_per_minute": 1, "rate_burst": 3})}})
    body = {"source_code": "print(1)", "language_id": PYTHON}
    answers = [s.request("POST", "/v1/jobs", json=body, headers=key_of("a")) for _ in range(6)]
    refused = [r for r in answers if r.status_code == 429]
    assert [r.status_code for r in answers[:3]] == [202] * 3 and refused
    assert answers[0].headers["RateLimit-Policy"] == '"jobs";q=3;w=180;qu="jobs"'
    assert answers[0].headers["RateLimit"] == '"jobs";r=2;t=60'
    r = refused[0]
    assert r.headers["Content-Type"] == "application/problem+json" and r.json()["type"].endswith("quota-exceeded")
    assert r.headers["RateLimit"].startswith('"jobs";r=0;t=') and 1 <= int(r.headers["Retry-After"]) <= 60
    other = s.request("POST", "/submit/batch", json=batch("print(1)", 20), headers=key_of("b"))
    assert other.status_code == 202 and "RateLimit" not in other.headers


def test_a_full_queue_says_when_to_come_again(start):
    s = start({"api": {"keys": keys(a={"max_jobs": 5})}, "worker": {"slots": 1}})
    s.request("POST", "/v1/jobs", json={"source_code": SLOW % 30, "language_id": PYTHON, "timeout": 40000}, headers=key_of("c"))
    eventually(lambda: metric(s, "execd_jobs_running", key_of("c")) == 1, "the worker is busy")
    assert s.request("POST", "/submit/batch", json=batch("print(1)", 5), headers=key_of("a")).status_code == 202
    r = s.request("POST", "/v1/jobs", json={"source_code": "print(1)", "language_id": PYTHON}, headers=key_of("a"))
    assert r.status_code == 503 and r.json()["type"].endswith("queue-full") and "this key" in r.json()["detail"]
    assert 1 <= int(r.headers["Retry-After"]) <= 3600
    assert s.request("POST", "/v1/jobs", json={"source_code": "print(1)", "language_id": PYTHON}, headers=key_of("b")).status_code == 202


def test_idempotency_key_of_an_api_without_worker(redis, start):
    """A process of its own, behind the narrowest filter; two of them share what is remembered."""
    conf = {"queue": {"url": redis.url, "password": redis.password}}
    apis = [start(conf, roles="api"), start(conf, roles="api")]
    start(conf, roles="worker")
    body, header = batch("print(1)", 3), {"Idempotency-Key": '"a-key-of-mine"'}

    def post(n):
        return requests.post(apis[n % 2].url + "/submit/batch", json=body, headers=header, timeout=60)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(post, range(40)))
    assert {r.status_code for r in answers} <= {202, 409}, {r.status_code for r in answers}
    tokens = {tuple(r.json()["tokens"]) for r in answers if r.status_code == 202}
    assert len(tokens) == 1 and len(set(*tokens)) == 3
    for n in (0, 1):
        again = post(n)
        assert again.status_code == 202 and tuple(again.json()["tokens"]) in tokens
    for t in tokens.pop():
        assert apis[0].result(t)["status"] == "completed"
    assert metric(apis[0], "execd_jobs_accepted_total") == 3


# ---- lost workers ----

def test_dead_letters(redis, start):
    """A job that loses its worker each time is kept with its program, shown, and submitted again as a new job."""
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 1500, "max_attempts": 1},
            "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    worker = start(conf, roles="worker")
    source = "import time, sys\ntime.sleep(float(sys.stdin.read()))\nprint('done')\n"
    token = api.submit({"source_code": source, "stdin": "2", "language_id": PYTHON, "timeout": 60000})[0]
    eventually(lambda: api.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    worker.kill()
    assert api.result(token)["status"] == "internal_error"
    r = execctl(api, "dead", "list")
    assert r.returncode == 0 and r.stdout.decode().startswith(token + "  20"), r
    r = execctl(api, "dead", "show", token)
    assert r.returncode == 0 and b"time.sleep(float(sys.stdin.read()))" in r.stdout, r
    eventually(lambda: metric(api, "execd_jobs_dead_total") == 1, "it is counted")
    assert "job_dead" in api.logged() and token in api.logged()
    start(conf, roles="worker")
    r = execctl(api, "dead", "retry", token)
    again = r.stdout.decode().strip()
    assert r.returncode == 0 and again != token, r
    assert api.result(again)["stdout"] == "done\n"
    assert api.result(token)["status"] == "internal_error", "what has ended stays ended"
    assert execctl(api, "dead", "list").stdout == b""
    r = execctl(api, "dead", "retry", token)
    assert r.returncode == 125 and b"no such dead letter" in r.stderr


def test_late_results_are_dropped_and_counted(redis, start):
    """A worker that slept through its lease is not heard: another's result counts.  What it hears first when it wakes,
    its job's end or its loss, is chance: the first is counted, the second makes it drop the job itself."""
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 1500}, "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    asleep = start(conf, roles="worker")
    token = api.submit({"source_code": "import time\ntime.sleep(0.3)\nprint('done')\n", "language_id": PYTHON})[0]
    eventually(lambda: api.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    os.kill(asleep.pid, signal.SIGSTOP)
    try:
        other = start(conf, roles="worker")
        job = api.result(token)
        assert job["status"] == "completed" and job["attempt"] == 2
    finally:
        os.kill(asleep.pid, signal.SIGCONT)
    eventually(lambda: metric(api, "execd_results_late_total") == 1 or "job_abandoned" in asleep.logged(), "it is dropped")
    assert api.result(token) == job
    assert other.process.poll() is None


def claims_ahead(held, slow, waiting):
    """Its worker holds others beside `slow`.  That is over when they were not begun for 50 ms, and does not happen where the
    jobs before took too long."""
    until = time.monotonic() + PATIENCE
    while not any(map(held, waiting)):
        if time.monotonic() > until:
            return False
        if held(slow):
            until = min(until, time.monotonic() + 0.5)
    return True


def test_a_job_that_its_worker_had_not_begun_loses_no_attempt(redis, start):
    """A worker of short jobs claims more than it runs, and is killed while the first of these takes long: once more than
    queue.max_attempts, so the others would be dead letters, of jobs that nobody ever ran."""
    losses = 3
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 1500, "max_attempts": losses - 1},
            "worker": {"slots": 1, "heartbeat_ms": 500}}
    api, client = start(conf, roles="api"), Client(redis.port)
    client("AUTH", redis.password)
    quick = {"language_id": C, "source_code": "int main(void) { return 0; }\n"}
    long = {"language_id": C, "source_code": "#include <unistd.h>\nint main(void) { return sleep(50); }\n", "timeout": 60000}

    def held(token):
        return client("HGET", "{execd}:job:" + token, "st") == b"1"

    def submit_slow(before):
        return api.submit(*[quick] * before, long)[-1]

    def cancel(token):
        api.request("DELETE", "/v1/jobs/" + token)

    waiting = api.submit(*[dict(quick, priority="low")] * 2)
    lost, tries = collections.Counter(), 0
    while max(lost.values(), default=0) < losses:
        slow, worker = submit_slow(50), start(conf, roles="worker")
        while not claims_ahead(held, slow, waiting):
            tries += 1
            assert tries < 100, "a worker that claimed ahead was killed %s times" % lost
            another = submit_slow(20)  # what waits has a lower priority
            cancel(slow)
            slow = another
        worker.kill()
        lost.update(t for t in waiting if held(t))
        cancel(slow)
        eventually(lambda: not any(map(held, [slow, *waiting])), "their leases end")
        states = [api.request("GET", "/v1/jobs/" + t).json() for t in waiting]
        assert [(j["status"], j["attempt"]) for j in states] == [("queued", 0)] * 2, lost
    start(conf, roles="worker")
    assert [(j["status"], j["attempt"]) for j in map(api.result, waiting)] == [("completed", 1)] * 2
    assert metric(api, "execd_jobs_dead_total") == 0
    client.close()
