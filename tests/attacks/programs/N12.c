#include <sys/inotify.h>
int main(void)
{
    int children = 0, pipes = 0, queued = 0, filled = 0, timers = 0, p[2];
    char page[65536] = {0};
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGRTMIN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    while (sigqueue(getpid(), SIGRTMIN, (union sigval){0}) == 0 && queued < 100000)
        queued++;
    SAY("sigqueue %s\n", strerrorname_np(errno));
    while (pipe2(p, O_NONBLOCK) == 0) {
        pipes++;
        fcntl(p[1], F_SETPIPE_SZ, 1 << 20);
        while (write(p[1], page, sizeof(page)) > 0)
            filled++;
    }
    SAY("pipe %s\n", strerrorname_np(errno));
    TRY("inotify", inotify_init());
    TRY("key", syscall(SYS_add_key, "user", "x", "1", 1, -4));
    TRY("mq", syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL));
    for (;;) {
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0) {
            pause();
            _exit(0);
        }
        children++;
    }
    SAY("fork %s\n", strerrorname_np(errno));
    usleep(500000); /* while the neighbour runs */
    SAY("bounded %d\n", children < 64 && pipes < 1024 && queued < 100000);
}
