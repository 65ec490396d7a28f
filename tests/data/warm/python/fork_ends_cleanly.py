import os
pid = os.fork()
if pid:
    os.waitpid(pid, 0)
print("both", bool(pid))
