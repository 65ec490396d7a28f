import os

os.execv("/bin/sh", ["sh", "-c", "echo begin; b() { b | b & }; b; wait; sleep 60"])
