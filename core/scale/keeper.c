/* keeper.c - execd's end of the keeper's socket (theory of operation: keeper.h). */
#include "keeper_internal.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "log/log.h"

/* A message to each of KEEPER_MAX workers, so that none is not told for want of room. */
#define SOCKET_BUFFER (1024 * 1024)
#define KILLED_MS 5000 /* that a killed worker may take to be gone */
#define GONE_MS 3000   /* the same for the keeper, which has nothing to do any more */

struct kept {
    bool there; /* asked for, and its end was not told yet */
    bool told;  /* to end; once more would mean that its jobs get no more time */
    int64_t pid;
    loop_fn ended;
    void *arg;
};

struct keeper {
    pid_t pid;
    int fd;
    struct loop *loop;
    struct loop_io *io;
    struct loop_timer *patience;
    struct kept kept[KEEPER_MAX + 1];
    unsigned count;
    bool stopping, lost;
    bool killed;       /* the last word to those that are there still */
    bool orphans_told; /* by the kernel: keeper_child.c asks it to, and becoming another user forgets that */
    loop_fn on_lost, on_stopped;
    void *lost_arg, *stopped_arg;
};

int keeper_spawn(const struct keeper_options *o, struct keeper **ret, struct err *reterr)
{
    const int size = SOCKET_BUFFER;
    struct keeper *k;
    int ends[2];
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(reterr, "socketpair for the workers' keeper");
    for (int i = 0; i < 2; i++)
        if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
            setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    pid = fork();
    if (pid == 0) { /* the jailer's socket must not be held open here: its end is what ends the jailer */
        if (dup2(ends[1], 3) < 0 || fcntl(3, F_SETFD, FD_CLOEXEC) != 0)
            _exit(1);
        close_range(4, ~0u, 0);
        keeper_child(o, 3);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return err_sys(reterr, "fork the workers' keeper");
    }
    k = NEW(struct keeper);
    k->pid = pid;
    k->fd = ends[0];
    k->orphans_told = geteuid() != 0 && getauxval(AT_SECURE) == 0;
    *ret = k;
    return 0;
}

/* ---- what it tells ------------------------------------------------------------------------ */

static void stopped_check(struct keeper *k)
{
    loop_fn fn = k->on_stopped;

    if (!k->stopping || k->count > 0 || fn == NULL)
        return;
    k->on_stopped = NULL;
    loop_timer_cancel(k->patience);
    loop_post(k->loop, fn, k->stopped_arg);
}

static void on_ended(struct keeper *k, uint32_t number, int64_t status)
{
    struct kept w = k->kept[number];

    if (!w.there)
        return;
    k->kept[number] = (struct kept){0};
    k->count--;
    LOG_INFO("worker_ended", F_UINT("number", number), F_INT("pid", w.pid),
             F_INT("exit_code", status >= 0 && WIFEXITED((int)status) ? WEXITSTATUS((int)status) : -1),
             F_INT("signal", status >= 0 && WIFSIGNALED((int)status) ? WTERMSIG((int)status) : 0),
             F_INT("errno", status < 0 ? -status : 0));
    if (w.ended != NULL && !k->stopping)
        w.ended(w.arg);
    stopped_check(k);
}

/* Nobody is left who could tell: they are asked to go by us, and counted as gone. */
static void on_lost(struct keeper *k)
{
    k->lost = true;
    loop_io_free(k->io);
    k->io = NULL;
    for (uint32_t i = 1; i <= KEEPER_MAX; i++) {
        if (k->kept[i].pid > 0 && !k->kept[i].told && !k->orphans_told)
            kill((pid_t)k->kept[i].pid, SIGTERM);
        k->kept[i] = (struct kept){0};
    }
    k->count = 0;
    if (k->stopping)
        stopped_check(k);
    else if (k->on_lost != NULL)
        k->on_lost(k->lost_arg);
}

static void on_readable(void *arg, int events)
{
    struct keeper *k = arg;
    struct keeper_message m;
    const ssize_t n = recv(k->fd, &m, sizeof(m), MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n != (ssize_t)sizeof(m)) {
        on_lost(k);
    } else if (m.number >= 1 && m.number <= KEEPER_MAX) {
        if (m.what == KEEPER_STARTED && k->kept[m.number].there)
            k->kept[m.number].pid = m.value;
        else if (m.what == KEEPER_ENDED)
            on_ended(k, m.number, m.value);
    }
}

