import os
import sys
import time

print("closing", flush=True)
os.close(1)
os.close(2)
while sys.argv[1:] == ["spin"]:
    pass
time.sleep(0.5)
os._exit(0)
