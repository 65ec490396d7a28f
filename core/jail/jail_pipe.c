/* jail_pipe.c - a pipe for what a program writes. */
#include "jail_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int jail_output_pipe(int *ret_ours, int *ret_theirs, struct err *reterr)
{
    int p[2];

    if (pipe2(p, O_CLOEXEC) != 0)
        return err_sys(reterr, "pipe for a step's output");
    /* Programs may open /dev/stdout anew, to write: where their uid is ours (an ordinary user's cells) no
     * less than where it is not. */
    if (fcntl(p[0], F_SETFL, O_NONBLOCK) != 0 || fchmod(p[1], 0222) != 0) {
        int rc = err_sys(reterr, "prepare a pipe");

        close(p[0]);
        close(p[1]);
        return rc;
    }
    *ret_ours = p[0];
    *ret_theirs = p[1];
    return 0;
}
