/* As many children at once as its argument says, or as there may be. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    int wanted = argc == 2 ? (int)strtol(argv[1], NULL, 10) : 0, made = 0, hold[2];
    char c;

    if (pipe(hold) != 0)
        return 1;
    for (int i = 0; i < wanted; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            close(hold[1]);
            _exit(read(hold[0], &c, 1) != 0);
        }
        made += pid > 0;
    }
    close(hold[1]);
    while (wait(NULL) > 0)
        ;
    printf("made %d\n", made);
}
