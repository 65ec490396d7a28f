#include <sys/ptrace.h>
#include <sys/uio.h>
int main(void)
{
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    char b[8];
    struct iovec v = {b, 8};
    TRY("ptrace-me", ptrace(PTRACE_TRACEME, 0, 0, 0));
    TRY("ptrace-attach", ptrace(PTRACE_ATTACH, child, 0, 0));
    TRY("ptrace-seize", ptrace(PTRACE_SEIZE, child, 0, 0));
    TRY("ptrace-init", ptrace(PTRACE_ATTACH, 1, 0, 0));
    TRY("readv", process_vm_readv(child, &v, 1, &v, 1, 0));
    TRY("writev", process_vm_writev(child, &v, 1, &v, 1, 0));
    CALL(kcmp, getpid(), child, 0, 0, 0);
    CALL(pidfd_getfd, 0, 0, 0);
    CALL(process_madvise, 0, &v, 1, 20, 0);
    CALL(process_mrelease, 0, 0);
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/mem", child);
    TRY("mem-of-child", open(path, O_RDWR));
    TRY("mem-of-init", open("/proc/1/mem", O_RDWR));
    TRY("kill", kill(child, SIGKILL));
}
