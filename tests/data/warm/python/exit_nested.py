import os, sys
print("before")
f = lambda n: f(n - 1) if n else sys.exit(9)
f(100)
print("after")
