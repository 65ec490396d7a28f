import os, sys
print("before the fork")
pid = os.fork()
if pid == 0:
    print("child", os.getppid())
    sys.exit(4)
print("parent", os.waitpid(pid, 0)[1])
