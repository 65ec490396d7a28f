import os
print(os.getpid(), os.getppid(), os.getpgid(0), os.getsid(0), os.getuid() == os.geteuid(), os.getgid() == os.getegid(), os.getgroups(), os.getcwd())
print(os.umask(0), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0), os.nice(0), os.ctermid(), os.getlogin if 0 else "")
print(os.cpu_count(), len(os.sched_getaffinity(0)), os.uname().nodename)
