#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(void)
{
    int made = 0;

    for (int i = 0; i < 30; i++) {
        pid_t pid = fork();

        if (pid == 0)
            while (write(1, "flood\n", 6) == 6)
                ;
        made += pid > 0;
    }
    fprintf(stderr, "children %d\n", made);
    while (wait(NULL) > 0)
        ;
}
