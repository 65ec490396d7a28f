"""W: webhooks.  Where requests of execd's own may go, how often, and that none is lost."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

import pytest
from host import resident
from island import ALLOWED
from rows import row
from server import HOOKS, PATIENCE, Receiver, end_with_us, eventually

HERE = pathlib.Path(__file__).parent
ROOTS = ("root", "vm")  # lanes in which a network namespace can be made; what is tested does not depend on the lane
JOB = {"language_id": 71, "source_code": "print(1)"}

LOOPBACK = ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "[::ffff:127.0.0.1]",
            "[64:ff9b::7f00:1]", "localhost.", "[::]", "[::127.0.0.1]", "[2002:7f00:1::]", "%31%32%37.0.0.1"]
PRIVATE = ["169.254.169.254", "[fd00:ec2::254]", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "[fc00::1]", "[fe80::1]",
           "224.0.0.1", "255.255.255.255", "[ff02::1]", "[2001:db8::1]", "metadata.google.internal", "kubernetes.default.svc"]


def given_up(s):
    return int(re.search(r"execd_webhook_dead (\d+)", s.request("GET", "/metrics").text).group(1))


def settled(s):
    text = s.request("GET", "/metrics").text
    return given_up(s) + int(re.search(r'execd_webhooks_total\{outcome="delivered"\} (\d+)', text).group(1))


class Island:
    """Redis on a socket, an api and a worker here, and a hook in a network of its own (island.py)."""

    def __init__(self, start, names, **hook):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-island-"))  # execd's user must get at the socket
        (self.directory / "names.json").write_text(json.dumps(names))
        (self.directory / "hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")
        (self.directory / "nsswitch.conf").write_text("hosts: files dns\n")
        self.directory.chmod(0o711)
        self.redis = subprocess.Popen(["redis-server", "--port", "0", "--appendonly", "yes", "--unixsocket", str(self.directory / "redis.sock"),
                                       "--unixsocketperm", "777", "--dir", str(self.directory), "--save", ""],
                                      stdout=subprocess.DEVNULL, preexec_fn=end_with_us)
        eventually(lambda: (self.directory / "redis.sock").exists(), "redis-server listens")
        self.conf = {"queue": {"url": "unix:%s/redis.sock" % self.directory},
                     "hook": dict({"first_retry_ms": 50, "max_retry_ms": 100, "attempts": 3, "timeout_ms": 4000,
                                   "allow_networks": [ALLOWED]}, **hook)}
        self.api = start(self.conf, roles="api,worker")
        self.start = start
        self.hook = None

    def begin(self):
        self.hook = self.start(self.conf, roles="hook", prefix=["unshare", "-n", "-m", sys.executable, str(HERE / "island.py"),
                                                                str(self.directory)])
        return self

    def deliver(self, urls):
        """Jobs with these callbacks; how many the API took, and after that every delivery has ended."""
        before = self.settled()
        taken = 0
        for url in urls:
            r = self.api.request("POST", "/v1/jobs", json=dict(JOB, callback_url=url))
            assert r.status_code in (202, 422), r.text
            taken += r.status_code == 202
        eventually(lambda: self.settled() - before >= taken, "deliveries end: %d of %d" % (self.settled() - before, taken))
        return taken

    def settled(self):
        return settled(self.api)

    def visits(self):
        f = self.directory / "visits"
        return f.read_text().split() if f.exists() else []

    def close(self):
        for s in (self.hook, self.api):
            if s is not None and s.process.poll() is None:
                s.stop()
        self.redis.terminate()
        self.redis.wait(PATIENCE)
        shutil.rmtree(self.directory)


@pytest.fixture
def island(start):
    made = []

    def make(names=None, **hook):
        made.append(Island(start, names or {}, **hook))
        return made[-1]
    yield make
    for i in made:
        i.close()


@row("W01", star=True, lanes=ROOTS)
def test_W01_loopback(attack, island):
    i = island().begin()
    i.deliver(["http://%s/" % h for h in LOOPBACK])
    assert i.visits() == []
    i.deliver(["http://10.1.0.1/"])  # where it may go it goes
    assert i.visits() == ["10.1.0.1"]


@row("W02", star=True, lanes=ROOTS)
def test_W02_private_networks(attack, island):
    i = island({"metadata.google.internal A": [["169.254.169.254"]], "kubernetes.default.svc A": [["10.0.0.1"]]}).begin()
    i.deliver(["http://%s/latest/meta-data" % h for h in PRIVATE])
    assert i.visits() == []


@row("W03", star=True, lanes=ROOTS)
def test_W03_names_that_change(attack, island):
    """What is checked is the address that is connected to, each time."""
    i = island({"rebind.test A": [["10.1.0.1"], ["127.0.0.1"]], "rebind.test AAAA": [[]],
                "mixed.test A": [["127.0.0.1", "10.0.0.1"]], "mixed6.test AAAA": [["::1", "fd00:ec2::254"]],
                "alias.test A": [["inner.test.", "192.168.0.1"]], "inner.test A": [["192.168.0.1"]],
                "six.test AAAA": [["fd00:ec2::254"]], "mapped.test AAAA": [["::ffff:127.0.0.1"]],
                "broken.test A": ["SERVFAIL"], "broken.test AAAA": ["SERVFAIL"]}).begin()
    i.deliver(["http://%s.test/" % n for n in ("mixed", "mixed6", "alias", "six", "mapped", "broken", "absent")])
    assert i.visits() == []
    i.deliver(["http://rebind.test/"])
    assert set(i.visits()) <= {"10.1.0.1"}  # the first answer
    i.deliver(["http://rebind.test/"])
    assert set(i.visits()) <= {"10.1.0.1"}  # and not the second


@row("W04", star=True)
def test_W04_redirects(attack, start):
    target = Receiver()
    s = start({"hook": dict(HOOKS, attempts=1)})
    receivers = []
    for status in (301, 302, 303, 307, 308):
        for location in (target.url, "file:///etc/passwd", "gopher://127.0.0.1/"):
            receivers.append(Receiver(lambda n, a=(status, {"Location": location}): a))
    s.submit(*[dict(JOB, callback_url=r.url) for r in receivers])
    for r in receivers:
        r.wait(1)
    eventually(lambda: given_up(s) == 15, "counted as failed")
    assert target.seen == []
    for r in receivers + [target]:
        r.close()


@row("W05", star=True)
def test_W05_urls_that_are_none(attack):
    for url in ("file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "unix:/run/x.sock", "http://a@127.0.0.1/", "http://a:b@x/",
                "http://x#@127.0.0.1/", "http://x\\@127.0.0.1/", "http:\\\\127.0.0.1", "http://127.0.0.1/\r\nX: y", "http://\uff11\uff12\uff17.0.0.1/",
                "http://example.org:25/", "http://example.org:22/", "http://example.org:6379/", "http://example.org:0/", "http://example.org:65536/",
                "http://example.org:-1/", "//example.org/", "http://", "http:///x", "javascript:alert(1)", "dict://x/", "http://[::1", "http://exa mple.org/",
                "http://" + "a" * 3000 + "/", "data:,x", ""):
        p = attack.refused(callback_url=url)
        assert p["field"] == "callback_url", (url, p)


@row("W06", star=True)
def test_W06_receivers_that_never_answer(attack, start, receiver):
    hold = threading.Event()
    mute = Receiver(lambda n: (hold.wait(30), (204, {}))[1])
    drip = socket.socket()
    drip.bind(("127.0.0.1", 0))
    drip.listen(64)
    kept = []

    def dribble():
        while True:
            try:
                c, _ = drip.accept()
            except OSError:
                return
            kept.append(c)
            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    threading.Thread(target=dribble, daemon=True).start()
    s = start({"hook": dict(HOOKS, timeout_ms=700, attempts=1, per_host=2)})
    s.submit(*[dict(JOB, callback_url=u) for u in [mute.url, "http://127.0.0.1:%d/" % drip.getsockname()[1]] * 4])
    s.submit(*[dict(JOB, callback_url=receiver.url) for _ in range(5)])
    receiver.wait(5)  # others are not held up
    eventually(lambda: given_up(s) >= 4 and settled(s) - given_up(s) == 5, "the others failed at the total timeout")
    hold.set()
    drip.close()
    for c in kept:
        c.close()
    mute.close()


@row("W07", star=True)
def test_W07_retries(attack, start):
    flaky = Receiver(lambda n: (500, {}) if n <= 5 else (200, {}))
    gone = Receiver(lambda n: (410, {}))
    times = []
    patient = Receiver(lambda n: (times.append(time.monotonic()), (429, {"Retry-After": "2"}) if n == 1 else (200, {}))[1])
    s = start({"hook": dict(HOOKS, attempts=8)})
    s.submit(*[dict(JOB, callback_url=r.url) for r in (flaky, gone, patient)])
    assert len({h["webhook-id"] for h, _ in flaky.wait(6)}) == 1
    patient.wait(2)
    assert times[1] - times[0] >= 1.9
    eventually(lambda: 'outcome="delivered"} 2' in s.request("GET", "/metrics").text, "both delivered")
    assert len(gone.seen) == 1 and "webhook_given_up" in s.logged()
    for r in (flaky, gone, patient):
        r.close()


@row("W08")
def test_W08_answers_without_end(attack, start):
    endless, header = [], []

    def server(respond, seen):
        s = socket.socket()
        s.bind(("127.0.0.1", 0))
        s.listen(8)

        def loop():
            while True:
                try:
                    c, _ = s.accept()
                except OSError:
                    return
                seen.append(0)
                try:
                    c.recv(65536)
                    respond(c, seen)
                except OSError:
                    pass
                c.close()
        threading.Thread(target=loop, daemon=True).start()
        return s

    def body(c, seen):
        c.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(4096):
            c.sendall(b"x" * 65536)
            seen[-1] += 65536

    def headers(c, seen):
        c.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(1600):
            c.sendall(b"A: " + b"x" * 65000 + b"\r\n")
            seen[-1] += 65000
    a, b = server(body, endless), server(headers, header)
    s = start({"hook": dict(HOOKS, attempts=1, timeout_ms=5000)})
    before = resident(s.pid)
    s.submit(*[dict(JOB, callback_url="http://127.0.0.1:%d/" % x.getsockname()[1]) for x in (a, b)])
    eventually(lambda: settled(s) >= 2, "both end")
    assert resident(s.pid) - before < 32 << 20
    assert max(endless + header) < 64 << 20
    a.close()
    b.close()


AUTHORITY = """[ca]
default_ca = self
[self]
database = {d}/index
new_certs_dir = {d}
serial = {d}/serial
default_md = sha256
policy = any
copy_extensions = copy
[any]
commonName = supplied
"""


def certificate(directory, name, begin="20200101000000Z", end="20990101000000Z"):
    """A self-signed certificate for `name`, valid for that time."""
    directory.mkdir()
    (directory / "index").touch()
    (directory / "serial").write_text("01")
    (directory / "ca.conf").write_text(AUTHORITY.format(d=directory))
    key, cert, request = directory / "key.pem", directory / "cert.pem", directory / "request.pem"
    for command in (["req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", request, "-subj", "/CN=" + name,
                     "-addext", "subjectAltName=DNS:" + name],
                    ["ca", "-batch", "-selfsign", "-notext", "-config", directory / "ca.conf", "-keyfile", key, "-in", request, "-out", cert,
                     "-startdate", begin, "-enddate", end]):
        subprocess.run(["openssl", *map(str, command)], check=True, capture_output=True)
    return cert, key


class Secure(Receiver):
    def __init__(self, cert, key):
        super().__init__()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    def handle_error(self, request, client_address):
        pass  # handshakes that the client ends are what is wanted


@row("W09", star=True, lanes=ROOTS)
def test_W09_certificates(attack, start, tmp_path):
    """The trusted roots are the good certificate alone, bound over the machine's in a mount namespace of that execd."""
    made = {"good": certificate(tmp_path / "good", "localhost"), "wrong name": certificate(tmp_path / "wrong", "other.test"),
            "expired": certificate(tmp_path / "expired", "localhost", end="20200102000000Z"),
            "not yet": certificate(tmp_path / "early", "localhost", begin="20980101000000Z")}
    roots = tmp_path / "roots.pem"
    roots.write_bytes(b"".join(cert.read_bytes() for cert, _ in made.values()))
    made["self-signed"] = certificate(tmp_path / "unknown", "localhost")
    servers = {name: Secure(*pair) for name, pair in made.items()}
    bind = 'mount --bind "$0" "$(readlink -f /etc/ssl/certs/ca-certificates.crt)" && exec "$@"'
    s = start({"hook": dict(HOOKS, attempts=1)}, prefix=["unshare", "-m", "/bin/sh", "-c", bind, str(roots)])
    for name, r in servers.items():
        s.submit(dict(JOB, callback_url="https://localhost:%d/" % r.server_address[1]))
    servers["good"].wait(1)
    eventually(lambda: given_up(s) == len(servers) - 1, "the others fail")
    for name, r in servers.items():
        assert name == "good" or r.seen == [], name
        r.close()


