"""Start, refusal to start, configuration, keys, roles, loss of processes, shutdown."""

import json
import os
import pathlib
import signal
import subprocess

import pytest

from conftest import BUILD, HOOKS, PATIENCE, PYTHON, ROOT, descendants, eventually, execctl, fd_count

KEY = "a-key-of-the-tests-0123456789"
SLOW = "import time, sys\nprint('begun', flush=True)\ntime.sleep(%s)\nprint('done')\n"


def execd(*args, env=None):
    return subprocess.run([str(BUILD / "execd"), *args], capture_output=True, text=True, timeout=PATIENCE,
                          env=dict(os.environ, **(env or {})))


# ---- configuration ----

def test_shipped_file_is_the_printed_default():
    assert execd("--print-config").stdout == (ROOT / "etc/execd.conf").read_text()
    r = execd("--check-config", str(ROOT / "etc/execd.conf"))
    assert r.returncode == 0, r.stderr


def test_every_mistake_is_named_with_its_line(tmp_path):
    f = tmp_path / "bad.conf"
    f.write_text('api = {\n  port = 99999;\n  adress = "127.0.0.1";\n};\nlimits = {\n  timeout_ms = "soon";\n};\nnonsense = 1;\n')
    r = execd("--check-config", str(f))
    assert r.returncode != 0
    for where in (":2:", ":3:", ":8:"):
        assert str(f) + where in r.stderr, r.stderr
    assert "port" in r.stderr and "adress" in r.stderr and "nonsense" in r.stderr
    f.write_text("api = {\n  port = ;\n};\n")
    assert str(f) + ":2:" in execd("--check-config", str(f)).stderr


def test_unknown_protection_is_a_mistake(tmp_path):
    f = tmp_path / "bad.conf"
    f.write_text('worker = { accept_missing = ( "gravity" ); };\n')
    r = execd("--check-config", str(f))
    assert r.returncode != 0 and "gravity" in r.stderr


def test_beyond_loopback_needs_a_key(start):
    text = start({"api": {"address": "0.0.0.0"}}, wait=False).refused()
    assert "key" in text and "0.0.0.0" in text


def test_secrets_from_file_and_environment(start, tmp_path):
    f = tmp_path / "key"
    f.write_text(KEY + "\n")
    f.chmod(0o600)
    conf = {"api": {"address": "0.0.0.0", "keys": [{"name": "a", "key_file": str(f)},
                                                   {"name": "b", "key_env": "TEST_KEY_B"}]}}
    s = start(conf, env={"TEST_KEY_B": KEY + "b"})
    s.url = s.url.replace("0.0.0.0", "127.0.0.1")
    for k in (KEY, KEY + "b"):
        assert s.request("GET", "/languages", headers={"X-Auth-Token": k}).status_code == 200
    s.stop()
    assert KEY not in s.logged()


# ---- keys ----

def test_keys(start):
    s = start({"api": {"keys": [{"name": "a", "key": KEY}, {"name": "b", "key": KEY + "2"}]}})
    body = {"source_code": "print(1)", "language_id": PYTHON}
    r = s.request("POST", "/v1/jobs", json=body)
    assert r.status_code == 401 and "WWW-Authenticate" in r.headers
    assert r.headers["Content-Type"] == "application/problem+json"
    for bad in ("", "x", KEY[:-1], KEY + "x", "Bearer"):
        assert s.request("POST", "/v1/jobs", json=body, headers={"Authorization": "Bearer " + bad}).status_code == 401
        assert s.request("POST", "/v1/jobs", json=body, headers={"X-Auth-Token": bad}).status_code == 401
    assert s.request("GET", "/health").status_code == 200
    mine, other = {"Authorization": "Bearer " + KEY}, {"X-Auth-Token": KEY + "2"}
    token = s.request("POST", "/v1/jobs", json=body, headers=mine).json()["token"]
    assert s.request("GET", "/v1/jobs/%s?wait=30" % token, headers=mine).json()["stdout"] == "1\n"
    assert s.request("GET", "/v1/jobs/" + token, headers=other).status_code == 404, "another tenant's job"
    assert s.request("DELETE", "/v1/jobs/" + token, headers=other).status_code == 404
    r = subprocess.run([str(BUILD / "execctl"), "--url", s.url, "languages"], capture_output=True, text=True,
                       env=dict(os.environ, EXECD_API_KEY=KEY))
    assert r.returncode == 0 and "Python" in r.stdout, r.stderr
    s.stop()
    assert KEY not in s.logged()


