/* Every process makes a session of its own, so that no group or session has them all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    int told = 0;

    for (;;) {
        pid_t pid = fork();

        if (pid == 0)
            setsid();
        if (pid < 0 && !told) {
            char line[64];
            int n = snprintf(line, sizeof(line), "fork: %s\n", strerror(errno));

            told = write(1, line, (size_t)n) == n;
        }
    }
}
