/* jail_spawn.c - the jailer's start and the handshake, both before the loop turns. */
#include "jail_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDSHAKE_MS 30000
#define SOCKET_BUFFER                                                                                        \
    (1024 * 1024) /* many whole messages, so that sending does not fail for want of room                     \
                   */

static const char *const protect_names[JAIL_PROTECT_COUNT] = {
    "cgroup_memory", "cgroup_pids", "cgroup_cpu", "swap",   "userns", "pidns", "mountns",   "netns", "ipcns",
    "utsns",         "cgroupns",    "seccomp",    "rootfs", "uid",    "caps",  "oom_group", "proc"};

const char *jail_protect_name(unsigned bit_index)
{
    return bit_index < JAIL_PROTECT_COUNT ? protect_names[bit_index] : "unknown";
}

/* Between fork and exec: the socket becomes descriptor 3, nothing else goes along but stderr. */
static void exec_jailer(const char *path, int socket) __attribute__((noreturn));
static void exec_jailer(const char *path, int socket)
{
    char *const argv[] = {(char *)(uintptr_t) "execd-jailer", NULL};
    char *const env[] = {NULL};
    sigset_t none;
    int null = open("/dev/null", O_RDWR);

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0); /* a terminal's Ctrl-C is the worker's to handle */
    if (socket == JAIL_SOCKET_FD)
        fcntl(socket, F_SETFD, 0);
    else if (dup2(socket, JAIL_SOCKET_FD) < 0)
        _exit(126);
    dup2(null, STDIN_FILENO);
    dup2(null, STDOUT_FILENO);
    close_range(JAIL_SOCKET_FD + 1, ~0u, 0);
    execve(path, argv, env);
    _exit(127);
}

int jail_spawn(const char *jailer_path, int *ret_fd, pid_t *ret_pid, struct err *reterr)
{
    const int size = SOCKET_BUFFER;
    int ends[2];
    pid_t pid;

    if (access(jailer_path, X_OK) != 0)
        return err_sys(reterr, "execute the jailer `%s` (worker.jailer)", jailer_path);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(reterr, "socketpair for the jailer");
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
            setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    pid = fork();
    if (pid == 0)
        exec_jailer(jailer_path, ends[1]);
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_sys(reterr, "fork the jailer");
    }
    *ret_fd = ends[0];
    *ret_pid = pid;
    return 0;
}

static int send_hello(int fd, const struct jail_options *o, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_HELLO};
    struct jail_bundle *b = jail_bundle_new("hello");
    CLEAN_FD int words = -1;
    int rc = 0;

    m.u.hello = (struct jail_hello){JAIL_PROTOCOL_VERSION, o->cells, o->spare, o->uid_base};
    for (size_t i = 0; rc == 0 && o->mounts != NULL && o->mounts[i] != NULL; i++)
        rc = jail_bundle_word(b, CELL_ENTRY_ARG, o->mounts[i], reterr);
    if (rc == 0 && o->cgroup_root != NULL)
        rc = jail_bundle_word(b, CELL_ENTRY_ENV, o->cgroup_root, reterr);
    if (rc != 0) {
        jail_bundle_free(b);
        return rc;
    }
    if ((rc = jail_bundle_seal(b, &words, reterr)) != 0)
        return rc;
    rc = cell_message_send(fd, &m, sizeof(m), &words, 1, 0);
    return rc == 0 ? 0 : err_set(reterr, rc, "greet the jailer: %s", strerror(-rc));
}

/* Every protection that is missing and not accepted, by name. */
static int judge(const struct jail_facts *f, uint32_t accepted, struct err *reterr)
{
    uint32_t refused = f->missing & ~accepted;
    char names[160] = "";

    if (refused == 0)
        return 0;
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++) {
        size_t len = strlen(names);

        if ((refused & (UINT32_C(1) << i)) != 0)
            snprintf(names + len, sizeof(names) - len, "%s%s", len > 0 ? ", " : "", jail_protect_name(i));
    }
    return err_set(reterr, ERR_CONFIG,
                   "cannot be enforced here: %s. %.150s. Or accept by name: worker.accept_missing", names,
                   f->detail);
}

static int shake_hands(struct jail *j, const struct jail_options *o, struct err *reterr)
{
    struct jail_message m;
    struct pollfd p = {.fd = j->fd, .events = POLLIN};
    int rc = send_hello(j->fd, o, reterr), unexpected = -1, ready;
    size_t count;
    ssize_t n;

    if (rc != 0)
        return rc;
    while ((ready = poll(&p, 1, HANDSHAKE_MS)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        return err_set(reterr, ERR_INTERNAL, "the jailer did not answer within %d s", HANDSHAKE_MS / 1000);
    n = cell_message_recv(j->fd, &m, sizeof(m), &unexpected, 1, &count, 0);
    closep(&unexpected);
    if (n <= 0)
        return err_set(reterr, ERR_INTERNAL,
                       "the jailer ended without an answer; its reason is on stderr if it had one");
    if (m.type == JAIL_REFUSED) {
        *reterr = m.u.err;
        err_add(reterr, "jailer");
        return reterr->code < 0 ? reterr->code : ERR_INTERNAL;
    }
    if (m.type != JAIL_READY)
        return err_set(reterr, ERR_INTERNAL, "execd and execd-jailer are not of one build");
    j->facts = m.u.facts;
    return judge(&j->facts, o->accept_missing, reterr);
}

/* The end of our end is its end; a jailer that hangs is killed after a while. */
static void wait_gone(pid_t pid)
{
    for (int i = 0; i < 600; i++) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        poll(NULL, 0, 5);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void on_message(void *arg, int events);

int jail_open(struct loop *loop, int fd, pid_t pid, const struct jail_options *o, struct jail **ret,
              struct err *reterr)
{
    struct jail *j = NEW(struct jail);
    int rc;

    j->loop = loop;
    j->fd = fd;
    j->pid = pid;
    j->cells = o->cells;
    TAILQ_INIT(&j->runs);
    rc = shake_hands(j, o, reterr);
    if (rc != 0) {
        closep(&j->fd);
        wait_gone(pid);
        free(j);
        return rc;
    }
    j->io = loop_io_new(loop, fd, LOOP_READ, on_message, j);
    *ret = j;
    return 0;
}

static void on_message(void *arg, int events)
{
    (void)events;
    jail_read(arg);
}

/* Runs still owed an answer are forgotten: the loop turns no more. */
void jail_free(struct jail *j)
{
    struct jail_run *r;

    if (j == NULL)
        return;
    loop_io_free(j->io);
    closep(&j->fd);
    wait_gone(j->pid);
    while ((r = TAILQ_FIRST(&j->runs)) != NULL) {
        TAILQ_REMOVE(&j->runs, r, link);
        free(r);
    }
    free(j);
}
