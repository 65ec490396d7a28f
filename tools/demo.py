#!/usr/bin/python3
"""Starts execd with everything it has, submits a sample batch, receives its webhooks, prints one table.

usage: demo.py --execd FILE [--once] [--port N] [--state DIR] [--config FILE] [--sudo]

Without --once it goes on serving until Ctrl-C.  Exit status 0 only if every row is as expected.
"""

import argparse
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request

C_SUM = r"""
#include <stdio.h>
int main(void)
{
    long n, sum = 0;
    while (scanf("%ld", &n) == 1)
        sum += n;
    printf("sum %ld\n", sum);
    return 0;
}
"""
JAVA_SUM = """
import java.util.Scanner;
public class Sum {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        long sum = 0;
        while (in.hasNextLong()) sum += in.nextLong();
        System.out.println("sum " + sum);
    }
}
"""
FORK_BOMB = """
import os, time
children = 0
try:
    while True:
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
        children += 1
except OSError as e:
    print("stopped:", e.strerror)
"""
NUMBERS = "19 4 19\n"
JS_SUM = ("const t = require('fs').readFileSync(0, 'utf8').split(/\\s+/).map(Number);\n"
          "console.log('sum ' + t.reduce((a, b) => a + b, 0));\n")

# (title, language name, submission, expected status, what stdout must begin with)
ROWS = [
    ("sum of stdin", "Python", {"language_id": 71, "stdin": NUMBERS,
     "source_code": "import sys\nprint('sum', sum(map(int, sys.stdin.read().split())))\n"}, "completed", "sum 42"),
    ("sum of stdin", "JavaScript", {"language_id": 63, "stdin": NUMBERS, "source_code": JS_SUM}, "completed", "sum 42"),
    ("sum of stdin", "C", {"language_id": 50, "stdin": NUMBERS, "source_code": C_SUM}, "completed", "sum 42"),
    ("sum of stdin", "Java", {"language_id": 62, "stdin": NUMBERS, "source_code": JAVA_SUM}, "completed", "sum 42"),
    ("compile error", "C", {"language_id": 50, "source_code": "int main(void) { return forgotten; }\n"}, "compile_error", ""),
    ("run-time error", "Python", {"language_id": 71, "source_code": "print(1 // 0)\n"}, "runtime_error", ""),
    ("endless loop", "JavaScript", {"language_id": 63, "source_code": "for (;;);\n", "timeout": 1000},
     "time_limit_exceeded", ""),
    ("memory hog", "Python", {"language_id": 71, "source_code": "b = bytearray(1 << 30)\nprint(len(b))\n",
                              "memory_limit": 64}, "memory_limit_exceeded", ""),
    ("fork bomb", "Python", {"language_id": 71, "source_code": FORK_BOMB}, "completed", "stopped:"),
]


class Receiver(http.server.ThreadingHTTPServer):
    """Collects one delivery a token."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.changed = threading.Condition()
        self.deliveries = {}

    def wait_for(self, tokens, seconds, progress):
        def complete():
            progress(len(self.deliveries))
            return all(t in self.deliveries for t in tokens)
        with self.changed:
            self.changed.wait_for(complete, seconds)
            return dict(self.deliveries)


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()
        with self.server.changed:
            self.server.deliveries[body["token"]] = body
            self.server.changed.notify_all()

    def log_message(self, *args):
        pass


def progress(text):
    """One line that overwrites itself; nothing in a pipe."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def start_execd(o):
    command = ["sudo", "--preserve-env=EXECD_HOOK_ALLOW_PRIVATE,EXECD_LOG_LEVEL"] if o.sudo else []
    command += [o.execd, "--port", str(o.port), "--state", o.state]
    if o.config:
        command += ["--config", o.config]
    # The receiver of this demonstration is on loopback, which the guard against SSRF refuses otherwise.
    env = dict(os.environ, EXECD_HOOK_ALLOW_PRIVATE="true")
    env.setdefault("EXECD_LOG_LEVEL", "warn")  # the table is what there is to see
    progress("starting execd")
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    line = child.stdout.readline()
    progress("")
    prefix = "execd ready on "
    if not line.startswith(prefix):
        child.wait()
        sys.exit("execd did not start (status %d); its reason is above" % child.returncode)
    print(line, end="", flush=True)
    return child, line[len(prefix):].strip()


def submit(url, callback):
    items = [dict(row[2], callback_url=callback, problem_id="demo-%d" % i) for i, row in enumerate(ROWS)]
    request = urllib.request.Request(url + "/submit/batch", json.dumps({"submissions": items}).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)["tokens"]
    except urllib.error.HTTPError as e:
        sys.exit("the batch was refused: " + e.read().decode(errors="replace"))


def output_of(d):
    text = d["stdout"] or d["compile_output"] or d["stderr"] or ""
    lines = [line for line in text.splitlines() if line.strip()]
    if d["status"] in ("runtime_error", "compile_error") and lines:
        lines = [next((x for x in lines if "rror" in x and ":" in x), lines[-1])]
    return (lines[0] if lines else "")[:48]


def table(tokens, deliveries):
    good = True
    head = ("language", "program", "verdict", "time", "memory", "output")
    rows = [head]
    for (title, language, _, status, start), token in zip(ROWS, tokens):
        d = deliveries.get(token)
        if d is None:
            rows.append((language, title, "NO WEBHOOK", "", "", ""))
            good = False
            continue
        ok = d["status"] == status and (d["stdout"] or "").startswith(start)
        good = good and ok
        rows.append((language, title, d["status"] + ("" if ok else " (expected %s)" % status),
                     "%.0f ms" % (d["execution_time"] or 0), "%.1f MB" % ((d["memory"] or 0) / 2**20), output_of(d)))
    widths = [max(len(r[i]) for r in rows) for i in range(len(head))]
    for i, row in enumerate(rows):
        print("  ".join(cell.rjust(w) if head[c] in ("time", "memory") else cell.ljust(w)
                        for c, (cell, w) in enumerate(zip(row, widths))).rstrip())
        if i == 0:
            print("  ".join("-" * w for w in widths))
    sys.stdout.flush()
    return good


def options():
    p = argparse.ArgumentParser()
    p.add_argument("--execd", required=True)
    p.add_argument("--once", action="store_true")
    p.add_argument("--port", type=int, default=2358)
    p.add_argument("--state", required=True)
    p.add_argument("--config")
    p.add_argument("--sudo", action="store_true", help="start execd as root; it gives its privileges up by itself")
    return p.parse_args()


def stopped(*_):
    raise KeyboardInterrupt


def main():
    o = options()
    signal.signal(signal.SIGTERM, stopped)
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    child, url = start_execd(o)
    good = False
    try:
        tokens = submit(url, "http://127.0.0.1:%d/" % receiver.server_address[1])
        deliveries = receiver.wait_for(tokens, 120, lambda n: progress("%d of %d jobs done" % (n, len(tokens))))
        progress("")
        good = table(tokens, deliveries)
        if not o.once:
            print("serving on %s until Ctrl-C" % url, flush=True)
            child.wait()
    except KeyboardInterrupt:
        progress("")
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    code = child.wait()
    receiver.shutdown()
    sys.exit(0 if good and code == 0 else 1)


if __name__ == "__main__":
    main()
