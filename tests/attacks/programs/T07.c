/* A chain: each process burns 5 ms, leaves one child and ends.  The first waits, so the job goes on. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static long used_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * 1000000000L + t.tv_nsec;
}

int main(void)
{
    pid_t pid = fork();

    if (pid > 0) {
        puts("chain");
        fflush(stdout);
        pause();
    }
    for (;;) {
        while (used_ns() < 5000000)
            ;
        pid = fork();
        if (pid > 0)
            _exit(0);
        if (pid < 0)
            usleep(1000);
    }
}
