"""A: what a client sends.  The programs here are clients; what must hold is the API's answer and the host."""

import base64
import concurrent.futures
import hashlib
import json
import re
import resource
import secrets
import select
import socket
import statistics
import struct
import time
import urllib.parse
import uuid

import pytest
import requests
from host import resident
from rows import Attack, row
from server import PATIENCE, ROOT, eventually

CONTENT = {"Content-Type": "application/json"}
EVIL_ENV = ("LD_PRELOAD", "LD_AUDIT", "PYTHONSTARTUP", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "PATH", "BASH_ENV")


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def connect(server):
    u = urllib.parse.urlparse(server.url)
    s = socket.create_connection((u.hostname, u.port), timeout=60)
    return s


def talk(server, data, end=False):
    """Sends raw bytes; everything that comes back until the server closes or is quiet for a second."""
    got = b""
    with connect(server) as s:
        try:
            s.sendall(data)
            if end:
                s.shutdown(socket.SHUT_WR)
            while select.select([s], [], [], 1.0)[0]:
                chunk = s.recv(65536)
                if not chunk:
                    return got, True
                got += chunk
        except OSError:
            return got, True
    return got, False


def post(server, body, path="/v1/jobs"):
    return server.request("POST", path, data=body, headers=CONTENT)


def refused_naming(attack, field, value, status=422):
    p = attack.refused(status, **{field: value})
    assert p["field"] == field, p
    return p


# ---- what a submission holds ----

@row("A01", star=True)
def test_A01_huge_vectors(attack):
    refused_naming(attack, "args", ["x"] * 100000, (413, 422))
    refused_naming(attack, "args", ["x" * (2 << 20)])
    attack.refused((413, 422), env={"K%d" % i: "v" for i in range(100000)})
    refused_naming(attack, "env", {"K": "v"})
    # The most that is allowed reaches the program.
    args = ["%d" % i + "y" * 900 for i in range(64)]
    r = attack.run("Py", source="import sys\nprint(len(sys.argv) - 1, sum(map(len, sys.argv[1:])))\n", args=args)
    r.expect("OK")
    assert r.text == "64 %d\n" % sum(map(len, args))


@row("A02", star=True)
def test_A02_nul(attack):
    attack.run("Py", source=b"print(1)\0\nprint(2)\n").expect("RE")
    attack.run("JS", source=b"/* \0 */ console.log(1)\n").expect("OK")
    attack.run("C", source=b"int main(void) { return 0; } /* \0 */\n").expect("OK", "CE(error)")
    for java in attack.served("Java"):
        attack.run(java, source=b"public class Main { public static void main(String[] a) { } } /* \0 */\n").expect("OK", "CE(error)")
    for field, value in (("args", ["a\0b"]), ("callback_url", "http://example.org/\0"), ("problem_id", "a\0b")):
        attack.refused(**{field: value, "encoding": "utf-8", "source_code": "1"})
    for field in ("files", "env"):
        refused_naming(attack, field, {"a\0b": "x"})


@row("A03", star=True)
def test_A03_encodings_arrive_as_they_were_sent(attack):
    own = "import hashlib\nprint(hashlib.sha256(open('/box/main.py', 'rb').read()).hexdigest())\n"
    sources = [("# coding: latin-1\n# \u00e4\u00f6\n" + own).encode("latin-1"), ("\ufeff# bom\n" + own).encode(),
               ("# \u20ac\r\n" + own.replace("\n", "\r\n")).encode()]
    results = attack.run_all([attack.job("Py", source=s) for s in sources])
    for r, s in zip(results, sources):
        assert r.expect("OK").text.split() == [hashlib.sha256(s).hexdigest()]
    js = b"// \xff\xfe invalid\nconst c = require('crypto'); const f = require('fs');\n" \
         b"console.log(c.createHash('sha256').update(f.readFileSync(__filename)).digest('hex'));\n"
    assert attack.run("JS", source=js).expect("OK").text.split() == [hashlib.sha256(js).hexdigest()]
    r = attack.run("C", source=b'#include <stdio.h>\nint main(void) { fputs("\xff\xfe\xc3\x28", stdout); }\n').expect("OK")
    assert r.stdout == b"\xff\xfe\xc3\x28"
    for language in attack.served("Py", "C", "JS", "Java"):
        attack.run(language, source="print(1)".encode("utf-16")).expect("RE", "CE", "OK")


