import os
import signal
import sys

print("stopping", flush=True)
if sys.argv[1:] == ["all"]:
    if os.fork() == 0:
        os.kill(-1, signal.SIGSTOP)
        while True:
            signal.pause()
    while True:
        signal.pause()
os.kill(0, signal.SIGSTOP)
print("went on")
