"""The whole of execd on this machine: embedded Redis, HTTP, cells on cgroup v2, verdicts, a clean end."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request

ROWS = [  # (source, fields, expected status)
    ("print(6 * 7)", {}, "completed"),
    ("import sys\nsys.exit(3)", {}, "runtime_error"),
    ("while True: pass", {"timeout": 1500}, "time_limit_exceeded"),
    ("b = bytearray(1 << 29)\nprint(len(b))", {"memory_limit": 64}, "memory_limit_exceeded"),
    ("import os\nwhile True: os.fork()", {"timeout": 4000}, None),
]


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=120) as answer:
        return json.load(answer)


def main():
    directory = tempfile.mkdtemp()
    conf = os.path.join(directory, "execd.conf")
    with open(conf, "w") as f:
        f.write('plugins = ( { file = "lang-python.so"; } );\n')
        # A slow, emulated processor: heartbeats have time.
        f.write("queue = { lease_ms = 60000; };\n")
        if os.getuid() != 0:
            f.write('worker = { accept_missing = ( "uid" ); };\n')
    child = subprocess.Popen(["/opt/execd/execd", "--config", conf, "--port", "0", "--state",
                              os.path.join(directory, "state")], stdout=subprocess.PIPE, text=True)
    try:
        good = use(child.stdout.readline())
    finally:
        child.send_signal(signal.SIGTERM)
        code = child.wait(60)
        print("execd ended with", code)
    sys.exit(0 if good and code == 0 else 1)


def use(line):
    assert line.startswith("execd ready on "), line
    url = line.split(" on ")[1].strip()
    items = [dict(fields, source_code=source, language_id=71) for source, fields, _ in ROWS]
    tokens = call(url + "/submit/batch", {"submissions": items})["tokens"]
    good = True
    for token, (source, _, status) in zip(tokens, ROWS):
        job = {"status": "queued"}
        while job["status"] in ("queued", "running"):
            job = call(url + "/v1/jobs/%s?wait=30" % token)
        print(job["status"], repr(source[:30]), job["memory"], job["cpu_time"], flush=True)
        if status is not None and job["status"] != status:
            good = False
            print("ERROR expected", status, job)
    return good


main()
