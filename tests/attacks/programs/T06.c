#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        sleep(60);
        _exit(0);
    }
    printf("child %d\n", pid > 0);
    fflush(stdout);
    while (waitpid(pid, NULL, 0) != pid)
        ;
    puts("reaped");
}
