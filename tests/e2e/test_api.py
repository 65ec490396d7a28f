"""The seed's API and the native one, as a client meets them."""

import base64
import json
import re
import time
import uuid

import pytest

from conftest import C, JAVA, NODE, PYTHON, eventually

HELLO = {
    PYTHON: "print('Hello, World!')\n",
    NODE: "console.log('Hello, World!')\n",
    C: '#include <stdio.h>\nint main(void) { puts("Hello, World!"); return 0; }\n',
    JAVA: 'class Hello { public static void main(String[] a) { System.out.println("Hello, World!"); } }\n',
}
ECHO = {
    PYTHON: "import sys\nprint(sys.argv[1:], sys.stdin.read())\n",
    NODE: "console.log(process.argv.slice(2), require('fs').readFileSync(0, 'utf8'))\n",
    C: '#include <stdio.h>\nint main(int c, char **v) { for (int i = 1; i < c; i++) puts(v[i]); int k; '
       'while ((k = getchar()) != EOF) putchar(k); return 0; }\n',
    JAVA: 'public class Echo { public static void main(String[] a) throws Exception { for (String s : a) '
          'System.out.println(s); System.in.transferTo(System.out); } }\n',
}


def test_seed_batch(shared):
    """The seed's own example, word for word."""
    r = shared.request("POST", "/submit/batch", json={"submissions": [
        {"source_code": "print('Hello, World!')", "language_id": 71, "problem_id": "prob-123",
         "timeout": 10000, "memory_limit": 512}] * 3})
    assert r.status_code == 202
    tokens = r.json()["tokens"]
    assert len(set(tokens)) == 3
    for t in tokens:
        assert uuid.UUID(t).version == 4
        j = shared.result(t)
        assert (j["token"], j["status"], j["stdout"], j["stderr"], j["exit_code"]) == (
            t, "completed", "Hello, World!\n", "", 0)
        assert j["problem_id"] == "prob-123" and j["execution_time"] > 0


def test_health(shared):
    r = shared.request("GET", "/health")
    assert r.status_code == 200
    assert r.json()["status"] == "healthy"
    assert len(r.json()) > 1, "it names the parts that it checked"


@pytest.mark.parametrize("language", HELLO)
def test_hello(shared, language):
    j = shared.run(language, HELLO[language])
    assert (j["status"], j["stdout"], j["exit_code"]) == ("completed", "Hello, World!\n", 0), j


@pytest.mark.parametrize("language", ECHO)
def test_stdin_and_args(shared, language):
    j = shared.run(language, ECHO[language], stdin="some input\n", args=["one", "two words"])
    assert j["status"] == "completed", j
    assert "one" in j["stdout"] and "two words" in j["stdout"] and "some input" in j["stdout"]


