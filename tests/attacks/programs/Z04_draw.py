import os
import random
import secrets
import tempfile
import uuid

print(hash("a word"))
print(random.random())
print(secrets.token_hex(8))
print(uuid.uuid4())
print(uuid.uuid1().node & 0xFFFF, os.urandom(8).hex())
print(tempfile.mktemp())
