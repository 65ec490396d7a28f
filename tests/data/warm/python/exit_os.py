import os, sys
print("before")
os._exit(6)
print("after")
