import os, sys
print("before", flush=True)
os.execv("/bin/sh", ["sh", "-c", "echo executed; exit 5"])
