/* Calls each number of FROM..TO with arguments that are all 0, a forked child for each: "NR reached", the name of
 * the error, or "NR signal N".  What blocks or ends the child was reached. */
#include <poll.h>
enum { BATCH = 16 };
static const long blocking[] = {SYS_ppoll, SYS_pselect6,
#if defined(__x86_64__)
                                SYS_pause, SYS_select,
#endif
};
static int blocks(long nr)
{
    for (size_t i = 0; i < sizeof(blocking) / sizeof(blocking[0]); i++)
        if (nr == blocking[i])
            return 1;
    return 0;
}
static void child(long nr, int report)
{
    alarm(blocks(nr) ? 1 : 20); /* which ends it */
    errno = 0;
    int32_t error = syscall(nr, 0, 0, 0, 0, 0, 0) == -1 ? errno : 0;
    while (write(report, &error, sizeof(error)) < 0 && errno == EINTR)
        ;
    _exit(0);
}
static void judge(long nr, pid_t pid, int report)
{
    int32_t error = -1;
    int status = 0;
    ssize_t n = read(report, &error, sizeof(error));
    waitpid(pid, &status, 0);
    close(report);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
        printf("%ld kill\n", nr);
    else if (n == sizeof(error) && (error == EPERM || error == ENOSYS || error == EOPNOTSUPP || error == EINVAL))
        printf("%ld %s\n", nr, error == EOPNOTSUPP ? "EOPNOTSUPP" : strerrorname_np(error));
    else
        printf("%ld reached\n", nr);
}
int main(int argc, char **argv)
{
    long from = atol(argv[1]), to = atol(argv[2]);
    setvbuf(stdout, NULL, _IOFBF, 1 << 16);
    while (from < to) {
        pid_t pids[BATCH];
        int pipes[BATCH][2], n = 0;
        for (; n < BATCH && from + n < to; n++) {
            if (pipe(pipes[n]) != 0 || (pids[n] = fork()) < 0)
                return 1;
            if (pids[n] == 0)
                child(from + n, pipes[n][1]);
            close(pipes[n][1]);
        }
        for (int i = 0; i < n; i++)
            judge(from + i, pids[i], pipes[i][0]);
        from += n;
    }
    return 0;
}
