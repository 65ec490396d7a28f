#include <stdio.h>
#include <unistd.h>

int main(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        sleep(60);
        puts("late");
        return 0;
    }
    printf("child %d\n", pid > 0);
}