def test_every_field_of_a_result(shared):
    j = shared.run(PYTHON, "print(1)\n", timeout=3000, memory_limit=128, cpu_limit="500m", priority="high",
                   problem_id="p")
    for key in ("token", "status", "stdout", "stderr", "compile_output", "exit_code", "signal", "execution_time",
                "cpu_time", "memory", "limits", "created_at", "started_at", "finished_at", "problem_id"):
        assert key in j, key
    for key in ("stdout", "stderr", "compile_output"):
        assert j[key + "_encoding"] == "utf-8" and j[key + "_truncated"] is False
    assert j["signal"] is None and j["exit_code"] == 0
    assert 0 < j["cpu_time"] < 3000 and 1 << 18 < j["memory"] <= 128 << 20  # what a fork of a zygote has of its own is little
    assert "3000" in json.dumps(j["limits"]) and "500" in json.dumps(j["limits"])
    assert j["created_at"] <= j["started_at"] <= j["finished_at"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", j["finished_at"])


def test_one_submission_and_long_poll(shared):
    r = shared.request("POST", "/v1/jobs", json={"source_code": "import time\ntime.sleep(0.5)\nprint(3)",
                                                 "language_id": PYTHON})
    assert r.status_code in (201, 202) and r.json()["status"] == "queued"
    begun = time.monotonic()
    j = shared.request("GET", "/v1/jobs/%s?wait=30" % r.json()["token"]).json()
    assert j["status"] == "completed" and time.monotonic() - begun < 29


def test_wait_answers_at_its_end(shared):
    token = shared.submit({"source_code": "import time\ntime.sleep(4)", "language_id": PYTHON})[0]
    j = shared.request("GET", "/v1/jobs/%s?wait=1" % token).json()
    assert j["status"] in ("queued", "running") and j["exit_code"] is None
    assert shared.result(token)["status"] == "completed"


def test_unknown_token(shared):
    r = shared.request("GET", "/v1/jobs/" + str(uuid.uuid4()))
    assert r.status_code == 404 and r.headers["Content-Type"] == "application/problem+json"


def test_languages(shared):
    offered = shared.request("GET", "/languages").json()
    offered = offered if isinstance(offered, list) else offered["languages"]
    by_id = {x["id"]: json.dumps(x) for x in offered}
    assert set(by_id) == {PYTHON, NODE, C, JAVA}
    assert re.search(r"3\.\d+", by_id[PYTHON]) and re.search(r"\d+\.\d+", by_id[C])


def test_cancel_queued_and_running(shared):
    token = shared.submit({"source_code": "while True: pass", "language_id": PYTHON, "timeout": 30000})[0]
    r = shared.request("DELETE", "/v1/jobs/" + token)
    assert r.status_code in (200, 202), r.text
    assert shared.result(token)["status"] == "cancelled"
    assert shared.request("DELETE", "/v1/jobs/" + token).status_code == 409


def test_cancel_of_a_running_job_does_not_wait_for_its_lease(shared):
    token = shared.submit({"source_code": "while True: pass", "language_id": PYTHON, "timeout": 50000})[0]
    eventually(lambda: shared.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    begun = time.monotonic()
    shared.request("DELETE", "/v1/jobs/" + token)
    j = shared.result(token)
    assert j["status"] == "cancelled" and j["attempt"] == 1
    assert time.monotonic() - begun < 12  # a heartbeat is 3 s, a lease 15 s


def test_no_byte_is_lost(shared):
    every = bytes(range(256)) * 4
    j = shared.run(PYTHON, "import sys\nsys.stdout.buffer.write(bytes(range(256)) * 4)\nsys.stderr.write('a\\0b\\u20ac')\n")
    assert j["stdout_encoding"] == "base64" and base64.b64decode(j["stdout"]) == every
    assert j["stderr_encoding"] == "utf-8" and j["stderr"] == "a\0b\u20ac"


def test_base64_input(shared):
    raw = bytes(range(256))
    j = shared.run(PYTHON, base64.b64encode(b"import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())").decode(),
                   stdin=base64.b64encode(raw).decode(), encoding="base64")
    assert base64.b64decode(j["stdout"]) == raw


def test_large_stdin_goes_through(shared):
    text = "x" * 99 + "\n"
    j = shared.run(PYTHON, "import sys\nprint(len(sys.stdin.read()))", stdin=text * 5000)
    assert j["stdout"] == "500000\n"
    assert shared.run(PYTHON, "print('does not read')", stdin=text * 5000)["status"] == "completed"


def test_metrics(shared):
    shared.run(PYTHON, "print(1)")
    text = shared.request("GET", "/metrics").text
    for name in ("execd_queue_length", "execd_workers", "execd_worker_cpu", "execd_worker_memory_bytes",
                 "_bucket{", "execd_jobs_total", "success"):
        assert name in text, name
    for line in text.splitlines():
        assert line.startswith("# ") or re.fullmatch(r'[a-z_]+(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? [0-9.e+-]+|.*(\+Inf|NaN)', line), line


def test_unknown_route_and_method(shared):
    assert shared.request("GET", "/nowhere").status_code == 404
    r = shared.request("PUT", "/health")
    assert r.status_code == 405 and "GET" in r.headers["Allow"]
