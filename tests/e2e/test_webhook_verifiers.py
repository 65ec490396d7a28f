"""The verifiers of examples/webhook: one table for all three, and what execd really sends."""

import base64
import os
import subprocess
import sys

import pytest

from conftest import BUILD, HOOKS, PATIENCE, PYTHON, ROOT, Receiver

FOLDER = ROOT / "examples/webhook"
VERIFIERS = {"c": [str(BUILD / "examples/webhook_verify")], "python": [sys.executable, str(FOLDER / "webhook_verify.py")],
             "node": ["node", str(FOLDER / "webhook_verify.js")]}

# The test vector of the scheme's own libraries.
SECRET, ID, AT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY, SIGNATURE = b'{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
OTHER = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="


def secret(byte):
    return "whsec_" + base64.b64encode(bytes([byte]) * 32).decode()


def verify(language, secret, webhook_id, at, signatures, body, *now):
    r = subprocess.run([*VERIFIERS[language], webhook_id, str(at), signatures, *map(str, now)], input=body, capture_output=True,
                       timeout=PATIENCE, env={"PATH": os.environ["PATH"], "WEBHOOK_SECRET": secret})
    return r.returncode, r.stderr.decode().strip()


TABLE = [
    ("valid", SECRET, ID, AT, SIGNATURE, BODY, AT),
    ("valid", SECRET, ID, AT, SIGNATURE, BODY, AT + 300),
    ("valid", SECRET, ID, AT, SIGNATURE, BODY, AT - 300),
    ("valid", SECRET, ID, AT, OTHER + " " + SIGNATURE, BODY, AT),  # two secrets in use
    ("valid", SECRET, ID, AT, SIGNATURE + " " + OTHER, BODY, AT),
    ("valid", SECRET, ID, AT, "v1a,xyz v2,q " + SIGNATURE, BODY, AT),  # other schemes beside it
    ("stale", SECRET, ID, AT, SIGNATURE, BODY, AT + 301),
    ("stale", SECRET, ID, AT, SIGNATURE, BODY, AT - 301),
    ("forged", SECRET, ID, AT, SIGNATURE, BODY + b" ", AT),
    ("forged", SECRET, ID, AT, SIGNATURE, b"", AT),
    ("forged", SECRET, ID + "x", AT, SIGNATURE, BODY, AT),
    ("forged", SECRET, ID, AT + 1, SIGNATURE, BODY, AT),
    ("forged", secret(1), ID, AT, SIGNATURE, BODY, AT),
    ("forged", SECRET, ID, AT, OTHER, BODY, AT),
    ("forged", SECRET, ID, AT, "", BODY, AT),
    ("forged", SECRET, ID, AT, SIGNATURE[3:], BODY, AT),
    ("forged", SECRET, ID, AT, "v1a" + SIGNATURE[2:], BODY, AT),
    ("forged", SECRET, ID, AT, SIGNATURE[:-4], BODY, AT),
    ("forged", SECRET, ID, AT, "v1,", BODY, AT),
    ("malformed", SECRET, "", AT, SIGNATURE, BODY, AT),
    ("malformed", SECRET, ID, "", SIGNATURE, BODY, AT),
    ("malformed", SECRET, ID, "-1", SIGNATURE, BODY, AT),
    ("malformed", SECRET, ID, "1e9", SIGNATURE, BODY, AT),
    ("malformed", SECRET, ID, " %d" % AT, SIGNATURE, BODY, AT),
    ("malformed", SECRET, ID, "9" * 13, SIGNATURE, BODY, AT),
    ("WEBHOOK_SECRET is no secret", SECRET[6:], ID, AT, SIGNATURE, BODY, AT),
    ("WEBHOOK_SECRET is no secret", "whsec_", ID, AT, SIGNATURE, BODY, AT),
    ("WEBHOOK_SECRET is no secret", "whsec_!!!!", ID, AT, SIGNATURE, BODY, AT),
]


@pytest.mark.parametrize("language", VERIFIERS)
def test_table(language):
    for want, *case in TABLE:
        code, word = verify(language, *case)
        assert (word, code) == (want, {"valid": 0, "WEBHOOK_SECRET is no secret": 2}.get(want, 1)), case


def test_real_deliveries(start, receiver):
    """While the secret changes, receivers that know either are satisfied; those that know neither are not."""
    s = start({"hook": dict(HOOKS, secret=secret(2), previous_secret=secret(1))})
    token = s.submit({"source_code": "print('h\u00e9llo\\0')", "language_id": PYTHON, "callback_url": receiver.url})[0]
    headers, body = receiver.wait(1)[0]
    h = {k.lower(): v for k, v in headers.items()}
    seen = h["webhook-id"], h["webhook-timestamp"], h["webhook-signature"]
    assert seen[0] == token and len(seen[2].split(" ")) == 2
    for language in VERIFIERS:
        for byte, want in ((1, "valid"), (2, "valid"), (3, "forged")):
            assert verify(language, secret(byte), *seen, body)[1] == want
        assert verify(language, secret(1), *seen, body.replace(b"completed", b"cancelled"))[1] == "forged"
    s.stop()
    assert secret(1)[6:] not in s.logged() and secret(2)[6:] not in s.logged()


def test_every_attempt_is_signed_anew(start):
    """The id stays, the time of the signature does not."""
    again = Receiver(lambda n: (500, {}) if n == 1 else (204, {}))
    s = start({"hook": dict(HOOKS, secret=secret(1), first_retry_ms=2500)})  # of which half at least is waited
    s.submit({"source_code": "print(1)", "language_id": PYTHON, "callback_url": again.url})
    seen = [({k.lower(): v for k, v in h.items()}, body) for h, body in again.wait(2)]
    assert len({h["webhook-id"] for h, _ in seen}) == 1
    assert len({h["webhook-timestamp"] for h, _ in seen}) == 2
    for h, body in seen:
        assert verify("python", secret(1), h["webhook-id"], h["webhook-timestamp"], h["webhook-signature"], body)[0] == 0
    again.close()
