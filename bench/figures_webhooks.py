"""Webhooks: from the result to the receiver, alone and beside an endpoint that answers nobody."""

import http.server
import json
import socket
import statistics
import threading
import time
import urllib.request

from server import BUILD, PATIENCE, Server, Tool
from table import Line, quantile

CONF = "hook = { allow_private = true; timeout_ms = 2000; };\n"
BATCH = 500


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen_at = time.monotonic()
        self.server.seen.release()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args):
        pass


def submit(server, url, count):
    body = {"submissions": [{"language_id": 71, "source_code": "print(1)", "callback_url": url}] * count}
    request = urllib.request.Request("http://127.0.0.1:%d/submit/batch" % server.port, json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        answer.read()


def delays(server, tool, receiver, count):
    """Milliseconds from a claim to the delivery of what became of it, one after the other."""
    url = "http://127.0.0.1:%d/" % receiver.server_address[1]
    found = []
    submit(server, url, count)
    for _ in range(count):
        begin = time.monotonic()
        tool.ask("1")
        if not receiver.seen.acquire(timeout=PATIENCE):
            raise RuntimeError("a webhook did not come")
        found.append((receiver.seen_at - begin) * 1e3)
    return found


def webhooks(bench):
    if not bench.wants("webhook"):
        return
    dead = 10000 if not bench.quick else 2000
    bench.say("webhooks beside {:,} that nobody takes".format(dead))
    receiver = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    receiver.daemon_threads = True
    receiver.seen = threading.Semaphore(0)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    pairs = []
    with socket.socket() as mute, Server(bench.work / "beside", roles="api,hook", conf=CONF) as beside, \
            Server(bench.work / "alone", roles="api,hook", conf=CONF) as alone:
        mute.bind(("127.0.0.1", 0))
        mute.listen(4096)  # the kernel takes connections, and that is all
        urls = ["unix:%s/state/redis.sock" % s.directory for s in (beside, alone)]
        with Tool(BUILD / "bench/bench-queue", urls[0], 71) as a, Tool(BUILD / "bench/bench-queue", urls[1], 71) as b:
            for _ in range(dead // BATCH):
                submit(beside, "http://127.0.0.1:%d/" % mute.getsockname()[1], BATCH)
            a.ask(str(dead))
            for _ in range(bench.rounds(9)):
                pairs.append([delays(beside, a, receiver, 200), delays(alone, b, receiver, 200)])
    receiver.shutdown()
    receiver.server_close()
    ours, theirs = ([d for pair in pairs for d in pair[i]] for i in (0, 1))
    bench.add(Line.ratio("webhook.beside", "a webhook's way, p50: beside {:,} to an endpoint that answers nobody / alone".format(dead),
                         [[statistics.median(side) for side in pair] for pair in pairs], most=1.2,
                         detail="claim, result and delivery, one at a time: {:.2f} / {:.2f} ms, p99 {:.1f} / {:.1f} ms".format(
                             statistics.median(ours), statistics.median(theirs), quantile(ours, 0.99), quantile(theirs, 0.99))))
