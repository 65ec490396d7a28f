import os, sys
os.close(1)
os.open("/dev/full", os.O_WRONLY)
print("x" * 10)