# ---- plugins ----

def bad_plugins():
    return sorted(p for p in (BUILD / "tests/bad-plugins").glob("*.so"))


def test_a_missing_plugin_refuses_the_start(start):
    text = start({"plugins": [{"file": "lang-python.so"}, {"file": "lang-nothing.so"}]}, wait=False).refused()
    assert "lang-nothing.so" in text and "execd.conf" in text


def test_an_optional_missing_plugin_is_left_out(start):
    s = start({"plugins": [{"file": "lang-python.so"}, {"file": "lang-nothing.so", "optional": True}]})
    assert s.run(PYTHON, "print(1)")["status"] == "completed"
    assert "lang-nothing.so" in s.logged()
    r = s.request("POST", "/v1/jobs", json={"source_code": "x", "language_id": 50})
    assert 400 <= r.status_code < 500 and r.json()["field"] == "language_id"


def test_a_broken_interpreter_is_named(start, tmp_path):
    text = start({"plugins": [{"file": "lang-python.so", "settings": {"interpreter": "/usr/bin/false"}}]},
                 wait=False).refused()
    assert "lang-python.so" in text or "python" in text


def test_unknown_plugin_setting_is_named_with_its_line(start):
    text = start({"plugins": [{"file": "lang-python.so", "settings": {"interpretr": "/usr/bin/python3"}}]},
                 wait=False).refused()
    assert "interpretr" in text and "execd.conf:" in text


# ---- processes ----

def test_no_privilege_after_the_start(start):
    s = start()
    jailer = s.child("execd-jailer")
    assert pathlib.Path("/proc/%d/environ" % jailer).read_bytes() == b""
    for p in (s.pid, s.child("redis-server")):
        status = pathlib.Path("/proc/%d/status" % p).read_text()
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["CapEff"] == "0" * 16 and fields["NoNewPrivs"] == "1"
        if os.getuid() == 0:
            assert "0" not in fields["Uid"].split(), fields["Uid"]


def test_separate_processes_and_a_killed_worker(redis, start):
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 3000}, "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    api2 = start(conf, roles="api")
    start(conf, roles="hook")
    workers = [start(conf, roles="worker") for _ in range(2)]
    tokens = api.submit(*[{"source_code": SLOW % 2, "language_id": PYTHON} for _ in range(6)])

    def someone_runs():
        return [w for w in workers if len(descendants(w.pid)) > 1 and
                "running" in {api.request("GET", "/v1/jobs/" + t).json()["status"] for t in tokens}]
    eventually(someone_runs, "a job runs")
    workers[0].kill()
    for t in tokens:
        assert (api2.result(t)["status"], api2.result(t)["stdout"]) == ("completed", "begun\ndone\n")


