import sys
import time

wait = int(sys.argv[1]) / 1000
print("begin", flush=True)
time.sleep(wait)
print("end")
