/* Children that end and that nobody waits for. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    int made = 0;

    for (int i = 0; i < 100000; i++) {
        pid_t pid = fork();

        if (pid == 0)
            _exit(0);
        if (pid < 0) {
            printf("children %d: %s\n", made, strerror(errno));
            return 1;
        }
        made++;
    }
    puts("no end");
}
