import fcntl
import os

d = os.open("/proc/self/fd", os.O_RDONLY)
print("listed", *sorted(int(n) for n in os.listdir(d) if os.path.exists("/proc/self/fd/" + n) and int(n) != d))
os.close(d)
found = []
for fd in range(65536):
    try:
        fcntl.fcntl(fd, fcntl.F_GETFD)
        found.append(fd)
    except OSError:
        pass
print("open", *found)
print("cwd", os.getcwd())
