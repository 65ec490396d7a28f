import os
import time

if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.closerange(0, 1024)
        while True:
            os.close(os.open("/tmp/marker", os.O_WRONLY | os.O_CREAT, 0o600))
    os._exit(0)
while not os.path.exists("/tmp/marker"):
    time.sleep(0.001)
print("a daemon runs")
