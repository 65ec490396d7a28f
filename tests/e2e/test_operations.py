"""Start, refusal to start, configuration, keys, roles, loss of processes, shutdown."""

import concurrent.futures
import json
import os
import pathlib
import re
import resource
import select
import signal
import socket
import struct
import subprocess

import pytest
import requests

from conftest import (BUILD, PATIENCE, PYTHON, ROOT, command_name, descendants, eventually, execctl, fd_count,
                      of_process)

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
    assert r.returncode != 0 and "gravity" in r.stderr and str(f) + ":1:" in r.stderr


def test_mistakes_that_only_the_parts_can_see(tmp_path):
    f = tmp_path / "bad.conf"
    f.write_text('queue = {\n  url = "redis://:a-secret-of-mine@h:notaport/0";\n};\n'
                 'plugins = (\n  { file = "lang-c.so"; settings = { nope = 1; }; }\n);\n')
    r = execd("--check-config", str(f))
    assert r.returncode != 0 and str(f) + ":2: queue.url" in r.stderr and "a-secret-of-mine" not in r.stderr
    assert "bad.conf:5" in r.stderr and "nope" in r.stderr
    f.write_text('plugins = ( { file = "lang-nothing.so"; } );\n')
    r = execd("--check-config", str(f))
    assert r.returncode != 0 and "lang-nothing.so" in r.stderr and "bad.conf:1" in r.stderr


def test_beyond_loopback_needs_a_key(start):
    text = start({"api": {"address": "0.0.0.0"}}, wait=False).refused()
    assert "key" in text and "0.0.0.0" in text


def test_a_mistake_is_told_by_where_it_was_made():
    r = execd("--address", "0.0.0.0", "--port", "99999")
    assert r.returncode == 1 and sorted(line.split(": ")[0] for line in r.stderr.splitlines()) == ["--address", "--port"]
    r = execd(env={"EXECD_API_PORT": "99999"})
    assert r.returncode == 1 and r.stderr.startswith("environment EXECD_API_PORT: "), r.stderr


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


def test_a_language_that_fails_its_self_test_is_named(start):
    plugin = {"file": str(BUILD / "tests/bad-plugins/selftest_mismatch.so")}
    text = start({"plugins": [plugin]}, wait=False).refused()
    assert "fails its self-test" in text and "wrong_answer" in text
    s = start({"plugins": [{"file": "lang-python.so"}, dict(plugin, optional=True)]})
    assert s.run(PYTHON, "print(1)")["status"] == "completed" and "language_left_out" in s.logged()


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
        status = of_process(p, "status")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        assert fields["CapEff"] == "0" * 16 and fields["NoNewPrivs"] == "1"
        if os.getuid() == 0:
            assert "0" not in fields["Uid"].split(), fields["Uid"]


def test_what_lies_in_the_state_directory_is_nobody_elses(start, tmp_path):
    state = tmp_path / "made-by-the-operator"
    state.mkdir(mode=0o755)
    s = start(args=["--state", str(state)])
    assert s.run(PYTHON, "print(1)")["status"] == "completed"
    open_to_others = [f for f in state.rglob("*") if f.lstat().st_mode & 0o077]
    assert list(state.glob("appendonlydir/*.aof")) and not open_to_others


def test_separate_processes_and_a_killed_worker(redis, start):
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 3000}, "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    api2 = start(conf, roles="api")
    start(conf, roles="hook")
    workers = [start(conf, roles="worker") for _ in range(2)]
    tokens = api.submit(*[{"source_code": SLOW % 2, "language_id": PYTHON} for _ in range(6)])
    busy = 'execd_worker_running{worker="[^"]*:%d:[^"]*"} [1-9]' % workers[0].pid
    eventually(lambda: re.search(busy, api.request("GET", "/metrics").text), "the first worker runs something")
    workers[0].kill()
    results = [api2.result(t) for t in tokens]
    assert {(j["status"], j["stdout"]) for j in results} == {("completed", "begun\ndone\n")}
    assert max(j["attempt"] for j in results) == 2, "what the dead worker ran was run again"


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


