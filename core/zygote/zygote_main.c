/* zygote_main.c - the least zygote there can be: its jobs are programs that are executed.  By it execd finds
 * out whether this machine lets zygotes be closed as cells are. */
#include "execd/zygote.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(void)
{
    struct execd_zygote_job job;

    int rc = execd_zygote_serve(&job);

    if (rc != 0) {
        dprintf(STDERR_FILENO, "execd-zygote: %s\n", strerror(-rc));
        return 1;
    }
    execve(job.argv[0], job.argv, job.env);
    return 127;
}
