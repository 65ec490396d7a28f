/* 20 MiB here and in each of 10 children; nobody cares who dies of it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static void take(void)
{
    char *p = malloc(20 << 20);

    if (p != NULL)
        memset(p, 1, 20 << 20);
    __asm__ volatile("" : : "r"(p) : "memory");
}

int main(void)
{
    int made = 0;

    take();
    for (int i = 0; i < 10; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            take();
            sleep(2);
            _exit(0);
        }
        made += pid > 0;
    }
    printf("children %d\n", made);
    fflush(stdout);
    while (wait(NULL) > 0)
        ;
    return 0;
}
