"""A client's mistakes: named exactly, accepted whole or not at all, and nothing ever crashes."""

import json
import random
import socket
import urllib.parse

import pytest

from conftest import PYTHON

GOOD = {"source_code": "print(1)", "language_id": PYTHON}


def problem(r, status=None):
    assert 400 <= r.status_code < 500, (r.status_code, r.text[:300])
    assert status is None or r.status_code == status, r.text
    assert r.headers["Content-Type"] == "application/problem+json"
    p = r.json()
    assert p["status"] == r.status_code and p["title"] and p["detail"]
    return p


BAD_FIELDS = [
    ({"language_id": PYTHON}, "source_code"),
    ({"source_code": "x"}, "language_id"),
    (dict(GOOD, language_id=9999), "language_id"),
    (dict(GOOD, language_id="71"), "language_id"),
    (dict(GOOD, language_id=71.5), "language_id"),
    (dict(GOOD, source_code=5), "source_code"),
    (dict(GOOD, source_code="x" * (8 << 20)), "source_code"),
    (dict(GOOD, timeout=0), "timeout"),
    (dict(GOOD, timeout=-1), "timeout"),
    (dict(GOOD, timeout=10**12), "timeout"),
    (dict(GOOD, timeout="10"), "timeout"),
    (dict(GOOD, memory_limit=1), "memory_limit"),
    (dict(GOOD, memory_limit=10**9), "memory_limit"),
    (dict(GOOD, cpu_limit="fast"), "cpu_limit"),
    (dict(GOOD, cpu_limit="-200m"), "cpu_limit"),
    (dict(GOOD, priority="urgent"), "priority"),
    (dict(GOOD, stdin=[]), "stdin"),
    (dict(GOOD, args="x"), "args"),
    (dict(GOOD, args=[1]), "args"),
    (dict(GOOD, args=["x"] * 10000), "args"),
    (dict(GOOD, callback_url="ftp://example.org/"), "callback_url"),
    (dict(GOOD, callback_url="not a url"), "callback_url"),
    (dict(GOOD, callback_url="http://user:pw@example.org/"), "callback_url"),
    (dict(GOOD, expected_output=1), "expected_output"),
    (dict(GOOD, sourcecode="x"), "sourcecode"),
]


@pytest.mark.parametrize("item,field", BAD_FIELDS, ids=lambda v: v if isinstance(v, str) else "")
def test_field_is_named(shared, item, field):
    p = problem(shared.request("POST", "/submit/batch", json={"submissions": [GOOD, item, GOOD]}))
    assert field in json.dumps(p.get("field", "")), p
    assert p["item"] == 1, p
    problem(shared.request("POST", "/v1/jobs", json=item))


def test_bound_and_value_are_named(shared):
    p = problem(shared.request("POST", "/v1/jobs", json=dict(GOOD, timeout=987654321)))
    assert "987654321" in json.dumps(p) and p["bound"], p


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b"5", b'"x"', b"{}", b'{"submissions":[]}', b'{"submissions":{}}', b'{"submissions":[5]}',
    b'{"submissions":[{}],"more":1}', b'{"submissions":[{"source_code":"x","source_code":"y","language_id":71}]}',
    b'{"submissions":[{"source_code":"\xff","language_id":71}]}', b'{"submissions":[{"source_code":"\\ud800","language_id":71}]}',
    b"[" * 100000, b'{"a":' * 10000, b'{"submissions":[{"source_code":"x","language_id":71}]} trailing',
    b'{"submissions":[{"source_code":"x","language_id":1e999}]}', b"\xef\xbb\xbf{}", b"\0", b'{"submissions":NaN}',
], ids=range(21))
def test_bodies(shared, body):
    problem(shared.request("POST", "/submit/batch", data=body, headers={"Content-Type": "application/json"}))


def test_too_large_a_body_and_batch(shared):
    r = shared.request("POST", "/submit/batch", json={"submissions": [GOOD] * 20000})
    assert r.status_code in (413, 422), r.text[:300]
    try:
        r = shared.request("POST", "/submit/batch", data=b" " * (200 << 20))
        assert r.status_code == 413
    except Exception as e:  # the connection may be closed before all of it was sent
        assert "onnection" in repr(e) or "roken pipe" in repr(e), e
    assert shared.request("GET", "/health").status_code == 200


def test_nothing_of_a_refused_batch_runs(start):
    s = start()
    for _ in range(3):
        s.request("POST", "/submit/batch", json={"submissions": [GOOD, dict(GOOD, language_id=1)]})
    text = s.request("GET", "/metrics").text
    assert all(line.endswith(" 0") for line in text.splitlines() if line.startswith(("execd_queue_length", "execd_jobs_accepted_total"))), text


@pytest.mark.parametrize("token", ["x", "%00", "..", "%2e%2e%2f", "a" * 5000, "0" * 36, "%ff%fe", "' OR 1"])
def test_tokens(shared, token):
    r = shared.request("GET", "/v1/jobs/" + token)
    assert 400 <= r.status_code < 500


@pytest.mark.parametrize("wait", ["-1", "x", "1e9", "99999999999999999999", "", "%00"])
def test_wait(shared, wait):
    token = shared.submit(GOOD)[0]
    r = shared.request("GET", "/v1/jobs/%s?wait=%s" % (token, wait))
    assert r.status_code in (200, 400, 422)


def raw(server, data, timeout=30):
    u = urllib.parse.urlparse(server.url)
    with socket.create_connection((u.hostname, u.port), timeout=timeout) as s:
        got = b""
        try:  # execd may have closed already, which is an answer too
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            while chunk := s.recv(65536):
                got += chunk
        except OSError:
            pass
    return got


@pytest.mark.parametrize("data", [
    b"\0" * 1000, b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET /\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /submit/batch HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
    b"POST /submit/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST /submit/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n",
    b"POST /submit/batch HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nshort",
    b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 20000 + b"\r\n", b"GET /" + b"a" * 200000 + b" HTTP/1.1\r\n\r\n",
], ids=range(10))
def test_raw_http(shared, data):
    raw(shared, data)
    assert shared.request("GET", "/health").status_code == 200


def test_random_mutations_never_crash(shared):
    rng = random.Random(1)
    base = json.dumps({"submissions": [dict(GOOD, stdin="x", args=["a"], timeout=1000, memory_limit=64, priority="low")]}).encode()
    pid = shared.pid
    for _ in range(400):
        body = bytearray(base)
        for _ in range(rng.randint(1, 6)):
            i = rng.randrange(len(body))
            body[i:i + rng.randint(0, 3)] = bytes(rng.choice(b'{}[]":,\\\0\xff019eE.-+ tn') for _ in range(rng.randint(0, 3)))
        r = shared.request("POST", "/submit/batch", data=bytes(body), headers={"Content-Type": "application/json"})
        assert r.status_code in (202, 400, 413, 422), (body, r.text)
    assert shared.process.poll() is None and shared.pid == pid
