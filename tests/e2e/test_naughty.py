"""Data that breaks readers: JSONTestSuite and the big list of naughty strings, through the HTTP API.

Whatever a client sends: never a crash, never a 5xx, never our fault in a verdict; and what a program is given
reaches it byte for byte, in every language.  EXECD_NAUGHTY_ALL=1 runs every string as a program in each, which takes
several minutes; without it every 5th as Python, 10th as JavaScript, 15th as C, 50th as Java.
"""

import base64
import http.client
import json
import os
import time
import urllib.parse

import pytest

from conftest import C, JAVA, NODE, PYTHON, ROOT

ALL = bool(os.environ.get("EXECD_NAUGHTY_ALL"))
SUITE = sorted((ROOT / "tests/data/json-test-suite/test_parsing").glob("*.json"))
STRINGS = json.loads((ROOT / "tests/data/blns/blns.json").read_text())
JSON = {"Content-Type": "application/json"}
REQUEST_SECONDS = 20  # of one request on a busy machine
PACK = 60  # strings that one job gets
ENDS = {"completed", "wrong_answer", "compile_error", "runtime_error", "time_limit_exceeded", "memory_limit_exceeded",
        "output_limit_exceeded"}

# Each prints its arguments, a NUL behind each, and then its input.
ECHO = {
    PYTHON: "import os, sys\nout = sys.stdout.buffer\nfor a in sys.argv[1:]: out.write(os.fsencode(a) + b'\\0')\n"
            "out.write(sys.stdin.buffer.read())\n",
    NODE: "const fs = require('fs');\nconst args = process.argv.slice(2).map(a => a + '\\0').join('');\n"
          "fs.writeSync(1, Buffer.concat([Buffer.from(args), fs.readFileSync(0)]));\n",
    C: "#include <stdio.h>\n#include <string.h>\nint main(int n, char **a) {\n  for (int i = 1; i < n; i++) "
       "fwrite(a[i], 1, strlen(a[i]) + 1, stdout);\n  for (int c; (c = getchar()) != EOF;) putchar(c);\n}\n",
    JAVA: "import java.nio.charset.StandardCharsets;\nclass Echo {\n  public static void main(String[] args) throws "
          "Exception {\n    for (String a : args) { System.out.write(a.getBytes(StandardCharsets.UTF_8)); "
          "System.out.write(0); }\n    System.in.transferTo(System.out);\n    System.out.flush();\n  }\n}\n",
}


def name(value):
    return value.stem if hasattr(value, "stem") else None


def post(server, path, body, **headers):
    begun = time.monotonic()
    r = server.request("POST", path, data=body, headers=dict(JSON, **headers))
    assert time.monotonic() - begun < REQUEST_SECONDS, (path, body[:100])
    assert r.status_code < 500, (r.status_code, body[:200], r.text[:500])
    if r.status_code >= 400:
        assert r.headers["Content-Type"] == "application/problem+json", (body[:200], r.text[:300])
        assert r.json()["status"] == r.status_code
    return r


def alive(server, pid):
    assert server.process.poll() is None and server.pid == pid
    assert server.request("GET", "/health").status_code == 200


def results(server, submissions):
    """All of them run, in batches; each ends by what it is."""
    tokens = []
    for i in range(0, len(submissions), 500):
        r = post(server, "/submit/batch", json.dumps({"submissions": submissions[i:i + 500]}))
        assert r.status_code == 202, r.text[:500]
        tokens += r.json()["tokens"]
    found = [server.result(t) for t in tokens]
    for s, j in zip(submissions, found):
        assert j["status"] in ENDS, (s, j)
    return found


# ---- JSONTestSuite: n_ is no JSON, y_ is, i_ may be either -----------------------------------------------


def test_the_suites_are_whole():
    assert len(SUITE) == 318 and len(STRINGS) == 515


def verdict_fits(file, r):
    kind = file.name[0]
    problem = r.json()
    assert 400 <= r.status_code < 500, (file.name, r.text[:300])
    no_json = problem["type"] == "urn:execd:problem:invalid-json"
    if kind == "n":
        assert r.status_code == 400, (file.name, r.text[:300])
    if kind == "y":
        assert not no_json, (file.name, r.text[:300])


@pytest.mark.parametrize("path", ["/submit/batch", "/v1/jobs"])
def test_json_suite_as_body(shared, path):
    """None of them is a submission, so each is refused; but only what is no JSON is refused as that."""
    pid = shared.pid
    for file in SUITE:
        verdict_fits(file, post(shared, path, file.read_bytes()))
    alive(shared, pid)


