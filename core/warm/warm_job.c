/* warm_job.c - a runtime that is given to a step: a waiting program becomes a job, a zygote is forked. */
#include "warm_internal.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

bool warm_runtime_take(struct warm_runtime *rt)
{
    const bool preboot = rt->pool->way == WARM_WAY_PREBOOT; /* what others print is nobody's */
    struct pollfd p[] = {{.fd = rt->sock, .events = POLLIN},
                         {.fd = preboot ? rt->said_fd[0] : -1, .events = POLLIN},
                         {.fd = preboot ? rt->said_fd[1] : -1, .events = POLLIN}};

    /* A word too much, or its end, of which the loop has not heard yet. */
    if (poll(p, COUNT_OF(p), 0) != 0) {
        warm_runtime_end(rt, "it wrote something before its job came, or ended");
        return false;
    }
    rt->users++;
    rt->uses++;
    if (rt->pool->way != WARM_WAY_ZYGOTE)
        rt->state = WARM_BUSY;
    return true;
}

static int fill_stdin(int fd, struct bytes data, struct err *reterr)
{
    for (size_t at = 0; at < data.len;) {
        ssize_t n = pwrite(fd, data.ptr + at, data.len - at, (off_t)at);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_sys(reterr, "fill a memfd");
        at += (size_t)n;
    }
    if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
        return err_sys(reterr, "seal a memfd");
    return 0;
}

/* All at once or not at all: what the socket does not take in one piece is too much to be worth waiting for.
 */
static int send_argv(int sock, const char *const *argv, struct err *reterr)
{
    CLEAN_BUF struct buf frame = {0};
    int rc = warm_frame_put_words(&frame, EXECD_FRAME_ARGV, argv);
    ssize_t n;

    if (rc != 0)
        return err_set(reterr, rc, "make a frame: %s", strerror(-rc));
    n = send(sock, frame.data, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0)
        return err_sys(reterr, "send argv to a warm runtime");
    return (size_t)n == frame.len ? 0 : err_set(reterr, ERR_FULL, "argv is too long for a warm runtime");
}

static int go(struct warm_runtime *rt, const struct warm_go *g, struct err *reterr)
{
    struct jail_go jg = {.limits = g->limits,
                         .extra_processes = g->extra_processes,
                         .bundle_count = g->bundle_count,
                         .go_fd = rt->sock};
    int rc;

    if ((rc = fill_stdin(rt->stdin_fd, g->stdin_data, reterr)) != 0 ||
        (rc = send_argv(rt->sock, g->argv, reterr)) != 0)
        return rc;
    for (unsigned i = 0; i < g->bundle_count; i++)
        jg.bundles[i] = g->bundles[i];
    return jail_go(rt->run, &jg, reterr);
}

int warm_go(struct warm_runtime *rt, const struct warm_go *g, jail_done_fn done, void *arg, int ret_fds[2],
            struct err *reterr)
{
    int rc = g->bundle_count > JAIL_BUNDLES_MAX ? err_set(reterr, ERR_INTERNAL, "%u bundles", g->bundle_count)
                                                : go(rt, g, reterr);

    warm_turn_soon(rt->pool->warm);
    if (rc != 0) {
        warm_count_miss(rt->pool, WARM_MISS_FAULT);
        warm_runtime_end(rt, NULL); /* an argument that is too long is no fault of its own */
        return rc;
    }
    warm_runtime_hang_up(rt); /* init has what it needs */
    rt->job = true;
    rt->done = done;
    rt->arg = arg;
    ret_fds[0] = steal_fd(&rt->said_fd[0]);
    ret_fds[1] = steal_fd(&rt->said_fd[1]);
    return 0;
}

void warm_kill(struct warm_runtime *rt, enum job_limit_hit why)
{
    jail_kill(rt->run, why);
}

/* ---- a zygote's steps -------------------------------------------------------------------- */

struct jail_run *warm_zygote(struct warm_runtime *rt)
{
    return rt->run;
}

void warm_release(struct warm_runtime *rt, bool fine)
{
    struct warm_pool *pool = rt->pool;

    rt->users--;
    if (fine) {
        rt->served = true;
        warm_pool_worked(pool);
        pool->counts->steps[pool->way] += !rt->proof;
    } else {
        warm_count_miss(pool, WARM_MISS_DIED);
        warm_runtime_end(rt, "it could not fork"); /* it may have ended meanwhile */
    }
    if (rt->gone && rt->users == 0)
        warm_runtime_bury(rt);
    warm_turn_soon(pool->warm);
}
