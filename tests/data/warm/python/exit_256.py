import os, sys
print("before")
sys.exit(256 + 7)
print("after")
