import os, sys
print("before")
sys.exit(1 << 70)
print("after")
