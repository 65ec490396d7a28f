"""Real servers for the tests: each test starts its own execd (and Redis), and accounts for it.

EXECD_BUILD names the build directory (default build/release).  This process is a child
subreaper, so whatever a server leaves behind becomes our child and is found.
"""

import collections
import contextlib
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

import requests

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("EXECD_BUILD", ROOT / "build/release"))
PYTHON, NODE, C, JAVA = 71, 63, 50, 62
PATIENCE = int(os.environ.get("EXECD_TEST_PATIENCE", "120"))  # seconds that anything may take on a slow, busy machine
HOOKS = {"allow_private": True, "first_retry_ms": 50}  # loopback receivers are refused by default

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER


def end_with_us():
    """For preexec_fn of what must not outlive a test run that is killed."""
    LIBC.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG

def children():
    """Our living children: pid -> command name."""
    found = {}
    for pid in children_of("self"):
        stat = of_process(pid, "stat")
        if stat and stat.rsplit(")", 1)[1].split()[0] != "Z":
            found[pid] = stat.split("(", 1)[1].rsplit(")", 1)[0]
    return found


def of_process(pid, file):
    """/proc/PID/FILE; empty where the process is gone, which it may be at any time."""
    try:
        return pathlib.Path("/proc", str(pid), file).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def children_of(pid):
    try:
        tasks = os.listdir("/proc/%s/task" % pid)
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [int(c) for t in tasks for c in of_process(pid, "task/%s/children" % t).split()]


def descendants(pid):
    """pid and everything below it, a moment ago."""
    found, todo = [], [pid]
    while todo:
        p = todo.pop()
        found.append(p)
        todo += children_of(p)
    return found


def command_name(pid):
    return of_process(pid, "comm").strip()


def cgroups():
    """Cgroup directories of jailers that are gone: leftovers.  (Another test run's live ones are its own, and so are those
    below a pod's cgroup (lanes/pod.py), whose pids are of another namespace.)"""
    found = set()
    for directory, _, _ in os.walk("/sys/fs/cgroup"):  # what vanishes meanwhile is skipped
        name = os.path.basename(directory)
        base = re.fullmatch(r"execd-(\d+)-\d+", name)
        if base and not re.search(r"/pod-\d+/", directory) and not os.path.exists("/proc/" + base.group(1)):
            found.add(directory)
    return found


def mounts():
    """Mounts at the places where cells and their root are mounted, or from what they mount.  (Others that come
    and go are of other programs.)"""
    found = collections.Counter()
    for line in open("/proc/self/mountinfo"):
        before, after = line.split(" - ")
        point, source = before.split(" ")[4], after.split(" ")[1]
        if source in ("root", "box") or point in ("/tmp", "/run", "/box", "/proc", "/dev/shm"):
            found[point, source] += 1
    return found


def fd_count(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def eventually(check, what, seconds=PATIENCE):
    """Polls until check() is true and returns its value; the bound only ends a broken run.  `what`: text, or what makes it."""
    end = time.monotonic() + seconds
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("not within %d s: %s" % (seconds, what() if callable(what) else what))
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


def with_lane(conf):
    """`conf`, and for what it leaves open what execd needs in this lane (EXECD_ATTACKS_CONF: a file with JSON)."""
    file = os.environ.get("EXECD_ATTACKS_CONF")
    merged = dict(conf or {})
    for section, keys in (json.loads(pathlib.Path(file).read_text()) if file else {}).items():
        merged[section] = {**keys, **merged.get(section, {})} if isinstance(keys, dict) else merged.get(section, keys)
    return merged


class Execd:
    """One execd process.  `conf` is {"section": {"key": value}}, written as a file."""

    def __init__(self, directory, conf=None, roles=None, env=None, args=(), prefix=(), build=BUILD):
        self.directory = pathlib.Path(directory)
        self.state = self.directory / "state"
        self.log_path = self.directory / "execd.log"
        file = self.directory / "execd.conf"
        file.write_text("".join("%s = %s;\n" % (k, conf_text(v)) for k, v in with_lane(conf).items()))
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
        """The pid of its direct child of that name (or of one that begins so: a mutant's)."""
        for p in children_of(self.pid):
            if command_name(p).startswith(name):
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

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        """Whatever the test came to, nothing of it goes on running."""
        if self.process.poll() is not None:
            self.close()
        elif kind is None:
            self.stop()
        else:
            self.kill()

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

    def __init__(self, answer=lambda n: (204, {}), body=b""):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.answer = answer
        self.body = body
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
            count = len(self.server.seen)
            self.server.changed.notify_all()
        status, headers = self.server.answer(count)
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        try:
            self.wfile.write(self.server.body)
        except OSError:
            pass  # execd has heard enough

    def log_message(self, *args):
        pass


class Redis:
    """A redis-server of the test's own on a free TCP port, with a password; `tls`: the files of its certificate and key."""

    password = "a-password-of-the-tests"

    def __init__(self, directory, tls=None):
        self.directory = directory
        self.tls = tls
        self.conf = directory / "redis.conf"
        for _ in range(20):
            self.port = free_port()
            listen = "port %d\n" % self.port if not tls else (
                "port 0\ntls-port %d\ntls-cert-file %s\ntls-key-file %s\ntls-auth-clients no\n" % (self.port, *tls))
            self.conf.write_text("%sbind 127.0.0.1\nrequirepass %s\nappendonly yes\nsave \"\"\ndir %s\n"
                                 % (listen, self.password, directory))
            if self.start():
                return  # else somebody took the port: another one
        raise AssertionError("redis-server did not start")

    def start(self):
        """Also again, after an end of it; false if it ended at once."""
        self.process = subprocess.Popen(["redis-server", str(self.conf)], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=end_with_us)
        for line in self.process.stdout:
            if "eady to accept" in line:
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return True
        self.process.wait()
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    @contextlib.contextmanager
    def asleep(self):
        """It takes connections and answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    @property
    def url(self):
        return "redis%s://127.0.0.1:%d/0" % ("s" if self.tls else "", self.port)

    def command(self, *words):
        """By redis-cli, without TLS; what it answers."""
        return subprocess.run(["redis-cli", "-p", str(self.port), *words], env=dict(os.environ, REDISCLI_AUTH=self.password),
                              check=True, capture_output=True, text=True, timeout=PATIENCE).stdout.strip()

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


def certificate(directory):
    """Of a server on 127.0.0.1, its own authority: the files of it and of its key."""
    crt, key = directory / "crt", directory / "key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(crt)],
                   check=True, capture_output=True)
    return crt, key


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def execctl(server, *args, stdin=b"", env=None):
    return subprocess.run([str(BUILD / "execctl"), "--url", server.url, *args], input=stdin, capture_output=True,
                          timeout=PATIENCE, env=dict(os.environ, **(env or {})))
