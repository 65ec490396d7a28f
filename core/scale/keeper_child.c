/* keeper_child.c - the keeper's process: one socket, one list of children, no memory but that. */
#include "keeper_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t pids[KEEPER_MAX + 1]; /* by number; 0: none */
static bool told[KEEPER_MAX + 1];  /* to end */

static void tell(int fd, uint32_t what, uint32_t number, int64_t value)
{
    const struct keeper_message m = {what, number, value};

    /* It waits where execd does not read: nothing else is to be done meanwhile. */
    while (fd >= 0 && send(fd, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static void exec_worker(const struct keeper_options *o, uint32_t number, pid_t keeper)
    __attribute__((noreturn));
static void exec_worker(const struct keeper_options *o, uint32_t number, pid_t keeper)
{
    CLEAN_FREE char *state = mem_printf("%s/worker-%u", o->state_dir, number);
    char word_config[] = "--config", word_role[] = "--role", worker[] = "worker", word_state[] = "--state";
    char *argv[9] = {(char *)(uintptr_t)o->program, word_role, worker, word_state, state};
    char base[24];
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    if (o->config_path != NULL) {
        argv[5] = word_config;
        argv[6] = (char *)(uintptr_t)o->config_path;
    }
    snprintf(base, sizeof(base), "%llu", (unsigned long long)(o->uid_base + (uint64_t)number * KEEPER_IDS));
    if (geteuid() == 0 && setenv("EXECD_WORKER_UID_BASE", base, 1) != 0)
        _exit(126);
    if (o->queue_url != NULL && setenv("EXECD_QUEUE_URL", o->queue_url, 1) != 0)
        _exit(126);
    /* As an ordinary user's: a worker that becomes another user loses this, and is ended by its scaler. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != keeper)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO); /* it is execd's own, and has one line alone */
    close_range(STDERR_FILENO + 1, ~0u, 0);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    execv(o->program, argv);
    _exit(127);
}

static void start(const struct keeper_options *o, int fd, uint32_t number)
{
    const pid_t keeper = getpid();
    pid_t pid;

    if (pids[number] != 0) {
        tell(fd, KEEPER_ENDED, number, -EEXIST);
        return;
    }
    pid = fork();
    if (pid == 0)
        exec_worker(o, number, keeper);
    if (pid < 0) {
        tell(fd, KEEPER_ENDED, number, -errno);
        return;
    }
    pids[number] = pid;
    told[number] = false;
    tell(fd, KEEPER_STARTED, number, pid);
}

static void handle(const struct keeper_options *o, int fd, const struct keeper_message *m)
{
    if (m->number == 0 || m->number > KEEPER_MAX)
        return;
    if (m->what == KEEPER_START) {
        start(o, fd, m->number);
    } else if (pids[m->number] != 0) {
        kill(pids[m->number], m->what == KEEPER_KILL ? SIGKILL : SIGTERM);
        told[m->number] = true;
    }
}

/* True: there is still somebody. */
static bool reap(int fd)
{
    bool any = false;
    pid_t pid;
    int status;

    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (uint32_t i = 1; i <= KEEPER_MAX; i++)
            if (pids[i] == pid) {
                pids[i] = 0;
                tell(fd, KEEPER_ENDED, i, status);
            }
    for (uint32_t i = 1; i <= KEEPER_MAX && !any; i++)
        any = pids[i] != 0;
    return any;
}

/* Execd is gone, or wants us to go: so does everybody; a second SIGTERM would take time from their jobs. */
static void end_all(int sfd)
{
    struct signalfd_siginfo si;

    for (uint32_t i = 1; i <= KEEPER_MAX; i++)
        if (pids[i] != 0 && !told[i])
            kill(pids[i], SIGTERM);
    while (reap(-1))
        if (read(sfd, &si, sizeof(si)) < 0 && errno != EINTR)
            return;
}

void keeper_child(const struct keeper_options *o, int fd)
{
    struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.events = POLLIN}};
    struct keeper_message m;
    sigset_t set;
    ssize_t n = 1;

    prctl(PR_SET_NAME, "execd-keeper");
    setpgid(0, 0);    /* a terminal's Ctrl-C is execd's to handle */
    sigfillset(&set); /* what ends it is the end of the socket */
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    p[1].fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (p[1].fd < 0)
        _exit(1);
    while (n != 0) {
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if ((p[1].revents & POLLIN) != 0) {
            struct signalfd_siginfo si;

            if (read(p[1].fd, &si, sizeof(si)) > 0)
                reap(fd);
        }
        if (p[0].revents != 0 && (n = recv(fd, &m, sizeof(m), MSG_DONTWAIT)) == (ssize_t)sizeof(m))
            handle(o, fd, &m);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            break;
    }
    close(fd);
    end_all(p[1].fd);
    _exit(0);
}
