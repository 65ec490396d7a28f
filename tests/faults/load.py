"""Clients: each submits unique jobs, follows them to their end and remembers every answer.  And the webhooks' receiver."""

import http.client
import http.server
import json
import queue
import socket
import threading
import time
import urllib.parse
from dataclasses import dataclass, field

SOURCE = r"""#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(void)
{
    int ms, fill;
    char id[64], text[1001];
    if (scanf("%d %d %63s", &ms, &fill, id) != 3)
        return 1;
    usleep(ms * 1000);
    puts(id);
    memset(text, 'x', 1000);
    for (text[1000] = 0; fill > 0; fill--)
        fputs(text, stdout);
    return 0;
}
"""
C = 50
HOOK_PORT = 6900
DAWDLE = (0, 0, 0, 20, 50, 100, 200, 300)  # ms that jobs take, each as often
BEYOND_LEASE = 0.01  # of jobs outlive a lease, so that it must be extended


@dataclass
class Job:
    id: str
    ms: int
    callback: bool
    token: str = ""
    sent: float = 0.0  # when it was submitted
    accepted: float = 0.0  # when the 202 was read
    answers: list = field(default_factory=list)  # bodies with a terminal status, as they were read
    missing: int = 0  # 404s


class Clients:
    """`pace` jobs a second in all, at most `backlog` of them unfinished.  `keys`: each request has an Idempotency-Key, and is
    made until it is answered.  `short`: none of them takes longer than it must."""

    def __init__(self, fleet, rng, receiver=None, pace=100, backlog=300, threads=3, callbacks=0.3, keys=False, short=False):
        self.fleet, self.rng, self.receiver = fleet, rng, receiver
        self.pace, self.backlog, self.callbacks, self.keys, self.short = pace, backlog, callbacks, keys, short
        self.repeats = 0  # requests that were made again because nobody knew of them
        self.lock = threading.Lock()
        self.jobs = {}  # token -> Job: what was answered with 202
        self.unsure_batches = []  # ids that were sent together, and of which nobody knows
        self.refused, self.refusals = 0, []  # jobs; (seconds, status) of each answer that was no 202
        self.begun, self.wanted, self.made, self.open = time.monotonic(), 0, 0, 0
        self.sending = 0  # batches that have no answer yet
        self.ending = self.over = False
        self.following = queue.Queue()
        self.threads = [threading.Thread(target=self._submit_all, daemon=True) for _ in range(threads)]
        self.threads += [threading.Thread(target=self._follow_all, daemon=True) for _ in range(4 * threads)]
        for t in self.threads:
            t.start()

    # ---- orders of the harness ----

    def run(self, count):
        """So many jobs more are to be accepted; returns at once."""
        with self.lock:
            self.begun = time.monotonic() - self.made / self.pace
            self.wanted += count
        return self

    def submitted(self, seconds=300):
        """Waits until all were submitted, and answered."""
        end = time.monotonic() + seconds
        while (self.made < self.wanted or self.sending) and time.monotonic() < end:
            time.sleep(0.02)
        return self.made >= self.wanted and not self.sending

    def finished(self, seconds):
        """Waits until each that was accepted was seen at its end; how many were not."""
        end = time.monotonic() + seconds
        while self.open > 0 and time.monotonic() < end:
            time.sleep(0.02)
        return self.open

    def stop(self):
        self.over = True
        for t in self.threads:
            t.join(30)

    # ---- HTTP ----

    def _connection(self, old, timeout=20):
        urls = self.fleet.urls()
        if old is not None and old.where in urls:
            return old
        if old is not None:
            old.close()
        if not urls:
            return None
        url = urls[self.rng.randrange(len(urls))]
        c = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=timeout)
        c.where = url
        return c

    @staticmethod
    def _ask(c, method, path, body=None, key=None):
        """key: of the request, for who does not know whether it was heard."""
        c.request(method, path, body, {**({"Content-Type": "application/json"} if body else {}),
                                       **({"Idempotency-Key": '"%s"' % key} if key else {})})
        r = c.getresponse()
        return r.status, r.read()

    # ---- submissions ----

    def _batch(self):
        """The next few jobs, or none at this moment."""
        with self.lock:
            due = min(self.wanted, int((time.monotonic() - self.begun) * self.pace)) - self.made
            n = min(due, self.rng.randint(1, 20), self.backlog - self.open)
            if n <= 0:
                return []
            jobs = [Job("j%06d" % (self.made + i), self._ms(), self.rng.random() < self.callbacks)
                    for i in range(n)]
            self.made += n
            self.sending += 1
            return jobs

    def _ms(self):
        if self.short:
            return 0
        if self.rng.random() < BEYOND_LEASE:
            return self.fleet.lease_ms * 3 // 2
        return self.rng.choice(DAWDLE)

    def submission(self, job, **fields):
        s = {"language_id": C, "source_code": SOURCE, "stdin": "%d 0 %s\n" % (job.ms, job.id), "timeout": 20000}
        if job.callback and self.receiver is not None:
            s["callback_url"] = self.receiver.url
        return dict(s, **fields)

    def _submit_all(self):
        c = None
        while not self.over:
            jobs = self._batch()
            if not jobs:
                time.sleep(0.01)
                continue
            c = self._submit(c, jobs)
            with self.lock:
                self.sending -= 1
        if c is not None:
            c.close()

    def _submit(self, c, jobs):
        body, key = json.dumps({"submissions": [self.submission(j) for j in jobs]}), jobs[0].id if self.keys else None
        while not self.over:
            c = self._connection(c)
            if c is None:
                time.sleep(0.02)
                continue
            begin, sent = time.monotonic(), time.time()
            try:
                status, answer = self._ask(c, "POST", "/submit/batch", body, key)
            except (OSError, http.client.HTTPException):
                c.close()  # it may have arrived: whether these jobs are there nobody knows
                c = None
                if self._unsure(jobs):
                    return c
                continue
            if status == 202:
                self.accept(jobs, json.loads(answer)["tokens"], sent)
                return c
            with self.lock:
                self.refusals.append((time.monotonic() - begin, status))
                self.refused += 0 if b"unsure" in answer else len(jobs)
            if b"unsure" in answer and self._unsure(jobs):
                return c
            time.sleep(0.1)
        return c

    def ask_until_taken(self, body, key):
        """For a row's own jobs: the tokens."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            c = self._connection(None)
            try:
                status, answer = self._ask(c, "POST", "/submit/batch", body, key) if c is not None else (0, b"")
                if status == 202:
                    return json.loads(answer)["tokens"]
            except (OSError, http.client.HTTPException):
                pass
            finally:
                if c is not None:
                    c.close()
            time.sleep(0.05)
        raise AssertionError("not accepted within 60 s: %s" % body[-200:])

    def _unsure(self, jobs):
        """Others take their place, for so many are to be accepted as were wanted.  False: one asks again."""
        with self.lock:
            self.repeats += self.keys
            if not self.keys:
                self.unsure_batches.append([j.id for j in jobs])
                self.wanted += len(jobs)
        return not self.keys

    def accept(self, jobs, tokens, sent):
        now = time.time()
        with self.lock:
            for job, token in zip(jobs, tokens):
                job.token, job.sent, job.accepted = token, sent, now
                self.jobs[token] = job
            self.open += len(jobs)
        for job in jobs:
            self.following.put(job)

    # ---- results ----

    def _follow_all(self):
        c = None
        while not self.over:
            try:
                job = self.following.get(timeout=0.2)
            except queue.Empty:
                continue
            c = self._look(c, job)
            if job.answers or job.missing > 2:
                with self.lock:
                    self.open -= 1
            else:
                self.following.put(job)

    def _look(self, c, job):
        """One question about a job, which waits a little for its end."""
        c = self._connection(c)
        if c is None:
            time.sleep(0.02)
            return c
        try:
            status, answer = self._ask(c, "GET", "/v1/jobs/%s?wait=1" % job.token)
        except (OSError, http.client.HTTPException):
            c.close()
            return None
        if status == 404:
            job.missing += 1
        if status == 200:
            body = json.loads(answer)
            if body["status"] not in ("queued", "running"):
                job.answers.append(body)
        else:
            time.sleep(0.1)
        return c

    def look_again(self, most=500):
        """A second answer for some that have one."""
        c = None
        for job in [j for j in list(self.jobs.values()) if j.answers][-most:]:
            for _ in range(3):
                c = self._look(c, job)
                if len(job.answers) > 1 or job.missing:
                    break
        if c is not None:
            c.close()


# ---- the receiver -----------------------------------------------------------------------------


class Receiver(http.server.ThreadingHTTPServer):
    """Takes webhooks; fails as it is told: `failing` of them (0..1) are answered with 500 or not at all."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256

    def __init__(self, rng, failing=0.0):
        super().__init__(("127.0.0.1", HOOK_PORT), Handler)
        self.rng, self.failing, self.down = rng, failing, False
        self.seen, self.lock = {}, threading.Lock()  # webhook-id -> bodies
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    url = "http://127.0.0.1:%d/hook" % HOOK_PORT

    def handle_error(self, request, client_address):
        pass  # execd was killed while it spoke to us

    def stop(self):
        self.shutdown()
        self.server_close()
        self.thread.join()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        s = self.server
        with s.lock:
            fate = s.rng.random()
            if not s.down and fate >= s.failing / 2:  # heard, though the answer may get lost
                s.seen.setdefault(self.headers["webhook-id"], []).append(body)
        if s.down or fate < s.failing / 2:
            self.send_response(500)
        elif fate < s.failing:
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        else:
            self.send_response(204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass
