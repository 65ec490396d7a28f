"""Real servers for the end-to-end tests: each starts its own execd (and Redis), and accounts for it.

EXECD_BUILD names the build directory (default build/release).  This process is a child
subreaper, so whatever a server leaves behind becomes our child and is found.
"""

import collections
import ctypes
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest
import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EXECD_BUILD", ROOT / "build/release"))
PYTHON, NODE, C, JAVA = 71, 63, 50, 62
PATIENCE = 120  # seconds that anything may take on a slow, busy machine



def pytest_sessionfinish(session, exitstatus):
    """A test that could not run is no test that passed: in CI it is a failure (-rs prints the reasons)."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("EXECD_CI") and reporter.stats.get("skipped"):
        session.exitstatus = 1


ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def children():
    """Our children, dead ones reaped: pid -> command name."""
    found = {}
    for task in pathlib.Path("/proc/self/task").iterdir():
        try:
            pids = (task / "children").read_text().split()
        except OSError:
            continue
        for pid in pids:
            try:
                stat = pathlib.Path("/proc", pid, "stat").read_text()
            except OSError:
                continue
            if stat.rsplit(")", 1)[1].split()[0] != "Z":
                found[int(pid)] = stat.split("(", 1)[1].rsplit(")", 1)[0]
    return found


def descendants(pid):
    """pid and everything below it."""
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        try:
            for task in pathlib.Path("/proc", str(p), "task").iterdir():
                todo += [int(c) for c in (task / "children").read_text().split()]
        except OSError:
            pass
    return found


def cgroups():
    """Cgroup directories of jailers that are gone: leftovers.  (Another test run's live ones are its own.)"""
    found = set()
    for directory, _, _ in os.walk("/sys/fs/cgroup"):  # what vanishes meanwhile is skipped
        name = os.path.basename(directory)
        if re.fullmatch(r"execd-\d+", name) and not os.path.exists("/proc/" + name[6:]):
            found.add(directory)
    return found


def mounts():
    return collections.Counter(line.split(" ")[4] for line in open("/proc/self/mountinfo"))


def fd_count(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def eventually(check, what, seconds=PATIENCE):
    """Polls until check() is true and returns its value; the bound only ends a broken run."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what))
        time.sleep(0.02)


def conf_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return "( " + ", ".join(conf_text(v) for v in value) + " )"
    if isinstance(value, dict):
        return "{ " + " ".join("%s = %s;" % (k, conf_text(v)) for k, v in value.items()) + " }"
    return json.dumps(value)


class Execd:
    """One execd process.  `conf` is {"section": {"key": value}}, written as a file."""

    def __init__(self, directory, conf=None, roles=None, env=None, args=(), prefix=(), build=BUILD):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.log_path = self.directory / "execd.log"
        file = self.directory / "execd.conf"
        file.write_text("".join("%s = %s;\n" % (k, conf_text(v)) for k, v in (conf or {}).items()))
        command = [*prefix, str(build / "execd"), "--config", str(file), "--port", "0", "--state", str(self.state)]
        if roles:
            command += ["--role", roles]
        self.log = open(self.log_path, "ab")
        self.process = subprocess.Popen(command + list(args), stdout=subprocess.PIPE, stderr=self.log,
                                        stdin=subprocess.DEVNULL, env=dict(os.environ, **(env or {})))
        self.url = None
        self.session = requests.Session()

    def ready(self):
        line = self.process.stdout.readline().decode()
        assert line.startswith("execd ready"), "execd did not start:\n" + self.logged()[-4000:]
        if " on " in line:
            self.url = line.split(" on ")[1].strip()
        return self

    def refused(self):
        """It must not start; returns what it said."""
        out, _ = self.process.communicate(timeout=PATIENCE)
        self.log.close()
        assert self.process.returncode != 0 and b"ready" not in out
        return self.logged()

    def logged(self):
        return self.log_path.read_text(errors="replace")

    @property
    def pid(self):
        return self.process.pid

    def child(self, name):
        """The pid of its direct child of that name."""
        for p in descendants(self.pid)[1:]:
            if pathlib.Path("/proc/%d/comm" % p).read_text().strip().startswith(name):
                return p
        raise AssertionError("no child " + name)

    def stop(self, expect=0):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.close()
        assert code == expect, "execd ended with %d:\n%s" % (code, self.logged()[-6000:])

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.close()

    def close(self):
        self.process.stdout.close()
        self.log.close()
        self.session.close()

    # ---- what clients do ----

    def request(self, method, path, **kw):
        kw.setdefault("timeout", PATIENCE)
        return self.session.request(method, self.url + path, **kw)

    def submit(self, *submissions):
        r = self.request("POST", "/submit/batch", json={"submissions": list(submissions)})
        assert r.status_code == 202, r.text
        return r.json()["tokens"]

    def result(self, token):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            r = self.request("GET", "/v1/jobs/%s?wait=30" % token)
            assert r.status_code == 200, r.text
            if r.json()["status"] not in ("queued", "running"):
                return r.json()
        raise AssertionError("job %s did not end: %s" % (token, r.text[:500]))

    def run(self, language, source, **fields):
        return self.result(self.submit(dict(fields, language_id=language, source_code=source))[0])


class Receiver(http.server.ThreadingHTTPServer):
    """A webhook receiver; `answer(n)` gives (status, headers) of the nth request."""

    daemon_threads = True

    def __init__(self, answer=lambda n: (204, {})):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.answer = answer
        self.seen = []
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self):
        return "http://127.0.0.1:%d/hook" % self.server_address[1]

    def wait(self, count):
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.seen) >= count, PATIENCE), self.seen
            return list(self.seen)

    def close(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.changed:
            self.server.seen.append((dict(self.headers.items()), body))
            status, headers = self.server.answer(len(self.server.seen))
            self.server.changed.notify_all()
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


# Loopback receivers are refused by default; the tests' own are there.
HOOKS = {"allow_private": True, "first_retry_ms": 50}


@pytest.fixture(scope="session", autouse=True)
def accounting():
    """Nothing that any server made may outlive the session."""
    before = (children(), cgroups(), mounts())
    yield
    eventually(lambda: not set(children()) - set(before[0]), "left behind: %s" % children(), 10)
    eventually(lambda: cgroups() <= before[1], "cgroups left behind", 10)
    assert mounts() == before[2]


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """One server for all tests that only speak to it."""
    plugins = [{"file": "lang-%s.so" % name} for name in ("python", "c", "java")]
    plugins.append({"file": "lang-node.so", "settings": {"modules": str(ROOT / "tests/data/node_modules")}})
    s = Execd(tmp_path_factory.mktemp("shared"), {"hook": HOOKS, "plugins": plugins}).ready()
    yield s
    s.stop()


@pytest.fixture
def start(tmp_path):
    """start(conf, ...) gives a server of the test's own; ended and accounted for afterwards."""
    before = (set(children()), cgroups(), mounts())
    servers = []

    def starter(conf=None, wait=True, **kw):
        directory = tmp_path / ("execd%d" % len(servers))
        directory.mkdir()
        conf = dict(conf or {})
        conf.setdefault("hook", HOOKS)
        s = Execd(directory, conf, **kw)
        servers.append(s)
        return s.ready() if wait else s

    yield starter
    for s in reversed(servers):
        if s.process.poll() is None:
            s.stop()
    eventually(lambda: set(children()) <= before[0], "processes left behind", 15)
    eventually(lambda: cgroups() <= before[1], "cgroups left behind", 15)
    assert mounts() == before[2]


class Redis:
    """A redis-server of the test's own on a free TCP port, with a password."""

    password = "a-password-of-the-tests"

    def __init__(self, directory):
        self.directory = directory
        conf = directory / "redis.conf"
        for _ in range(20):
            port = free_port()
            conf.write_text("port %d\nbind 127.0.0.1\nrequirepass %s\nappendonly yes\nsave \"\"\ndir %s\n"
                            % (port, self.password, directory))
            self.process = subprocess.Popen(["redis-server", str(conf)], stdout=subprocess.PIPE, text=True)
            for line in self.process.stdout:
                if "eady to accept" in line:
                    self.port = port
                    threading.Thread(target=self.process.stdout.read, daemon=True).start()
                    return
            self.process.wait()  # somebody else took the port: another one
        raise AssertionError("redis-server did not start")

    @property
    def url(self):
        return "redis://127.0.0.1:%d/0" % self.port

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def redis(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir()
    r = Redis(directory)
    yield r
    r.stop()
    shutil.rmtree(directory)


def execctl(server, *args, stdin=b"", env=None):
    return subprocess.run([str(BUILD / "execctl"), "--url", server.url, *args], input=stdin, capture_output=True,
                          timeout=PATIENCE, env=dict(os.environ, **(env or {})))
