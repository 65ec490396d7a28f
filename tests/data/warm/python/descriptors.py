import fcntl, os, stat
print(sorted(os.listdir("/proc/self/fd")))
for fd in range(10):
    try:
        st = os.fstat(fd)
        print(fd, stat.S_IFMT(st.st_mode), fcntl.fcntl(fd, fcntl.F_GETFD), oct(fcntl.fcntl(fd, fcntl.F_GETFL)))
    except OSError as e:
        print(fd, e)
print(os.open("/dev/null", os.O_RDONLY), os.pipe())
