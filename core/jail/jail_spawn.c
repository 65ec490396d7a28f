/* jail_spawn.c - the jailer's start, the handshake, the end. */
#include "jail_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"

#define HANDSHAKE_MS 30000
#define PROBE_MAX (16 << 20)
/* Many whole messages, so that sending does not fail for want of room. */
#define SOCKET_BUFFER (1024 * 1024)

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
    signal(SIGCHLD, SIG_DFL);
    setpgid(0, 0); /* a terminal's Ctrl-C is the worker's to handle */
    umask(022);    /* what is made for cells is open to their uids, whatever our own umask */
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

/* The program that will be run in cells first; beside the jailer. */
static int read_beside(const char *jailer_path, const char *name, struct bytes *ret, struct err *reterr)
{
    const char *slash = strrchr(jailer_path, '/');
    CLEAN_FREE char *path =
        mem_printf("%.*s%s", slash == NULL ? 0 : (int)(slash + 1 - jailer_path), jailer_path, name);
    CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    size_t got = 0;
    ssize_t n;
    char *bytes;

    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(reterr, "open `%s`, which belongs beside the jailer (worker.jailer)", path);
    if (st.st_size > PROBE_MAX)
        return err_set(reterr, ERR_CONFIG, "`%s` has %lld bytes: that is none of ours", path,
                       (long long)st.st_size);
    bytes = mem_zero((size_t)st.st_size + 1, 1);
    *ret = (struct bytes){bytes, (size_t)st.st_size};
    while (got < ret->len && (n = read(fd, bytes + got, ret->len - got)) > 0)
        got += (size_t)n;
    return got == ret->len ? 0 : err_sys(reterr, "read `%s`", path);
}

static int start_jailer(struct jail_process *p, const char *jailer_path, struct err *reterr)
{
    const int size = SOCKET_BUFFER;
    int ends[2];

    if (access(jailer_path, X_OK) != 0)
        return err_sys(reterr, "execute the jailer `%s` (worker.jailer)", jailer_path);
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(reterr, "socketpair for the jailer");
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
            setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    p->pid = fork();
    if (p->pid == 0)
        exec_jailer(jailer_path, ends[1]);
    close(ends[1]);
    p->fd = ends[0];
    return p->pid < 0 ? err_sys(reterr, "fork the jailer") : 0;
}

/* At once: from here on the jailer removes what was made, whatever becomes of us. */
static int hand_over_groups(const struct jail_process *p, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_GROUPS};
    int fds[CG_COUNT], rc;
    size_t n = 0;

    m.u.groups = p->place->groups;
    for (int i = 0; i < CG_COUNT; i++)
        if (m.u.groups.bases[i] >= 0)
            fds[n++] = m.u.groups.bases[i];
    rc = cell_message_send(p->fd, &m, sizeof(m), fds, n, 0);
    return rc == 0 ? 0 : err_set(reterr, rc, "hand the cgroups to the jailer: %s", strerror(-rc));
}

int jail_spawn(const char *jailer_path, const char *cgroup_root, struct jail_process **ret,
               struct err *reterr)
{
    struct jail_process *p = NEW(struct jail_process);
    struct err ignored = {0};
    int rc;

    p->fd = -1;
    p->pid = -1;
    if (read_beside(jailer_path, "execd-zygote", &p->zygote, &ignored) != 0) /* then there are no zygotes */
        p->zygote.len = 0;
    if ((rc = read_beside(jailer_path, "execd-probe", &p->probe, reterr)) != 0 ||
        (rc = cgroup_place_open(cgroup_root, &p->place, reterr)) != 0 ||
        (rc = start_jailer(p, jailer_path, reterr)) != 0 || (rc = hand_over_groups(p, reterr)) != 0) {
        jail_process_free(p);
        return rc;
    }
    *ret = p;
    return 0;
}

pid_t jail_process_pid(const struct jail_process *p)
{
    return p->pid;
}

/* ---- the handshake ----------------------------------------------------------------------- */

