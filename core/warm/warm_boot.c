/* warm_boot.c - one runtime: its start in a cell, what it says before its job, its end.
 *
 * The standard descriptors are made before the job is known: stdin is a memfd that is filled and sealed when
 * the job comes (the program has the same open file, whose offset stays 0), stdout and stderr are pipes
 * in which nothing may lie by then. */
#include "warm_internal.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define TOOK_FROM_SOCKET 65536

static void on_run_done(void *arg, const struct jail_outcome *outcome, const struct err *err);

/* ---- the end ------------------------------------------------------------------------ */

void warm_runtime_hang_up(struct warm_runtime *rt)
{
    loop_io_free(rt->sock_io);
    loop_io_free(rt->said_io);
    rt->sock_io = rt->said_io = NULL;
    closep(&rt->sock);
    closep(&rt->stdin_fd);
}

void warm_runtime_free(struct warm_runtime *rt)
{
    warm_runtime_hang_up(rt);
    warm_service_free(rt);
    warm_reader_done(&rt->reader);
    closep(&rt->said_fd[0]);
    closep(&rt->said_fd[1]);
    free(rt);
}

/* The last of what it wrote to stdout and stderr, for the log: a runtime that is well says nothing. */
static void remember(struct warm_runtime *rt, const char *bytes, size_t len)
{
    size_t n = MIN(len, (size_t)SAID_MAX);

    if (n == 0)
        return;
    memcpy(rt->said, bytes + (len - n), n);
    rt->said[n] = '\0';
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)rt->said[i] < 0x20 || (unsigned char)rt->said[i] > 0x7e)
            rt->said[i] = ' ';
}

static void read_last_words(struct warm_runtime *rt)
{
    char chunk[4096];

    for (size_t i = 0; i < COUNT_OF(rt->said_fd); i++) {
        ssize_t n = rt->said_fd[i] < 0 ? 0 : read(rt->said_fd[i], chunk, sizeof(chunk));

        remember(rt, chunk, n > 0 ? (size_t)n : 0);
    }
}

void warm_runtime_end(struct warm_runtime *rt, const char *failed)
{
    if (rt->state == WARM_ENDING)
        return;
    rt->state = WARM_ENDING;
    if (failed != NULL && !rt->failed) {
        rt->failed = true;
        read_last_words(rt);
        warm_pool_failed(rt->pool, failed);
    }
    warm_runtime_hang_up(rt);
    jail_kill(rt->run, JOB_HIT_NONE);
    warm_turn_soon(rt->pool->warm);
}

/* Why it ended although nobody wanted it to. */
static void describe_end(const struct warm_runtime *rt, const struct jail_outcome *o, const struct err *err,
                         char *out, size_t size)
{
    int n;

    if (err != NULL)
        n = snprintf(out, size, "%s", err->text);
    else if (o == NULL)
        n = snprintf(out, size, "it ended");
    else if (o->measure.signal != 0)
        n = snprintf(out, size, "it ended by signal %d", o->measure.signal);
    else
        n = snprintf(out, size, "it ended with exit code %d", o->measure.exit_code);
    if (n > 0 && (size_t)n < size && rt->said[0] != '\0')
        snprintf(out + n, size - (size_t)n, ", and said: %s", rt->said);
}

void warm_runtime_bury(struct warm_runtime *rt)
{
    struct warm_pool *pool = rt->pool;

    TAILQ_REMOVE(&pool->runtimes, rt, link);
    warm_runtime_free(rt);
    warm_turn_soon(pool->warm);
}

/* Its cell is gone. */
static void on_run_done(void *arg, const struct jail_outcome *outcome, const struct err *err)
{
    struct warm_runtime *rt = arg;
    struct warm_pool *pool = rt->pool;
    char why[320];

    if (rt->job) {
        if (err != NULL)
            warm_count_miss(pool, WARM_MISS_DIED);
        else if (!rt->proof)
            pool->counts->steps[pool->way]++;
        if (err != NULL)
            warm_pool_failed(pool, err->text);
        else
            warm_pool_worked(pool);
        rt->done(rt->arg, outcome, err);
    } else {
        if (outcome != NULL && outcome->kept_fd >= 0)
            close(outcome->kept_fd);
        if (rt->state != WARM_ENDING && !rt->failed) {
            read_last_words(rt);
            describe_end(rt, outcome, err, why, sizeof(why));
            warm_pool_failed(pool, why);
        }
        rt->state = WARM_ENDING;
        if (rt->service != NULL)
            warm_service_fail(rt, WARM_MISS_DIED);
    }
    rt->gone = true;
    if (rt->job || rt->users == 0)
        warm_runtime_bury(rt);
}

/* ---- what it says ---------------------------------------------------------------------- */

static void become_ready(struct warm_runtime *rt)
{
    rt->state = WARM_IDLE;
    warm_reader_refuse_all(&rt->reader);
    warm_turn_soon(rt->pool->warm);
}

/* Before its job the one thing that it may say is that it is ready, once. */
static void hear_boot(struct warm_runtime *rt, struct bytes in)
{
    struct warm_frame f;
    int rc;

    while (rt->state != WARM_ENDING && (rc = warm_reader_next(&rt->reader, &in, &f)) != 0) {
        if (rc < 0)
            warm_runtime_end(rt, "it said something else than that it is ready");
        else
            become_ready(rt);
    }
}

