/* Tries to make init lie: stopped, killed, written to through /proc; then ends with 5. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(void)
{
    char name[64];
    int writable = 0;

    printf("attach: %s\n", ptrace(PTRACE_ATTACH, 1, NULL, NULL) == 0 ? "done" : strerror(errno));
    for (int fd = 0; fd < 64; fd++) {
        int f;

        snprintf(name, sizeof(name), "/proc/1/fd/%d", fd);
        f = open(name, O_WRONLY);
        writable += f >= 0 && write(f, "forged", 6) > 0;
    }
    printf("descriptors of init: %d\n", writable);
    printf("memory of init: %s\n", open("/proc/1/mem", O_RDWR) >= 0 ? "open" : strerror(errno));
    fflush(stdout);
    for (int i = 1; i < 65; i++)
        if (i != SIGCHLD)
            kill(1, i);
    if (fork() == 0) { /* another of its children, which ends first and differently */
        kill(1, SIGSTOP);
        _exit(0);
    }
    for (int i = 0; i < 100; i++)
        kill(1, SIGCHLD);
    kill(1, SIGSTOP);
    return 5;
}
