/* Signals to PID 1 of the cell, which is the parent as well. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    static const int signals[] = {SIGSTOP, SIGTERM, SIGSEGV, SIGKILL};
    pid_t parent = getppid();

    printf("parent %d\n", parent);
    for (int i = 0; i < 4; i++) {
        errno = 0;
        kill(parent, signals[i]);
        printf("%d: %s\n", signals[i], errno == 0 ? "sent" : strerror(errno));
    }
    fflush(stdout);
    usleep(100000);
    printf("parent %d\n", getppid());
}
