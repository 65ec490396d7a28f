#include <dirent.h>
#include <sys/resource.h>
#include <sys/uio.h>
int main(void)
{
    char path[64];
    int killed = 0, seen = 0, affinity = 0, limits = 0, memory = 0, groups = 0, sessions = 0;
    struct rlimit64 { uint64_t a, b; } l = {1, 1};
    cpu_set_t cpus;
    char b[8];
    struct iovec v = {b, 8};
    for (int round = 0; round < 2; round++, usleep(300000))
        for (int pid = 2; pid < 70000; pid++) {
            if (pid == getpid())
                continue;
            killed += kill(pid, 0) == 0 || errno != ESRCH;
            if (pid % 37 == 0 || pid < 100) {
                snprintf(path, sizeof(path), "/proc/%d/status", pid);
                seen += access(path, F_OK) == 0;
                affinity += sched_setaffinity(pid, sizeof(cpus), &cpus) == 0 || errno != EPERM;
                limits += syscall(SYS_prlimit64, pid, RLIMIT_NOFILE, &l, NULL) == 0 || errno != EPERM;
                memory += process_vm_readv(pid, &v, 1, &v, 1, 0) >= 0 || errno != EPERM;
                groups += getpgid(pid) >= 0 || errno != ESRCH;
                sessions += sched_getaffinity(pid, sizeof(cpus), &cpus) >= 0 || errno != ESRCH;
            }
        }
    SAY("killed %d\nseen %d\naffinity %d\nlimits %d\nmemory %d\ngroups %d\nsessions %d\n", killed, seen, affinity, limits, memory, groups, sessions);
    TRY("self", kill(getpid(), 0));
    TRY("init-kill", kill(1, SIGKILL)); /* the namespace's init does not hear of it */
    TRY("everybody", kill(-1, 0));
    TRY("init-limits", syscall(SYS_prlimit64, 1, RLIMIT_NOFILE, &l, NULL));
}