@row("A04", star=True)
def test_A04_text_that_is_none(attack):
    head, tail = b'{"language_id":71,"source_code":"print(1)', b'"}'
    for middle in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"\xe2\x82"):
        assert post(attack.server, head + middle + tail).status_code == 400, middle
    assert post(attack.server, head + b"\\ud800" + tail).status_code == 400
    assert post(attack.server, head + b"\\udc00\\ud800" + tail).status_code == 400
    assert post(attack.server, b"\xef\xbb\xbf" + head + tail).status_code == 400
    assert post(attack.server, head + b"\\u0000" + tail).status_code == 422
    r = post(attack.server, b'{"language_id":71,"source_code":"print(ascii(input()))","stdin":"ab\\ud83d\\ude00\\n"}')
    assert r.status_code == 202, r.text
    attack.host.jobs += 1
    assert attack.result(r.json()["token"]).expect("OK").text == "'ab\\U0001f600'\n"


@row("A05", star=True)
def test_A05_hostile_json(attack):
    long = b"9" * (10 << 20)
    bodies = [b"[" * 100000, b'{"a":' * 100000, b'{"submissions":' + b"[" * 100000 + b"]" * 100000 + b"}",
              b'{"language_id":71,"language_id":71,"source_code":"1"}', b'{"language_id":1e400,"source_code":"1"}',
              b'{"language_id":' + long + b',"source_code":"1"}', b'{"language_id":71,"source_code":"1"} x',
              b'{"language_id":NaN,"source_code":"1"}', b'{"language_id":71,"source_code":"1', b'{"language_id":71,"source_code":"1"',
              b"{", b"[", b'"', b"\\", b"nul", b"-", b"1.", b"1e", b"[1,]", b'{"a":1,}', b"{'a':1}", b"[\x01]"]
    for body in bodies:
        before = resident(attack.server.pid)
        begin = time.monotonic()
        r = post(attack.server, body)
        took = time.monotonic() - begin
        assert r.status_code in (400, 413, 422), (body[:60], r.status_code)
        assert took < 2 * attack.slow, (body[:60], took)
        assert resident(attack.server.pid) - before <= 4 * len(body) + (8 << 20), body[:60]
    files = sorted((ROOT / "tests/data/json-test-suite").rglob("*.json"))
    assert len(files) >= 318
    for f in files:
        r = post(attack.server, f.read_bytes())
        assert 400 <= r.status_code < 500, f
        if f.name.startswith("n_"):
            assert r.status_code == 400, (f, r.text)
        if f.name.startswith("y_"):
            assert r.json()["type"].rsplit("/", 1)[-1] != "invalid-json", (f, r.text)


# ---- framing ----

@row("A06", star=True)
def test_A06_bodies_beyond_the_bound(attack):
    server = attack.server
    head = b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    before = resident(server.pid)
    got, closed = talk(server, head + b"Content-Length: 99999999999\r\n\r\n" + b"x" * 65536)
    assert got == b"" or got.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), got[:200]
    assert closed
    chunk = b"100000\r\n" + b" " * (1 << 20) + b"\r\n"
    with connect(server) as s:
        sent, end = 0, False
        try:
            s.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
            for _ in range(200):
                s.sendall(chunk)
                sent += 1
        except OSError:
            end = True
        assert end or s.recv(100).startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")), sent
    assert resident(server.pid) - before < 64 << 20
    got, closed = talk(server, head + b"Content-Length: 1000\r\n\r\n{}", end=True)
    assert not got.startswith(b"HTTP/1.1 2") and not got.startswith(b"HTTP/1.1 5"), got[:100]
    got, _ = talk(server, head + b"Content-Length: 1\r\n\r\n{}", end=True)
    assert not got.startswith(b"HTTP/1.1 2"), got[:100]


