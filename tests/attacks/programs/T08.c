/* A grandchild spins; the parent lives for 300 ms of that and exits. */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (fork() == 0)
            for (volatile unsigned i = 0;; i++)
                ;
        _exit(0);
    }
    nanosleep(&(struct timespec){0, 300000000}, NULL);
    puts("parent ends");
    return pid < 0;
}