def test_killed_jailer_ends_the_worker_and_the_job_is_taken_over(redis, start):
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 3000}, "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    first = start(conf, roles="worker")
    token = api.submit({"source_code": SLOW % 1, "language_id": PYTHON})[0]
    eventually(lambda: api.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    os.kill(first.child("execd-jailer"), signal.SIGKILL)
    assert first.process.wait(PATIENCE) == 1
    start(conf, roles="worker")
    assert api.result(token)["status"] == "completed"


def test_accepted_survives_kill_of_everything(start):
    s = start()
    tokens = s.submit(*[{"source_code": SLOW % 0.5, "language_id": PYTHON} for _ in range(8)])
    redis = s.child("redis-server")
    os.kill(redis, signal.SIGKILL)
    s.kill()
    again = start(args=["--state", str(s.state)])
    for t in tokens:
        assert again.result(t)["status"] == "completed"


def test_embedded_redis_is_supervised(start):
    s = start()
    token = s.submit({"source_code": SLOW % 1, "language_id": PYTHON})[0]
    os.kill(s.child("redis-server"), signal.SIGKILL)

    def answers():
        r = s.request("GET", "/v1/jobs/%s?wait=1" % token)
        return r.status_code == 200 and r.json()["status"] == "completed"
    eventually(answers, "the job completes after Redis came back")


def test_state_directory_is_not_shared(start):
    s = start()
    text = start(args=["--state", str(s.state)], wait=False).refused()
    assert "state" in text


# ---- shutdown ----

def test_sigterm_lets_running_jobs_finish(start):
    s = start()
    token = s.submit({"source_code": SLOW % 1.5, "language_id": PYTHON})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    s.stop()
    again = start(args=["--state", str(s.state)])
    j = again.request("GET", "/v1/jobs/" + token).json()
    assert (j["status"], j["stdout"]) == ("completed", "begun\ndone\n"), "finished before the end"


def test_sigterm_hands_back_what_takes_too_long(start):
    s = start({"worker": {"drain_ms": 300}})
    token = s.submit({"source_code": SLOW % 3, "language_id": PYTHON})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    s.stop()
    again = start(args=["--state", str(s.state)])
    j = again.result(token)
    assert (j["status"], j["stdout"]) == ("completed", "begun\ndone\n")
    assert j.get("attempt", 1) == 1, "a hand-back is no attempt"


def test_sigterm_during_the_start(start):
    for _ in range(3):
        s = start(wait=False)
        eventually(lambda: "starting" in s.logged(), "it starts")
        s.stop()


# ---- command line ----

def test_doctor(tmp_path):
    r = execd("doctor", "--state", str(tmp_path / "state"))
    assert "seccomp" in r.stdout and "cgroup_memory" in r.stdout and "Python" in r.stdout, r.stdout + r.stderr
    assert r.returncode == 0, r.stdout + r.stderr


def test_execctl(shared, tmp_path):
    (tmp_path / "sum.py").write_text("import sys\nprint(sum(map(int, sys.stdin.read().split())))\nsys.exit(3)\n")
    r = execctl(shared, "run", str(tmp_path / "sum.py"), "--stdin", "-", stdin=b"1 2 3")
    assert (r.returncode, r.stdout) == (3, b"6\n"), r.stderr
    (tmp_path / "a.c").write_text("int main(void) { return undefined; }\n")
    r = execctl(shared, "run", str(tmp_path / "a.c"))
    assert r.returncode != 0 and b"undefined" in r.stderr
    r = execctl(shared, "submit", str(tmp_path / "sum.py"))
    token = r.stdout.decode().split()[0]
    r = execctl(shared, "result", token, "--wait", "30")
    assert r.returncode == 0 or b"0\n" in r.stdout
    assert b"Python" in execctl(shared, "languages").stdout
    assert b"healthy" in execctl(shared, "health").stdout
    assert execctl(shared, "result", "nonsense").returncode != 0
    assert execctl(shared, "run", str(tmp_path / "missing.py")).returncode != 0


def test_json_logs(start):
    s = start({"log": {"format": "json", "level": "debug"}})
    s.run(PYTHON, "print(1)")
    s.stop()
    for line in s.logged().splitlines():
        assert json.loads(line)["event"]


def test_descriptors_do_not_leak(start):
    s = start()
    s.run(PYTHON, "print(1)")
    jailer = s.child("execd-jailer")
    counts = None
    for _ in range(3):
        tokens = s.submit(*[{"source_code": "print(1)", "language_id": PYTHON} for _ in range(40)])
        for t in tokens:
            s.result(t)
        counts = counts or (fd_count(s.pid), fd_count(jailer))
    eventually(lambda: fd_count(s.pid) <= counts[0] + 2, "execd's descriptors: %d" % fd_count(s.pid))
    eventually(lambda: fd_count(jailer) <= counts[1] + 2, "the jailer's descriptors: %d" % fd_count(jailer))
