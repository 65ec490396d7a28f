/* What may be done to the pipe behind stdout. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void attempt(const char *what, long rc)
{
    fprintf(stderr, "%s: %s\n", what, rc >= 0 ? "done" : strerror(errno));
}

int main(void)
{
    char c;
    int fd;

    signal(SIGIO, SIG_IGN);
    attempt("lseek", lseek(1, 0, SEEK_SET));
    attempt("ftruncate", ftruncate(1, 0));
    attempt("pwrite", pwrite(1, "p", 1, 0));
    attempt("O_NONBLOCK", fcntl(1, F_SETFL, O_NONBLOCK | O_ASYNC));
    attempt("F_SETOWN", fcntl(1, F_SETOWN, getpid()));
    attempt("F_SETPIPE_SZ", fcntl(1, F_SETPIPE_SZ, 4096) >= 0 ? 0 : -1);
    attempt("write", write(1, "ours\n", 5));
    fd = open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK);
    attempt("reopen", fd);
    if (fd >= 0)
        attempt("read back", read(fd, &c, 1));
    fd = open("/proc/self/fd/1", O_WRONLY);
    attempt("reopen to write", fd);
    if (fd >= 0)
        attempt("write", write(fd, "again\n", 6));
}