@row("A07", star=True)
def test_A07_slow_and_many_connections(attack, start):
    s = start({"api": {"connections_max": 1024}})
    want = 10000 if attack.full else 2000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, want + 500)), hard))
    idle = []
    try:
        for i in range(min(want, hard - 300)):
            c = socket.socket()
            c.setblocking(False)
            c.connect_ex(("127.0.0.1", int(s.url.rsplit(":", 1)[1])))
            idle.append(c)
        for c in idle[:200]:  # slow headers, slow bodies
            try:
                c.send(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n" + (b"\r\n{" if id(c) % 2 else b""))
            except OSError:
                pass
        assert s.request("GET", "/health").status_code == 200
        assert s.run(71, "print(1)")["stdout"] == "1\n"
        for c in idle[200:300]:  # reset in the middle
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            c.close()
        assert s.run(71, "print(2)")["stdout"] == "2\n"
    finally:
        for c in idle:
            c.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    half = connect(s)
    half.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
    half.shutdown(socket.SHUT_WR)
    assert half.recv(100).startswith(b"HTTP/1.1 200")
    half.close()
    eventually(lambda: "execd_http_connections" not in s.request("GET", "/metrics").text or True, "it still answers")
    dripping = connect(s)
    dripping.sendall(b"GET /livez HTTP/1.1\r\n")
    begin = time.monotonic()
    assert dripping.recv(100) == b"" and time.monotonic() - begin < 60
    dripping.close()


SMUGGLED = b"GET /v1/smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
CL0 = b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
AMBIGUOUS = {
    "length and chunked": CL0 + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": CL0 + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n",
    "two lengths in one": CL0 + b"Content-Length: 0, 44\r\n\r\n",
    "plus": CL0 + b"Content-Length: +5\r\n\r\n",
    "hex": CL0 + b"Content-Length: 0x5\r\n\r\n",
    "octal-looking blank": CL0 + b"Content-Length: 0 5\r\n\r\n",
    "negative": CL0 + b"Content-Length: -1\r\n\r\n",
    "unknown coding": CL0 + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "coding list": CL0 + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "coding twice": CL0 + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    "folded": CL0 + b"Content-Length:\r\n 5\r\n\r\n",
    "blank before the colon": CL0 + b"Content-Length : 44\r\n\r\n",
    "blank in a name": CL0 + b"Content Length: 44\r\n\r\n",
    "nul in a name": CL0 + b"Conte\0nt-Length: 44\r\n\r\n",
    "no colon": CL0 + b"Content-Length\r\n\r\n",
    "chunk size overflow": CL0 + b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n\r\n",
    "chunk size of 17 digits": CL0 + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n\r\n",
    "chunk size negative": CL0 + b"Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
    "body of a GET": b"GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nPOST",
    "chunks of a GET": b"GET /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "body of a DELETE": b"DELETE /v1/jobs/x HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nPOST",
    "bare line feeds": b"POST /v1/jobs HTTP/1.1\nHost: x\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\r\n\r\n",
    "chunk size 0x": CL0 + b"Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n",
}


@row("A08", star=True)
@pytest.mark.parametrize("name", AMBIGUOUS)
def test_A08_request_smuggling(attack, name):
    """Each is refused and the connection ends: what follows on it is never taken for a request."""
    got, closed = talk(attack.server, AMBIGUOUS[name] + SMUGGLED)
    answers = re.findall(rb"HTTP/1\.1 (\d\d\d)", got)
    assert b"smuggled" not in got and len(answers) <= 1, got[:400]
    assert not answers or answers[0] in (b"400", b"413", b"501"), got[:200]
    assert closed, "the connection stays open: %r" % got[:200]


@row("A09", star=True)
def test_A09_environment(attack, start):
    for key in EVIL_ENV + ("A=B", ""):
        refused_naming(attack, "env", {key: "x"})
    s = start(env={k: "/nonexistent/evil.so" for k in EVIL_ENV if k != "PATH"} | {"LD_PRELOAD": "", "LD_AUDIT": ""})
    a = Attack(s, attack.host, "A09", attack.lane, attack.slow)
    programs = {"Py": "import os\nprint(sorted(os.environ))\n", "JS": "console.log(Object.keys(process.env).sort())\n",
                "C": "#include <stdio.h>\nextern char **environ;\nint main(void) { for (char **e = environ; *e; e++) puts(*e); }\n",
                "Java": "public class Main { public static void main(String[] a) { System.out.println(System.getenv().keySet()); } }\n"}
    for language in attack.served(*programs):
        r = a.run(language, source=programs[language]).expect("OK")
        assert "evil" not in r.text and not r.compiled, r.short()
        for key in ("LD_PRELOAD", "LD_AUDIT", "PYTHONSTARTUP", "NODE_OPTIONS", "JAVA_TOOL_OPTIONS", "BASH_ENV", "EXECD"):
            assert key not in r.text, r.text
        assert b"Picked up" not in r.stderr


@row("A10", star=True)
def test_A10_limits_that_are_none(attack):
    for field in ("timeout", "cpu_timeout", "memory_limit"):
        for value in (-1, 0, 1e308, "5", 2**63, 2**64, 0.5, True, [], {}):
            refused_naming(attack, field, value)
    for value in (-1, 0, 1e308, "-1", "NaN", "1e9", "", "0", "0m", 2**63, "99999999999999999999", True):
        refused_naming(attack, "cpu_limit", value)
    refused_naming(attack, "cpu_timeout", 3001)  # more than wall time times cores
    for field in ("processes", "pids", "stack", "unlimited"):
        refused_naming(attack, field, 0)
    for text in (b"NaN", b"Infinity", b"-Infinity"):
        assert post(attack.server, b'{"language_id":71,"source_code":"1","timeout":' + text + b"}").status_code == 400


@row("A11", star=True)
def test_A11_guessing_tokens(attack, start):
    for token in ("../x", "..%2fx", "%00", "a" * 10240, "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "0", "-1", "*", "?", "{execd}", "x%0d%0aA:b"):
        r = attack.server.request("GET", "/v1/jobs/" + token)
        assert 400 <= r.status_code < 500, (token, r.status_code)
    keys = [{"name": n, "key": secrets.token_hex(16)} for n in ("one", "two")]
    s = start({"api": {"keys": keys}})
    one, two = [{"X-Auth-Token": k["key"]} for k in keys]
    r = s.request("POST", "/v1/jobs?wait=30", json={"language_id": 71, "source_code": "print(1)"}, headers=one)
    token = r.json()["token"]
    assert s.request("GET", "/v1/jobs/" + token, headers=one).status_code == 200
    absent = str(uuid.uuid4())
    theirs, none = (s.request("GET", "/v1/jobs/" + t, headers=two) for t in (token, absent))
    assert theirs.status_code == none.status_code == 404
    assert theirs.text.replace(token, "T") == none.text.replace(absent, "T")
    assert s.request("DELETE", "/v1/jobs/" + token, headers=two).status_code == 404

    def times(t):
        begin = time.monotonic()
        s.request("GET", "/v1/jobs/" + t, headers=two)
        return time.monotonic() - begin
    pairs = [(times(token), times(absent)) for _ in range(60)]
    a, b = (statistics.median(x) for x in zip(*pairs))
    assert 1 / 3 < a / b < 3, "medians %g and %g s" % (a, b)


NAMES = ["../x", "/x", ".", "..", "", "a" * 256, "a\nb", "-o", "@x", "a\\b", "A", "a/b"]


@row("A12", star=True)
@pytest.mark.parametrize("field", ["files", "additional_files", "file_name"])
def test_A12_file_names(attack, field):
    """No field of a submission names a file: nobody can name a bad one."""
    for name in NAMES:
        refused_naming(attack, field, name if field == "file_name" else [{"name": name, "content": "x"}])


def archive(*entries):
    import io
    import zipfile
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, body in entries:
            z.writestr(zipfile.ZipInfo(name), body)
    return out.getvalue()


def no_archive(attack, data):
    for field in ("additional_files", "archive", "files"):
        refused_naming(attack, field, b64(data))


@row("A13", star=True)
def test_A13_archive_paths(attack):
    for name in ("../../x", "/etc/x", "..\\x", "C:\\x"):
        no_archive(attack, archive((name, "x")))


@row("A14", star=True)
def test_A14_archive_links(attack):
    import io
    import tarfile
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE):
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as t:
            link = tarfile.TarInfo("out")
            link.type, link.linkname = kind, "/etc"
            t.addfile(link)
            t.addfile(tarfile.TarInfo("out/passwd"), io.BytesIO(b""))
        no_archive(attack, out.getvalue())


@row("A15", star=True)
def test_A15_archive_bombs(attack):
    import gzip
    no_archive(attack, gzip.compress(bytes(10 << 20)))
    no_archive(attack, archive(*[("f%d" % i, "") for i in range(2000)]))
    before = resident(attack.server.pid)
    r = attack.server.request("POST", "/v1/jobs", data=gzip.compress(bytes(64 << 20)), headers=dict(CONTENT, **{"Content-Encoding": "gzip"}))
    assert r.status_code in (400, 415), r.status_code
    assert resident(attack.server.pid) - before < 32 << 20


@row("A16", star=True)
def test_A16_archives_that_lie(attack):
    good = archive(("a", "x"), ("a", "y"))
    for data in (good, good[:-10], good + good, good.replace(b"PK\x01\x02", b"PK\x01\xff"), b"PK\x05\x06" + b"\xff" * 18,
                 b"PK\x06\x06" + b"\xff" * 60):
        no_archive(attack, data)


# ---- logs, keys, queue ----

FORGED = 'x\r\nSet-Cookie: a=b\r\n\r\n2026-01-01T00:00:00.000Z ERROR forged\n\x1b[31m","level":"fatal\x7f\u009b\u2028'


@row("A17", star=True)
def test_A17_log_injection(attack, start):
    big = "A" * (1 << 20)
    for value in (FORGED, big):
        for field in ("problem_id", "callback_url", "priority", "cpu_limit", "language_id", "encoding", "x" + value[:200]):
            r = attack.server.request("POST", "/v1/jobs", json={"language_id": 71, "source_code": "1", field: value})
            assert 200 <= r.status_code < 500 and "\n" not in r.headers.get("X-Request-Id", "")
    attack.run("Py", source="print(1)", problem_id="a\"b\\c", stdin=FORGED, args=[FORGED.replace("\r", "").replace("\x7f", "")]).expect("OK", "RE")
    for header in ("User-Agent", "X-Request-Id", "traceparent", "X-Auth-Token", "Authorization", "X-Forwarded-For"):
        r = attack.server.request("GET", "/health", headers={header: "x\x1b[31m\",\"level\":\"fatal"})
        assert r.status_code in (200, 400, 401)
    for path in ("/v1/jobs/%0d%0aforged", "/%1b[31m", "/\"},{", "/" + "a" * 3000):
        attack.server.request("GET", path)
    # The other format of the log as well.
    s = start({"log": {"format": "json", "level": "debug"}})
    s.request("POST", "/v1/jobs", json={"language_id": 71, "source_code": "1", "problem_id": FORGED})
    s.request("GET", "/v1/jobs/%0d%0aforged", headers={"User-Agent": "\x1b[31m\",\"level\":\"fatal"})
    s.stop()
    for line in s.log_path.read_bytes().split(b"\n"):
        assert not line or json.loads(line)["event"] != "forged"
        assert not re.search(rb"[\x00-\x1f\x7f]", line), line


@row("A18", star=True)
def test_A18_idempotency_keys(attack, start):
    """Eight at once make one job; another body under the key makes none; another tenant's key is another key."""
    mine, other = secrets.token_hex(16), secrets.token_hex(16)
    s = start({"api": {"keys": [{"name": "mine", "key": mine}, {"name": "other", "key": other}]}})
    body = {"language_id": 71, "source_code": "print(1)"}
    key = {"Idempotency-Key": '"%s"' % uuid.uuid4(), "X-Auth-Token": mine}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: requests.post(s.url + "/v1/jobs", json=body, headers=key), range(8)))
    accepted = {r.json()["token"] for r in answers if r.status_code == 202}
    assert len(accepted) == 1 and {r.status_code for r in answers} <= {202, 409}, [r.text for r in answers]
    for path, changed in (("/v1/jobs", dict(body, source_code="print(2)")), ("/submit/batch", {"submissions": [body]})):
        r = s.request("POST", path, json=changed, headers=key)
        assert r.status_code == 422 and r.json()["field"] == "Idempotency-Key", r.text
    for bad in ("x", '"x', '""', '"%s"' % ("x" * 256), '"a", "b"', '"\\n"'):
        r = s.request("POST", "/v1/jobs", json=body, headers=dict(key, **{"Idempotency-Key": bad}))
        assert r.status_code == 400 and r.json()["field"] == "Idempotency-Key", r.text
    theirs = s.request("POST", "/v1/jobs", json=body, headers=dict(key, **{"X-Auth-Token": other}))
    assert theirs.status_code == 202 and theirs.json()["token"] not in accepted
    assert s.request("GET", "/v1/jobs/" + accepted.pop(), headers={"X-Auth-Token": other}).status_code == 404
    eventually(lambda: "execd_jobs_accepted_total 2" in s.request("GET", "/metrics", headers=key).text, "two jobs in all")


