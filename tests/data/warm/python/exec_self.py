import os, sys
if len(sys.argv) < 2:
    os.execv(sys.executable, [sys.executable, "main.py", "again"])
print(sys.argv, __name__)