def test_a_restart_waits_for_the_old_redis(start):
    """Two servers on one append-only file would lose what one of them accepted."""
    s = start()
    tokens = s.submit(*[{"source_code": SLOW % 0.5, "language_id": PYTHON} for _ in range(4)])
    redis = s.child("redis-server")
    os.kill(redis, signal.SIGSTOP)
    try:
        s.kill()
        again = start(args=["--state", str(s.state)], wait=False)
        eventually(lambda: "starting" in again.logged(), "it starts")
        for _ in range(50):
            assert "redis-server" not in map(command_name, descendants(again.pid))
            assert not select.select([again.process.stdout], [], [], 0.02)[0], "ready, or over, before its time"
    finally:
        os.kill(redis, signal.SIGCONT)
    again.ready()
    for t in tokens:
        assert again.result(t)["status"] == "completed"


def test_a_job_of_the_last_worker_ends(redis, start):
    """No worker is left to find out: the other roles do."""
    conf = {"queue": {"url": redis.url, "password": redis.password, "lease_ms": 1500, "max_attempts": 1},
            "worker": {"heartbeat_ms": 500}}
    api = start(conf, roles="api")
    worker = start(conf, roles="worker")
    token = api.submit({"source_code": SLOW % 60, "language_id": PYTHON, "timeout": 60000})[0]
    eventually(lambda: api.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    worker.kill()
    j = api.result(token)
    assert j["status"] == "internal_error" and "lost" in j["message"]


def test_embedded_redis_is_supervised(start):
    s = start()
    token = s.submit({"source_code": SLOW % 1, "language_id": PYTHON})[0]
    os.kill(s.child("redis-server"), signal.SIGKILL)

    def answers():
        r = s.request("GET", "/v1/jobs/%s?wait=1" % token)
        return r.status_code == 200 and r.json()["status"] == "completed"
    eventually(answers, "the job completes after Redis came back")


def test_a_redis_that_does_not_come_is_complained_of(redis, start):
    for url, password, reason in ((redis.url, "a-wrong-password", "WRONGPASS"),
                                  (redis.url.replace("/0", "/99"), redis.password, "out of range"),
                                  ("unix:/nonexistent/redis.sock", redis.password, "No such file")):
        s = start({"queue": {"url": url, "password": password}}, wait=False)
        eventually(lambda: "redis_unreachable" in s.logged(), "it says what it waits for")
        line = [t for t in s.logged().splitlines() if "redis_unreachable" in t][0]
        assert reason in line and password not in s.logged(), line
        s.stop()


def test_state_directory_is_not_shared(start):
    s = start()
    text = start(args=["--state", str(s.state)], wait=False).refused()
    assert "state" in text


# ---- many clients at once ----

def raw_request(s, text):
    sock = socket.create_connection(("127.0.0.1", int(s.url.rsplit(":", 1)[1])))
    sock.sendall(text)
    sock.settimeout(PATIENCE)
    return sock


def test_unfinished_requests_are_bounded_together(start):
    """Whoever sends most of a large body and stops cannot fill the memory; ordinary clients notice nothing."""
    s = start({"api": {"buffers_max_bytes": 18 << 20}})
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 16000000\r\n\r\n"
    greedy = []
    for _ in range(4):
        try:
            greedy.append(raw_request(s, head + b" " * 8000000))
        except OSError:
            pass  # cut off while it sent
        assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    eventually(lambda: "connection_cut" in s.logged(), "one of them is cut off")
    for g in greedy:
        g.close()
    assert s.request("POST", "/v1/jobs", data=b" " * 15000000, headers={"Content-Type": "application/json"}).status_code == 400


def test_a_request_has_a_deadline(start):
    """One that drips is ended although its connection is never idle for long."""
    s = start()
    c = raw_request(s, b"GET /livez HTTP/1.1\r\n")
    assert c.recv(100) == b""  # closed, long before api.idle_ms
    assert "takes too long to come" in s.logged()
    c.close()


@pytest.mark.parametrize("framing", [b"Content-Length: 43\r\nContent-Length: 5", b"Transfer-Encoding: gzip"])
def test_ambiguous_framing_is_refused(shared, framing):
    c = raw_request(shared, b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + b" " * 43)
    assert c.recv(100).startswith(b"HTTP/1.1 400")
    c.close()


def test_connections_are_bounded(start):
    s = start({"api": {"connections_max": 16}})
    line = b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
    busy = [raw_request(s, line[:-1]) for _ in range(16)]  # all but their last byte
    late = raw_request(s, line)
    assert not select.select([late], [], [], 0.5)[0]
    busy[7].close()
    assert late.recv(100).startswith(b"HTTP/1.1 200")
    for c in busy + [late]:
        c.close()
    idle = [raw_request(s, line) for _ in range(16)]
    for c in idle:
        assert c.recv(100).startswith(b"HTTP/1.1 200")
    late = raw_request(s, line)  # one of them makes room
    assert late.recv(100).startswith(b"HTTP/1.1 200")
    for c in idle + [late]:
        c.close()


def test_slow_clients_keep_no_place_from_others(start):
    """All places are taken by requests that never end, and by some that have not even begun; each that comes is served."""
    s = start({"api": {"connections_max": 16}})
    slow = [raw_request(s, b"GET /livez HTTP/1.1\r\n") for _ in range(12)]
    slow += [raw_request(s, b"") for _ in range(20)]
    for _ in range(20):  # more than the silent ones: some of the slow ones made room
        late = raw_request(s, b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
        assert late.recv(100).startswith(b"HTTP/1.1 200")
        slow.append(late)
    assert "it is slow, and all places are taken" in s.logged() and "takes too long to come" not in s.logged()
    for c in slow:
        c.close()


def test_clients_that_do_not_read_keep_no_place_from_others(start):
    s = start({"api": {"connections_max": 16}})
    token = s.submit({"source_code": "print('x' * 1000000)", "language_id": PYTHON})[0]
    assert s.result(token)["status"] == "completed"
    slow = []
    for _ in range(24):
        c = socket.socket()
        c.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # so that most of the answer is execd's to hold
        c.connect(("127.0.0.1", int(s.url.rsplit(":", 1)[1])))
        c.sendall(b"GET /v1/jobs/%s HTTP/1.1\r\nHost: x\r\n\r\n" % token.encode())
        assert c.recv(15) == b"HTTP/1.1 200 OK"  # and not a byte more
        slow.append(c)
    assert requests.get(s.url + "/livez", timeout=PATIENCE).status_code == 200
    assert "it is slow, and all places are taken" in s.logged()
    for c in slow:
        c.close()


def test_long_polls_leave_places_for_others(redis, start):
    """Whoever waits keeps a connection; supervisors, and those who are to hear that there is no room, find one."""
    s = start({"queue": {"url": redis.url, "password": redis.password}, "api": {"connections_max": 16}}, roles="api")
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON})[0]
    poll = b"GET /v1/jobs/%s?wait=50 HTTP/1.1\r\nHost: x\r\n\r\n" % token.encode()
    polls = [raw_request(s, poll) for _ in range(14)]
    eventually(lambda: "execd_http_requests_open 15" in s.request("GET", "/metrics").text, "they wait")
    for _ in range(20):
        late = raw_request(s, poll)
        assert late.recv(100).startswith(b"HTTP/1.1 503")
        polls.append(late)
        assert s.request("GET", "/livez").status_code == 200
        assert requests.get(s.url + "/metrics", timeout=PATIENCE).status_code == 200
    for c in polls:
        c.close()


