#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    sigset_t all;
    long n = 0;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    while (n < 4000000 && sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0)
        n++;
    printf("signals %ld: %s\n", n, n < 4000000 ? strerror(errno) : "no end");
}
