"""The outbox: delivered once the result is there, signed, retried, guarded."""

import base64
import hashlib
import hmac
import json
import threading
import time

from conftest import C, HOOKS, PYTHON, Receiver, eventually


def test_body_is_the_seeds_and_more(shared, receiver):
    token = shared.submit({"source_code": "print('Hello, World!')", "language_id": PYTHON, "problem_id": "p1",
                           "callback_url": receiver.url})[0]
    headers, body = receiver.wait(1)[0]
    d = json.loads(body)
    assert (d["token"], d["stdout"], d["stderr"], d["status"], d["exit_code"]) == (token, "Hello, World!\n", "",
                                                                                 "completed", 0)
    assert d["execution_time"] > 0 and d["problem_id"] == "p1" and d["memory"] > 0
    assert headers["Content-Type"].startswith("application/json")
    polled = shared.result(token)
    assert polled == d


def test_every_verdict_is_delivered(shared, receiver):
    tokens = shared.submit({"source_code": "x", "language_id": C, "callback_url": receiver.url},
                           {"source_code": "1/0", "language_id": PYTHON, "callback_url": receiver.url},
                           {"source_code": "while True: pass", "language_id": PYTHON, "timeout": 300,
                            "callback_url": receiver.url})
    seen = {json.loads(b)["token"]: json.loads(b)["status"] for _, b in receiver.wait(3)}
    assert [seen[t] for t in tokens] == ["compile_error", "runtime_error", "time_limit_exceeded"]


def test_retries_until_accepted(start):
    receiver = Receiver(lambda n: (500, {}) if n < 4 else (200, {}))
    s = start()
    s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})
    seen = receiver.wait(4)
    assert len({body for _, body in seen}) == 1, "the same body each time"
    s.stop()
    assert len(receiver.seen) == 4
    receiver.close()


def test_signature(start, receiver):
    key = bytes(range(24))
    s = start({"hook": {"allow_private": True, "secret": "whsec_" + base64.b64encode(key).decode()}})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    headers, body = receiver.wait(1)[0]
    h = {k.lower(): v for k, v in headers.items()}
    assert h["webhook-id"] and abs(int(h["webhook-timestamp"]) - time.time()) < 60
    signed = ("%s.%s." % (h["webhook-id"], h["webhook-timestamp"])).encode() + body
    want = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert want in h["webhook-signature"].split(" ")
    assert token.encode() in body


def test_private_addresses_are_refused_by_default(start, receiver):
    s = start({"hook": {"allow_private": False}})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    assert s.result(token)["status"] == "completed"
    s.stop()
    assert receiver.seen == []


def test_delivery_survives_a_restart(start, tmp_path):
    """The receiver is down when the job ends; another execd on the same state delivers."""
    receiver = Receiver()
    url = receiver.url
    s = start()
    receiver.answer = lambda n: (503, {})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": url})[0]
    receiver.wait(1)
    s.stop()
    receiver.answer = lambda n: (200, {})
    count = len(receiver.seen)
    again = start(args=["--state", str(s.state)])
    receiver.wait(count + 1)
    assert again.result(token)["stdout"] == "1\n"
    receiver.close()


def test_a_slow_receiver_keeps_nobody_waiting(start, receiver):
    """Its deliveries wait for their turn; waiting is no attempt, and others go ahead."""
    others_are_served = threading.Event()

    def answer(n):
        others_are_served.wait()
        time.sleep(0.25)  # the last one's turn comes when the time for one attempt has long been over
        return 204, {}
    slow = Receiver(answer)
    s = start({"hook": dict(HOOKS, per_host=2, timeout_ms=5000, attempts=1)})
    job = {"source_code": "print(1)", "language_id": PYTHON}
    s.submit(*[dict(job, callback_url=slow.url) for _ in range(44)])
    slow.wait(1)
    s.submit(*[dict(job, callback_url=receiver.url, priority="high") for _ in range(3)])
    try:
        receiver.wait(3)
        assert len(slow.seen) <= 2
    finally:
        others_are_served.set()
    slow.wait(44)
    s.stop()
    assert "webhook_given_up" not in s.logged()
    slow.close()


def test_a_long_answer_is_an_answer(start):
    """Nobody reads the body of a receiver's answer: it must not make a failure of a success."""
    receiver = Receiver(body=b"x" * 1000000)
    s = start({"hook": dict(HOOKS, attempts=1)})
    s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})
    receiver.wait(1)
    eventually(lambda: 'execd_webhooks_total{outcome="delivered"} 1' in s.request("GET", "/metrics").text, "delivered")
    receiver.close()
