/* A vfork's parent waits without being able to hear a signal, as long as its child sleeps. */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
    puts("vfork");
    fflush(stdout);
    if (vfork() == 0) {
        nanosleep(&(struct timespec){60, 0}, NULL);
        _exit(0);
    }
    puts("parent goes on");
}
