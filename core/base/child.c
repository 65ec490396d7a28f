/* child.c - the end of a child, where no loop runs any more. */
#include "base.h"

#include <poll.h>
#include <sys/wait.h>

#define LOOK_MS 5

bool child_gone_within(pid_t pid, int ms)
{
    for (int left = ms; left > 0; left -= LOOK_MS) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return true;
        poll(NULL, 0, LOOK_MS);
    }
    return false;
}
