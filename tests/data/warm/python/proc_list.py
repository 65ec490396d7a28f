import os
for pid in sorted(int(n) for n in os.listdir("/proc") if n.isdigit()):
    try:
        print(pid, open("/proc/%d/comm" % pid).read().strip(), [l.split()[1] for l in open("/proc/%d/status" % pid) if l.startswith(("PPid", "State", "Threads"))])
    except OSError as e:
        print(pid, e)
print(os.readlink("/proc/self/exe"), os.readlink("/proc/self/cwd"), os.readlink("/proc/self/root"))
print(sorted(os.listdir("/proc/self/task")) == [str(os.getpid())])