static int send_hello(int fd, const struct jail_options *o, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_HELLO};
    int rc;

    m.u.hello = (struct jail_hello){JAIL_PROTOCOL_VERSION, o->cells, o->spare, o->uid_base};
    rc = cell_message_send(fd, &m, sizeof(m), &o->root_fd, 1, 0);
    return rc == 0 ? 0 : err_set(reterr, rc, "greet the jailer: %s", strerror(-rc));
}

static int shake_hands(struct jail *j, const struct jail_options *o, struct err *reterr)
{
    struct jail_message m;
    struct pollfd p = {.fd = j->fd, .events = POLLIN};
    int rc = send_hello(j->fd, o, reterr), ready;
    size_t count = 0;
    ssize_t n;

    if (rc != 0)
        return rc;
    while ((ready = poll(&p, 1, HANDSHAKE_MS)) < 0 && errno == EINTR)
        ;
    if (ready == 0)
        return err_set(reterr, ERR_INTERNAL, "the jailer did not answer within %d s", HANDSHAKE_MS / 1000);
    n = cell_message_recv(j->fd, &m, sizeof(m), NULL, 0, &count, 0);
    if (n <= 0)
        return err_set(reterr, ERR_INTERNAL,
                       "the jailer ended without an answer; its reason is on stderr if it had one");
    if (m.type == JAIL_REFUSED) {
        m.u.err.text[sizeof(m.u.err.text) - 1] = '\0';
        *reterr = m.u.err;
        if (reterr->code >= 0)
            reterr->code = ERR_INTERNAL;
        return err_add(reterr, "jailer");
    }
    if (m.type != JAIL_READY)
        return err_set(reterr, ERR_INTERNAL, "execd and execd-jailer are not of one build");
    jail_bool_settle(&m.u.as_root);
    jail_facts_begin(&j->facts, &j->process->place->facts, m.u.as_root);
    return 0;
}

/* The end of our end is its end; a jailer that hangs is killed after a while.  Where it has privileges that
 * we gave up it cannot be, and ends by itself as soon as it runs again. */
static void wait_gone(pid_t pid)
{
    if (child_gone_within(pid, 3000) || (kill(pid, SIGKILL) == 0 && child_gone_within(pid, 3000)))
        return;
    LOG_ERROR("jailer_hangs", F_INT("pid", pid), F_STR("hint", "it is left behind; look at it as root"));
}

void jail_process_free(struct jail_process *p)
{
    if (p == NULL)
        return;
    closep(&p->fd);
    if (p->pid > 0)
        wait_gone(p->pid);
    cgroup_place_free(p->place);
    free((void *)(uintptr_t)p->probe.ptr);
    free((void *)(uintptr_t)p->zygote.ptr);
    free(p);
}

static void on_message(void *arg, int events)
{
    (void)events;
    jail_read(arg);
}

int jail_open(struct loop *loop, struct jail_process *p, const struct jail_options *o, struct jail **ret,
              struct err *reterr)
{
    struct jail *j = NEW(struct jail);
    int rc;

    j->loop = loop;
    j->process = p;
    j->fd = steal_fd(&p->fd);
    j->cells = o->cells;
    TAILQ_INIT(&j->runs);
    j->watchdog = loop_timer_new(loop, jail_watch, j);
    if ((rc = shake_hands(j, o, reterr)) != 0 ||
        (rc = jail_verify(j, p->probe, p->zygote, o->uid_base, reterr)) != 0 ||
        (rc = jail_facts_judge(&j->facts, o->accept_missing, reterr)) != 0) {
        jail_free(j);
        return rc;
    }
    freep(&p->probe.ptr);
    freep(&p->zygote.ptr);
    p->probe = p->zygote = (struct bytes){0};
    j->io = loop_io_new(loop, j->fd, LOOP_READ, on_message, j);
    *ret = j;
    return 0;
}

/* Runs still owed an answer are forgotten: the loop turns no more. */
void jail_free(struct jail *j)
{
    struct jail_run *r;

    if (j == NULL)
        return;
    loop_io_free(j->io);
    loop_timer_free(j->watchdog);
    closep(&j->fd);
    jail_process_free(j->process);
    while ((r = TAILQ_FIRST(&j->runs)) != NULL) {
        TAILQ_REMOVE(&j->runs, r, link);
        free(r);
    }
    free(j);
}