@row("W10", star=True)
def test_W10_the_dispatcher_is_killed(attack, start, redis):
    key = os.urandom(24)
    conf = {"queue": {"url": redis.url, "password": redis.password},
            "hook": dict(HOOKS, secret="whsec_" + base64.b64encode(key).decode(), timeout_ms=1500, attempts=50, max_retry_ms=200)}
    api = start(conf, roles="api,worker")
    held = threading.Semaphore(0)
    receiver = Receiver(lambda n: (held.acquire(timeout=0.05), (200, {}))[1])
    kills = 200 if attack.full else 12
    tokens = []
    for n in range(kills):
        hook = start(conf, roles="hook")
        tokens += api.submit(*[dict(JOB, callback_url=receiver.url) for _ in range(3)])
        if n % 2:
            seen = len(receiver.seen)
            receiver.wait(seen + 1)  # sent, and the answer not heard
        hook.kill()
    start(conf, roles="hook")
    for _ in range(10 * kills):
        held.release()
    eventually(lambda: {h["webhook-id"] for h, _ in receiver.seen} >= set(tokens), "each is delivered at least once", 300)
    for headers, body in receiver.seen:
        assert json.loads(body)["token"] == headers["webhook-id"]
        signed = ("%s.%s." % (headers["webhook-id"], headers["webhook-timestamp"])).encode() + body
        want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert want in headers["webhook-signature"].split(" ") and abs(int(headers["webhook-timestamp"]) - time.time()) < 900
    receiver.close()