static void kill_worker(struct keeper *k, uint32_t number)
{
    const struct keeper_message m = {KEEPER_KILL, number, 0};

    LOG_WARN("worker_killed", F_UINT("number", number), F_STR("reason", "it did not end in time"));
    if (send(k->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        LOG_WARN("keeper_full", F_UINT("number", number));
}

/* In the kernel's hands, or the keeper does not listen: a stop does not wait for that. */
static void leave_behind(struct keeper *k, uint32_t number)
{
    LOG_ERROR("worker_hangs", F_UINT("number", number), F_INT("pid", k->kept[number].pid),
              F_STR("hint", "it was killed and is left behind; look at it as root"));
    k->kept[number] = (struct kept){0};
    k->count--;
}

static void on_patience(void *arg)
{
    struct keeper *k = arg;

    for (uint32_t i = 1; i <= KEEPER_MAX; i++)
        if (k->kept[i].there && k->killed)
            leave_behind(k, i);
        else if (k->kept[i].there)
            kill_worker(k, i);
    k->killed = true;
    loop_timer_arm(k->patience, KILLED_MS);
    stopped_check(k);
}

void keeper_open(struct keeper *k, struct loop *loop, loop_fn lost, void *arg)
{
    k->loop = loop;
    k->on_lost = lost;
    k->lost_arg = arg;
    k->patience = loop_timer_new(loop, on_patience, k);
    k->io = loop_io_new(loop, k->fd, LOOP_READ, on_readable, k);
}

/* ---- what it is told ------------------------------------------------------------------------- */

static int ask(struct keeper *k, uint32_t what, uint32_t number, struct err *reterr)
{
    const struct keeper_message m = {what, number, 0};

    if (k->lost || send(k->fd, &m, sizeof(m), MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
        return err_set(reterr, ERR_AGAIN, "the workers' keeper does not take messages: %s",
                       k->lost ? "it is gone" : strerror(errno));
    return 0;
}

int keeper_start(struct keeper *k, uint32_t number, loop_fn ended, void *arg, struct err *reterr)
{
    int rc;

    if (number == 0 || number > KEEPER_MAX || k->kept[number].there)
        return err_set(reterr, ERR_CONFLICT, "worker %u: %s", number,
                       number == 0 || number > KEEPER_MAX ? "there is no such number"
                                                          : "it is there already");
    if (k->stopping)
        return err_set(reterr, ERR_AGAIN, "this execd is stopping");
    if ((rc = ask(k, KEEPER_START, number, reterr)) != 0)
        return rc;
    k->kept[number] = (struct kept){.there = true, .ended = ended, .arg = arg};
    k->count++;
    return 0;
}

void keeper_end(struct keeper *k, uint32_t number)
{
    struct err err = {0};

    if (number < 1 || number > KEEPER_MAX || !k->kept[number].there)
        return;
    if (ask(k, KEEPER_TERM, number, &err) != 0)
        LOG_WARN("worker_not_told", F_UINT("number", number), F_STR("reason", err.text));
    else
        k->kept[number].told = true;
}

int64_t keeper_pid(const struct keeper *k, uint32_t number)
{
    return number >= 1 && number <= KEEPER_MAX ? k->kept[number].pid : 0;
}

void keeper_stop(struct keeper *k, uint64_t patience_ms, loop_fn fn, void *arg)
{
    k->stopping = true;
    k->on_stopped = fn;
    k->stopped_arg = arg;
    for (uint32_t i = 1; i <= KEEPER_MAX; i++)
        if (!k->kept[i].told)
            keeper_end(k, i);
    loop_timer_arm(k->patience, patience_ms);
    stopped_check(k);
}

/* The end of our end is its end.  Where it has privileges that we gave up it cannot be killed by us. */
static void wait_gone(pid_t pid)
{
    if (child_gone_within(pid, GONE_MS) || (kill(pid, SIGKILL) == 0 && child_gone_within(pid, GONE_MS)))
        return;
    LOG_ERROR("keeper_hangs", F_INT("pid", pid), F_STR("hint", "it is left behind; look at it as root"));
}

void keeper_free(struct keeper *k)
{
    if (k == NULL)
        return;
    loop_io_free(k->io);
    loop_timer_free(k->patience);
    closep(&k->fd);
    wait_gone(k->pid);
    free(k);
}
