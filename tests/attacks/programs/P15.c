#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    char name[17] = {0};
    int status;

    prctl(PR_SET_NAME, "a\nb\033[31mERROR x");
    prctl(PR_GET_NAME, name);
    printf("name %d\n", memcmp(name, "a\nb\033[31mERROR x", 15) == 0);
    printf("subreaper %s\n", prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? "set" : strerror(errno));
    printf("pdeathsig %s\n", prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? "set" : strerror(errno));
    fflush(stdout);
    if (fork() == 0) { /* its parent dies first, and that kills it */
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            sleep(60);
        }
        usleep(20000);
        _exit(7);
    }
    wait(&status);
    printf("child %d\n", WEXITSTATUS(status));
}
