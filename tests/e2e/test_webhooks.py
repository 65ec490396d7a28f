"""The outbox: delivered once the result is there, signed, retried, guarded."""

import base64
import hashlib
import hmac
import json
import threading
import time

from conftest import C, HOOKS, PYTHON, Receiver, eventually, execctl


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


def secret_of(key):
    return "whsec_" + base64.b64encode(key).decode()


def is_signed(headers, body, key):
    """By this key, and by no other."""
    h = {k.lower(): v for k, v in headers.items()}
    assert h["webhook-id"] and abs(int(h["webhook-timestamp"]) - time.time()) < 60
    signed = ("%s.%s." % (h["webhook-id"], h["webhook-timestamp"])).encode() + body
    return h["webhook-signature"] == "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()


def test_signature(start, receiver):
    key = bytes(range(24))
    s = start({"hook": {"allow_private": True, "secret": secret_of(key)}})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    headers, body = receiver.wait(1)[0]
    assert is_signed(headers, body, key)
    assert token.encode() in body


def test_a_key_has_its_own_secret(start, receiver):
    """What it submits is signed by that; what another one submits is not, though it names the same receiver."""
    common, own = bytes(range(24)), bytes(range(1, 25))
    keys = [{"name": "a", "key": "a-key-of-the-tests-0123456789", "hook_secret": secret_of(own)},
            {"name": "b", "key": "b-key-of-the-tests-0123456789"}]
    s = start({"hook": dict(HOOKS, secret=secret_of(common)), "api": {"keys": keys}})
    for i, (key, secret) in enumerate(zip(keys, (own, common))):
        r = s.request("POST", "/v1/jobs", headers={"X-Auth-Token": key["key"]},
                      json={"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})
        assert r.status_code == 202, r.text
        assert is_signed(*receiver.wait(i + 1)[i], secret)
    s.stop()
    assert "whsec_" not in s.logged() and secret_of(own)[6:] not in s.logged()


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


def test_slow_receivers_of_one_key_leave_places_for_others(start, receiver):
    """However many endpoints a key has whose receivers do not answer: some of the sender's places are not theirs."""
    end = threading.Event()
    slow = [Receiver(lambda n: (end.wait(), (204, {}))[1]) for _ in range(5)]
    keys = [{"name": name, "key": "%s-key-of-the-tests-0123456789" % name} for name in "ab"]
    s = start({"hook": dict(HOOKS, concurrency=8, per_host=2, timeout_ms=60000), "api": {"keys": keys}})

    def submit(key, url):
        job = {"source_code": "print(1)", "language_id": PYTHON, "callback_url": url}
        r = s.request("POST", "/v1/jobs", json=job, headers={"X-Auth-Token": key["key"]})
        assert r.status_code == 202, r.text

    try:
        for r in slow:
            submit(keys[0], r.url)
            submit(keys[0], r.url)
        eventually(lambda: sum(len(r.seen) for r in slow) == 6, "three quarters of eight places")
        submit(keys[1], receiver.url)
        receiver.wait(1)
        assert sum(len(r.seen) for r in slow) == 6
    finally:
        end.set()
    eventually(lambda: sum(len(r.seen) for r in slow) == 10, "the rest")
    s.stop()
    for r in slow:
        r.close()


def test_a_long_answer_is_an_answer(start):
    """Nobody reads the body of a receiver's answer: it must not make a failure of a success."""
    receiver = Receiver(body=b"x" * 1000000)
    s = start({"hook": dict(HOOKS, attempts=1)})
    s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})
    receiver.wait(1)
    eventually(lambda: 'execd_webhooks_total{outcome="delivered"} 1' in s.request("GET", "/metrics").text, "delivered")
    receiver.close()


def deliveries(s, token):
    r = s.request("GET", "/v1/jobs/%s/deliveries" % token)
    assert r.status_code == 200, r.text
    return r.json()