static void on_sock(void *arg, int events)
{
    struct warm_runtime *rt = arg;
    char chunk[TOOK_FROM_SOCKET];
    ssize_t n;

    if ((events & LOOP_WRITE) != 0 && rt->service != NULL)
        warm_service_writable(rt);
    if ((events & LOOP_READ) == 0 || rt->sock < 0)
        return;
    n = recv(rt->sock, chunk, sizeof(chunk), MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) { /* it ends, or has closed its end: its cell's end says more, if it comes */
        loop_io_set(rt->sock_io, 0);
        if (rt->state != WARM_ENDING && rt->state != WARM_BOOTING && rt->service == NULL)
            warm_runtime_end(rt, "it closed its descriptor");
        else if (rt->service != NULL)
            warm_service_fail(rt, WARM_MISS_DIED);
        return;
    }
    if (rt->service != NULL)
        warm_service_hear(rt, (struct bytes){chunk, (size_t)n});
    else
        hear_boot(rt, (struct bytes){chunk, (size_t)n});
}

/* What a service or zygote prints is nobody's output. */
static void on_said(void *arg, int events)
{
    struct warm_runtime *rt = arg;
    char chunk[4096];
    ssize_t n = read(rt->said_fd[0], chunk, sizeof(chunk));

    (void)events;
    if (n > 0) {
        remember(rt, chunk, (size_t)n);
    } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
        loop_io_free(rt->said_io);
        rt->said_io = NULL;
    }
}

/* ---- the start ---------------------------------------------------------------------------- */

static int prepare_pool(struct warm_pool *pool, struct err *reterr)
{
    int rc = 0;

    if (pool->plan == NULL)
        rc = plugin_lang_warm_plan(pool->lang, pool->way, pool->variant, &pool->plan, reterr);
    if (rc == 0 && pool->bundle < 0)
        rc = warm_bundle(pool->plan, PLUGIN_PHASE_RUN, &pool->bundle, reterr);
    return rc;
}

/* Two pipes for the job that it will be, one for both where nobody will read it as a job's. */
static int open_output(struct warm_runtime *rt, int theirs[2], struct err *reterr)
{
    int rc = jail_output_pipe(&rt->said_fd[0], &theirs[0], reterr);

    if (rc != 0)
        return rc;
    if (rt->pool->way == WARM_WAY_PREBOOT)
        return jail_output_pipe(&rt->said_fd[1], &theirs[1], reterr);
    rt->said_io = loop_io_new(rt->pool->warm->o.loop, rt->said_fd[0], LOOP_READ, on_said, rt);
    return 0;
}

static int open_socket(struct warm_runtime *rt, int *ret_theirs, struct err *reterr)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
        return err_sys(reterr, "socketpair for a warm runtime");
    rt->sock = ends[0];
    *ret_theirs = ends[1];
    rt->sock_io = loop_io_new(rt->pool->warm->o.loop, rt->sock, LOOP_READ, on_sock, rt);
    return 0;
}

static int launch(struct warm_runtime *rt, struct err *reterr)
{
    struct warm_pool *pool = rt->pool;
    const struct plugin_step *step = &pool->plan->run;
    const bool zygote = pool->way == WARM_WAY_ZYGOTE; /* whose descriptor 3 is the jailer's */
    struct jail_step js = {.flags = zygote ? JAIL_STEP_ZYGOTE : JAIL_STEP_WAITS};
    int out[2] = {-1, -1}, rc;
    CLEAN_FD int theirs = -1;

    rt->stdin_fd = memfd_create("stdin", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (rt->stdin_fd < 0)
        return err_sys(reterr, "memfd for a warm runtime");
    if ((rc = open_output(rt, out, reterr)) == 0 &&
        (zygote || (rc = open_socket(rt, &theirs, reterr)) == 0)) {
        js.argv = (const char *const *)step->argv;
        js.env = (const char *const *)step->env;
        js.bundles[js.bundle_count++] = pool->bundle;
        js.stdin_fd = rt->stdin_fd;
        js.stdout_fd = out[0];
        js.stderr_fd = out[1] >= 0 ? out[1] : out[0];
        js.limits = &pool->limits;
        js.extra_processes = step->extra_processes;
        js.profile = (enum jail_profile)step->profile;
        js.warm_fd = zygote ? 0 : theirs;
        rc = jail_run(pool->warm->o.jail, &js, on_run_done, rt, &rt->run, reterr);
    }
    closep(&out[0]);
    closep(&out[1]);
    return rc;
}

int warm_boot(struct warm_pool *pool, struct err *reterr)
{
    struct warm_runtime *rt = NEW(struct warm_runtime);
    int rc = prepare_pool(pool, reterr);

    rt->pool = pool;
    rt->sock = rt->stdin_fd = rt->said_fd[0] = rt->said_fd[1] = -1;
    rt->born_ms = loop_now_ms(pool->warm->o.loop);
    warm_reader_refuse_all(&rt->reader);
    rt->reader.max[EXECD_FRAME_READY] = 0;
    if (rc != 0 || (rc = launch(rt, reterr)) != 0) {
        warm_runtime_free(rt);
        return rc;
    }
    TAILQ_INSERT_TAIL(&pool->runtimes, rt, link);
    if (pool->way == WARM_WAY_ZYGOTE)
        become_ready(rt); /* a step waits in the jailer until it can fork */
    return 0;
}