def test_supervisors_take_no_place_from_others(redis, start):
    """A look at the numbers that takes its time is no reason to turn away the last one who may wait."""
    s = start({"queue": {"url": redis.url, "password": redis.password, "answer_ms": 60000},
               "api": {"connections_max": 16}}, roles="api")
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON})[0]
    get = b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    polls = [raw_request(s, get % (b"/v1/jobs/%s?wait=50" % token.encode())) for _ in range(13)]
    eventually(lambda: "execd_http_requests_open 14" in s.request("GET", "/metrics").text, "they wait")

    def both_were_there():  # true once the numbers are too old to be given at once
        with redis.asleep():
            look, last = raw_request(s, get % b"/metrics"), raw_request(s, get % (b"/v1/jobs/%s" % token.encode()))
            third = raw_request(s, get % b"/livez")
            full = third.recv(100).startswith(b"HTTP/1.1 503")
        for c in look, last:
            assert c.recv(100).startswith(b"HTTP/1.1 200")
        for c in look, last, third:
            c.close()
        return full

    eventually(both_were_there, "one look more found no place")
    for c in polls:
        c.close()


def test_answers_that_nobody_reads_are_bounded_together(start):
    """More than the kernel takes is execd's to hold: up to its bound, and then whoever holds most is cut off."""
    s = start({"api": {"buffers_max_bytes": 18 << 20}, "limits": {"output_bytes": 8 << 20}})
    token = s.submit({"source_code": "print('x' * 8000000)", "language_id": PYTHON})[0]
    assert s.result(token)["status"] == "completed"
    readers = []
    for _ in range(4):
        readers.append(raw_request(s, b"GET /v1/jobs/%s HTTP/1.1\r\nHost: x\r\n\r\n" % token.encode()))
        assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    eventually(lambda: "unread answers hold api.buffers_max_bytes" in s.logged(), "one of them is cut off")
    for c in readers:
        c.close()
    assert len(s.request("GET", "/v1/jobs/" + token).json()["stdout"]) == 8000001