@row("A19", star=True)
def test_A19_keys(attack, start):
    key = secrets.token_hex(16)
    s = start({"api": {"keys": [{"name": "main", "key": key}]}})
    body = {"language_id": 71, "source_code": "print(1)"}
    ways = [{}, {"X-Auth-Token": ""}, {"X-Auth-Token": key[:-1]}, {"X-Auth-Token": key + "x"}, {"Authorization": key},
            {"Authorization": "Basic " + key}, {"Authorization": "Bearer"}, {"Authorization": "Bearer  " + key[:-1]},
            {"X-Auth-Token": key.upper()}, {"Cookie": "key=" + key}]
    for headers in ways:
        for method, path in (("POST", "/v1/jobs"), ("GET", "/v1/jobs/" + str(uuid.uuid4())), ("GET", "/languages"), ("GET", "/metrics")):
            r = s.request(method, path, json=body if method == "POST" else None, headers=headers)
            assert r.status_code == 401, (headers, path, r.status_code)
    for query in ("key=", "api_key=", "X-Auth-Token=", "token=", "access_token="):
        assert s.request("POST", "/v1/jobs?" + query + key, json=body).status_code in (400, 401)
    guesses = 20000 if attack.full else 1000
    for _ in range(guesses):
        assert s.request("GET", "/languages", headers={"X-Auth-Token": secrets.token_hex(16)}).status_code in (401, 429)
    assert s.request("GET", "/languages", headers={"X-Auth-Token": key}).status_code == 200
    s.stop()
    assert key not in s.logged()
    assert len(s.logged()) < 400 * guesses + 100000