@pytest.mark.parametrize("field", ["source_code", "stdin", "args", "timeout", "language_id", "priority", "more"])
def test_json_suite_within_a_submission(shared, field):
    """As the raw value of a field: mostly of the wrong type, always named or refused as no JSON."""
    pid = shared.pid
    tokens = []
    for file in SUITE:
        value = file.read_bytes()
        fields = {"source_code": b'""', "language_id": b"%d" % PYTHON, "timeout": b"2000", field: value}
        body = b"{%s}" % b",".join(b'"%s":%s' % (k.encode(), v) for k, v in fields.items())
        r = post(shared, "/v1/jobs", body)
        if r.status_code == 202:
            tokens.append(r.json()["token"])
        elif file.name[0] == "n" and r.status_code != 400:
            json.loads(body)  # a fragment that is JSON with what stands around it
    for t in tokens:
        assert shared.result(t)["status"] in ENDS
    alive(shared, pid)


def test_json_suite_as_content(shared):
    """As bytes in base64: the input of one program after another, and an answer that is expected."""
    texts = [f.read_bytes() for f in SUITE]
    small = [t for t in texts if len(t) < 4096]
    joined = [b"\0".join(small[i:i + PACK]) for i in range(0, len(small), PACK)] + [t for t in texts if len(t) >= 4096]
    encode = lambda b: base64.b64encode(b).decode()
    jobs = [{"encoding": "base64", "language_id": language, "source_code": encode(ECHO[language].encode()),
             "stdin": encode(b), "expected_output": encode(b)} for language in ECHO for b in joined]
    for s, j in zip(jobs, results(shared, jobs)):
        assert j["status"] == "completed" and output(j) == base64.b64decode(s["stdin"]), j["status"]


def test_json_suite_as_source(shared):
    step = 1 if ALL else 6
    results(shared, [{"encoding": "base64", "language_id": language, "timeout": 5000,
                      "source_code": base64.b64encode(f.read_bytes()).decode()}
                     for language in (PYTHON, NODE) for f in SUITE[::step] if f.stat().st_size < 4096])


def ask(server, method, path, headers):
    """Bytes as they are, which `requests` would not send."""
    u = urllib.parse.urlparse(server.url)
    c = http.client.HTTPConnection(u.hostname, u.port, timeout=REQUEST_SECONDS)
    try:
        c.putrequest(method, path, skip_accept_encoding=True)
        for k, v in headers.items():
            c.putheader(k, v)
        c.endheaders()
        r = c.getresponse()
        r.read()
        return r.status
    finally:
        c.close()


def test_everything_in_names_headers_and_queries(shared):
    pid = shared.pid
    things = [f.read_bytes()[:1500] for f in SUITE] + [s.encode()[:1500] for s in STRINGS]
    token = shared.submit({"source_code": "", "language_id": PYTHON})[0]
    shared.result(token)
    for thing in things:
        quoted = urllib.parse.quote(thing, safe="")
        header = bytes(b for b in thing if b not in b"\r\n\0")
        assert ask(shared, "GET", "/v1/jobs/" + quoted, {}) < 500, thing
        assert ask(shared, "GET", "/v1/jobs/%s?wait=%s&%s=1" % (token, quoted, quoted), {}) < 500, thing
        assert ask(shared, "GET", "/languages", {"X-Request-Id": header, "Authorization": header, "Accept": header}) < 500, thing
        assert ask(shared, "DELETE", "/" + quoted, {"Content-Type": header}) < 500, thing
    alive(shared, pid)


def test_naughty_names_of_members(shared):
    for s in STRINGS:
        r = post(shared, "/v1/jobs", json.dumps({"source_code": "", "language_id": PYTHON, s: s}))
        assert r.status_code == 422, (s, r.text[:300])  # an unknown field, and named
        assert r.json()["field"] or s == "", (s, r.text[:300])


# ---- the naughty strings ---------------------------------------------------------------------------------


def output(j):
    out = j["stdout"]
    return base64.b64decode(out) if j.get("stdout_encoding") == "base64" else out.encode()


@pytest.mark.parametrize("language", ECHO)
def test_strings_reach_a_program_and_return(shared, language):
    packs = [STRINGS[i:i + PACK] for i in range(0, len(STRINGS), PACK)]
    jobs, want = [], []
    for pack in packs:
        echoed = "".join(s + "\0" for s in pack) + "\n".join(pack)
        want.append(echoed.encode())
        jobs.append({"source_code": ECHO[language], "language_id": language, "args": pack, "stdin": "\n".join(pack),
                     "expected_output": echoed.replace("\0", "")})
    for j, echoed in zip(results(shared, jobs), want):
        assert output(j) == echoed


@pytest.mark.parametrize("language,step", [(PYTHON, 5), (NODE, 10), (C, 15), (JAVA, 50)])
def test_strings_are_programs_and_all_the_rest(shared, language, step):
    pid = shared.pid
    jobs = [{"source_code": s, "language_id": language, "args": [s], "stdin": s, "expected_output": s, "timeout": 5000,
             "problem_id": s.encode()[:200].decode(errors="ignore")} for s in STRINGS[::1 if ALL else step]]
    for s, j in zip(jobs, results(shared, jobs)):
        assert j["problem_id"] == s["problem_id"]
    alive(shared, pid)