def test_what_became_of_it_and_once_more(start):
    """The log of attempts, by the API and by execctl; the delivery anew, with the same id."""
    receiver = Receiver(lambda n: (503, {}) if n < 3 else (204, {}))
    s = start()
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    eventually(lambda: deliveries(s, token)["state"] == "delivered", lambda: deliveries(s, token))
    d = deliveries(s, token)
    assert (d["token"], d["attempts"], d["next_attempt_at"]) == (token, 3, None)
    assert [(a["attempt"], a["status"], a["outcome"]) for a in d["deliveries"]] == [
        (1, 503, "failed"), (2, 503, "failed"), (3, 204, "delivered")]
    assert d["deliveries"][0]["next_attempt_at"] > d["deliveries"][0]["at"]
    shown = execctl(s, "deliveries", token)
    assert shown.returncode == 0 and len(shown.stdout.splitlines()) == 4, shown
    again = execctl(s, "redeliver", token)
    assert again.returncode == 0, again
    seen = receiver.wait(4)
    assert {h["webhook-id"] for h, _ in seen} == {token} and len({b for _, b in seen}) == 1
    eventually(lambda: deliveries(s, token)["state"] == "delivered", "delivered again")
    assert deliveries(s, token)["attempts"] == 4
    receiver.close()


def test_a_refusal_is_told(start, receiver):
    """Whoever submitted it sees why nothing came, and that it will not be tried again."""
    s = start({"hook": {"allow_private": False}})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    eventually(lambda: deliveries(s, token)["state"] == "given_up", lambda: deliveries(s, token))
    attempts = deliveries(s, token)["deliveries"]
    assert [(a["status"], a["reason"]) for a in attempts] == [
        (None, "execd does not deliver there: the URL or the address that it leads to is refused")]
    assert execctl(s, "deliveries", token).returncode == 1
    assert "address 127.0.0.1 is refused" in s.logged()  # for the operator; a submitter could have us resolve our own names
    assert receiver.seen == []


def test_denied_networks(start, receiver):
    s = start({"hook": dict(HOOKS, deny_networks=["127.0.0.0/8"])})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": receiver.url})[0]
    eventually(lambda: deliveries(s, token)["state"] == "given_up", lambda: deliveries(s, token))
    assert receiver.seen == []


def test_a_failing_endpoint_is_left_alone_and_found_again(start, receiver):
    """Counted: what it is asked while it fails does not grow with what waits for it; others do not notice."""
    sick = Receiver(lambda n: (503, {}))
    s = start({"hook": dict(HOOKS, per_host=2, breaker_failures=3, breaker_pause_ms=200)})
    job = {"source_code": "print(1)", "language_id": PYTHON}
    tokens = s.submit(*[dict(job, callback_url=sick.url) for _ in range(30)])
    eventually(lambda: s.logged().count("webhook_endpoint_paused") >= 3, "pauses")
    asked = len(sick.seen)  # 3, another that was under way, and one after each pause
    assert asked <= 3 + 1 + s.logged().count("webhook_endpoint_paused") + 1
    s.submit(*[dict(job, callback_url=receiver.url) for _ in range(5)])
    receiver.wait(5)
    sick.answer = lambda n: (204, {})
    eventually(lambda: {h["webhook-id"] for h, _ in sick.seen} == set(tokens), "all go when it is well")
    eventually(lambda: deliveries(s, tokens[-1])["state"] == "delivered", "delivered")
    s.stop()
    assert "webhook_given_up" not in s.logged()
    sick.close()


def test_the_window_ends_it(start):
    """A delivery that nobody takes ends when its time is over, and says so."""
    refusing = Receiver(lambda n: (500, {}))
    s = start({"hook": dict(HOOKS, window_ms=1500, max_retry_ms=60000, first_retry_ms=60000)})
    token = s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": refusing.url})[0]
    eventually(lambda: deliveries(s, token)["state"] == "given_up", lambda: deliveries(s, token))
    assert [a["outcome"] for a in deliveries(s, token)["deliveries"]] == ["failed", "given_up"]
    assert len(refusing.seen) == 2  # the last at the window's end
    refusing.close()
