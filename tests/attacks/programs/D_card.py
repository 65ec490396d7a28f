"""What a cell is, told from inside of it, as D_card.c does."""
import os
import resource
import socket


def lines_of(path, prefix):
    for n, line in enumerate(open(path)):
        print("%s-%d %s" % (prefix, n, line.rstrip("\n")))


for space in ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup"):
    print(space, os.readlink("/proc/self/ns/" + space))
for name in ("core", "fsize", "nofile", "stack", "cpu", "memlock", "msgqueue", "nice", "rtprio"):
    print("limit-" + name, *resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper())))
print("hostname", socket.gethostname())
print("id", os.getpid())
print("parent", os.getppid())
print("session", int(os.getsid(0) == os.getpid()))
print("group", int(os.getpgrp() == os.getpid()))
lines_of("/proc/self/uid_map", "uid_map")
lines_of("/proc/self/oom_score_adj", "oom_score_adj")
lines_of("/proc/self/status", "status")
lines_of("/proc/self/mountinfo", "mount")
