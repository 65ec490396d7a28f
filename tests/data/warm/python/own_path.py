import os, sys
os.mkdir("/tmp/lib")
open("/tmp/lib/heapq.py", "w").write("X = 2\n")
sys.path.insert(0, "/tmp/lib")
import heapq
print(heapq.X, heapq.__file__)