@row("A20", star=True)
def test_A20_full_queue(attack, start):
    s = start({"queue": {"max_jobs": 50}, "worker": {"slots": 1}})
    job = {"language_id": 71, "source_code": "import time\ntime.sleep(0.02)\nprint(1)\n"}
    accepted, refused = [], 0
    for i in range(300 if not attack.full else 1050):
        r = s.request("POST", "/submit/batch", json={"submissions": [job]})
        if r.status_code == 202:
            accepted += r.json()["tokens"]
        else:
            assert r.status_code in (429, 503) and int(r.headers["Retry-After"]) >= 1, r.text
            refused += 1
    assert refused > 0 and len(accepted) >= 50
    r = s.request("POST", "/submit/batch", json={"submissions": [job] * 60})
    assert r.status_code == 503, r.text
    for t in accepted:
        assert s.result(t)["status"] == "completed"


@row("A21")
def test_A21_format_strings(attack):
    evil = "%n%s%s%p%x%1$n%%{}"
    r = attack.run("Py", source="import sys\nprint(sys.argv[1], input())\n", args=[evil], stdin=evil + "\n", problem_id=evil)
    assert r.expect("OK").text == "%s %s\n" % (evil, evil) and r.json["problem_id"] == evil
    for field in ("priority", "encoding", "cpu_limit", evil):
        p = attack.refused(**{field: evil})
        assert evil in json.dumps(p)
    assert attack.server.request("GET", "/v1/jobs/%25n%25s").status_code == 404