def test_ten_thousand_idle_connections(start):
    """Each is kept, or another idle one makes room; whoever comes is served."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    count = min(10000, hard - 1000)
    idle = []
    try:
        for places, least, most in ((count + 100, count, count + 500), (1000, 900, 1500)):
            s = start({"api": {"connections_max": places}})
            while len(idle) < count:
                idle.append(raw_request(s, b""))
                if len(idle) % 500 == 0:  # as many as the kernel keeps could come at once
                    assert requests.get(s.url + "/livez", timeout=PATIENCE).status_code == 200
            assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
            assert least <= fd_count(s.pid) <= most
            while idle:
                idle.pop().close()
    finally:
        for c in idle:
            c.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_client_that_breaks_off_is_noticed(start):
    """A reset is no event to libevent's epoll: it must neither spin nor be missed."""
    s = start()
    token = s.submit({"source_code": SLOW % 50, "language_id": PYTHON, "timeout": 60000})[0]
    c = raw_request(s, b"GET /v1/jobs/%s?wait=50 HTTP/1.1\r\nHost: x\r\n\r\n" % token.encode())
    eventually(lambda: "execd_http_requests_open 2" in s.request("GET", "/metrics").text, "it waits")
    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    c.close()
    eventually(lambda: "execd_http_requests_open 1" in s.request("GET", "/metrics").text, "it is missed", 10)
    s.request("DELETE", "/v1/jobs/" + token)


def test_half_a_connection_gets_its_whole_answer(start):
    body = b'{"source_code":"print(1)","language_id":71}'
    s = start()
    c = raw_request(s, b"POST /v1/jobs?wait=20 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                       b"Content-Length: %d\r\n\r\n" % len(body) + body)
    c.shutdown(socket.SHUT_WR)
    assert b"202" in c.recv(100) or b"completed" in c.recv(10000)
    c.close()


def test_few_descriptors(start):
    """Connections get what jobs and deliveries leave; a flood of them is survived."""
    s = start(prefix=["prlimit", "--nofile=360:360"])
    assert "connections_fewer" in s.logged()
    flood = [raw_request(s, b"GET") for _ in range(250)]
    assert s.process.poll() is None
    for c in flood:
        c.close()
    assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    start(prefix=["prlimit", "--nofile=100:100"], wait=False).refused()


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


def test_sigterm_answers_what_is_open(redis, start):
    api = start({"queue": {"url": redis.url, "password": redis.password}}, roles="api")
    token = api.submit({"source_code": "print(1)", "language_id": PYTHON})[0]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        poll = pool.submit(requests.get, api.url + "/v1/jobs/%s?wait=50" % token, timeout=PATIENCE)
        eventually(lambda: "execd_http_requests_open 2" in api.request("GET", "/metrics").text, "it waits")
        api.stop()
        r = poll.result()
    assert (r.status_code, r.json()["status"]) == (200, "queued")


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
    # cgroup v1: it may have kept a group or two more for cells to come, of up to 11 descriptors each
    eventually(lambda: fd_count(jailer) <= counts[1] + 2 + 22, "the jailer's descriptors: %d" % fd_count(jailer))
