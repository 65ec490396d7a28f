#!/usr/bin/env python3
"""Is this webhook from who knows the secret, as it was sent, and not an old one?

Standard Webhooks (standardwebhooks.com), symmetric signatures `v1`.  Only the standard library.

As a command: webhook_verify.py ID TIMESTAMP SIGNATURES [NOW] < BODY, with the secret in WEBHOOK_SECRET.  Exit
status: 0 valid, 1 not (the reason is on stderr), 2 usage.
"""

import base64
import binascii
import hashlib
import hmac
import os
import re
import sys
import time

TOLERANCE_S = 300  # how far the clocks of sender and receiver may be apart


class Invalid(Exception):
    """Its text: forged, stale or malformed."""


def key_of(secret):
    """ValueError if it is not "whsec_" and base64."""
    if not secret or not secret.startswith("whsec_") or len(secret) == len("whsec_"):
        raise ValueError("WEBHOOK_SECRET is no secret")
    try:
        return base64.b64decode(secret[len("whsec_"):], validate=True)
    except binascii.Error:
        raise ValueError("WEBHOOK_SECRET is no secret") from None


def verify(secret, webhook_id, timestamp, signatures, body, now=None):
    """The three headers as they came (None: there was none), and the bytes of the body as they came, before any
    parser.  Raises Invalid."""
    key = key_of(secret)
    if not webhook_id or not re.fullmatch("[0-9]{1,12}", timestamp or "", re.ASCII) or signatures is None:
        raise Invalid("malformed")
    if not abs((time.time() if now is None else now) - int(timestamp)) <= TOLERANCE_S:  # NaN as well
        raise Invalid("stale")
    message = ("%s.%s." % (webhook_id, timestamp)).encode() + body
    ours = "v1," + base64.b64encode(hmac.new(key, message, hashlib.sha256).digest()).decode()
    # There may be several: of other schemes, or of two secrets while they change.
    if not any(hmac.compare_digest(ours.encode(), s.encode()) for s in signatures.split(" ")):
        raise Invalid("forged")


def main(args):
    if len(args) not in (3, 4):
        print("usage: webhook_verify.py ID TIMESTAMP SIGNATURES [NOW] < BODY", file=sys.stderr)
        return 2
    try:
        verify(os.environ.get("WEBHOOK_SECRET"), *args[:3], sys.stdin.buffer.read(),
               int(args[3]) if len(args) == 4 else None)
    except ValueError as e:
        print(e, file=sys.stderr)
        return 2
    except Invalid as e:
        print(e, file=sys.stderr)
        return 1
    print("valid", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
