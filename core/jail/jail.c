/* jail.c - runs: asked for, answered, killed, lost. */
#include "jail_internal.h"

#include <sys/socket.h>
#include <unistd.h>

/* The jailer ends a cell at its wall limit.  An answer that is late by this much may be a cell that is slow
 * to die; a jailer that does not even answer a PING by then is stopped, or stuck in the kernel. */
#define ANSWER_GRACE_MS 10000
#define FORKS_UNDER_WAY 64 /* a zygote's, until they are in their own cgroups */
#define WATCH_MS 2000      /* while something runs: noticing costs no timer for each run */

const struct jail_facts *jail_facts(const struct jail *j)
{
    return &j->facts;
}

void jail_usage(const struct jail *j, uint64_t *ret_memory, uint64_t *ret_cpu_ns)
{
    cgroup_place_usage(j->process->place, ret_memory, ret_cpu_ns);
}

void jail_on_lost(struct jail *j, loop_fn fn, void *arg)
{
    j->lost_fn = fn;
    j->lost_arg = arg;
}

/* ---- answers --------------------------------------------------------------------- */

static void run_end(struct jail_run *r, const struct jail_outcome *outcome, const struct err *err)
{
    struct jail *j = r->jail;
    jail_done_fn done = r->done;
    void *arg = r->arg;

    TAILQ_REMOVE(&j->runs, r, link);
    j->busy--;
    free(r);
    done(arg, outcome, err);
}

static void lose(struct jail *j, const char *why)
{
    struct err err = {0};
    struct jail_run *r;

    if (j->lost)
        return;
    j->lost = true;
    loop_io_set(j->io, 0);
    loop_timer_cancel(j->watchdog);
    err_set(&err, ERR_AGAIN, "%s", why);
    while ((r = TAILQ_FIRST(&j->runs)) != NULL)
        run_end(r, NULL, &err);
    if (j->lost_fn != NULL)
        j->lost_fn(j->lost_arg);
}

static struct jail_outcome outcome_of(struct jail_done *d)
{
    jail_bool_settle(&d->measure.ran);
    jail_bool_settle(&d->measure.oom);
    jail_bool_settle(&d->measure.processes_hit);
    jail_bool_settle(&d->measure.box_hit);
    if (d->measure.hit > JOB_HIT_OUTPUT)
        d->measure.hit = JOB_HIT_NONE;
    return (struct jail_outcome){.measure = d->measure, .processes_hit = d->processes_hit, .kept_fd = -1};
}

static void answer(struct jail *j, struct jail_message *m, int *kept)
{
    struct jail_outcome outcome;
    struct jail_run *r;

    TAILQ_FOREACH (r, &j->runs, link)
        if (r->id == m->id)
            break;
    if (r == NULL)
        return;
    if (m->type == JAIL_FAILED) {
        m->u.err.text[sizeof(m->u.err.text) - 1] = '\0';
        if (m->u.err.code >= 0)
            m->u.err.code = ERR_INTERNAL;
        run_end(r, NULL, &m->u.err);
        return;
    }
    outcome = outcome_of(&m->u.done);
    outcome.kept_fd = steal_fd(kept);
    run_end(r, &outcome, NULL);
}

void jail_read(struct jail *j)
{
    for (int i = 0; i < 64 && !j->lost; i++) { /* bounded: others want the loop too */
        struct jail_message m;
        size_t count;
        int fd = -1;
        ssize_t n = cell_message_recv(j->fd, &m, sizeof(m), &fd, 1, &count, MSG_DONTWAIT);

        if (n == -EAGAIN)
            return;
        if (n <= 0) {
            lose(j, "the jailer ended");
            return;
        }
        j->pong_by_ms = 0; /* whatever it says, it lives */
        if (m.type == JAIL_DONE || m.type == JAIL_FAILED)
            answer(j, &m, &fd);
        closep(&fd);
    }
}

/* ---- silence ------------------------------------------------------------------------- */

static void expect_answer(struct jail_run *r, uint64_t within_ms)
{
    struct jail *j = r->jail;

    r->answer_by_ms = MIN(r->answer_by_ms, loop_now_ms(j->loop) + within_ms);
    if (!loop_timer_armed(j->watchdog))
        loop_timer_arm(j->watchdog, WATCH_MS);
}

static void ping(struct jail *j, uint64_t now_ms)
{
    const struct jail_message m = {.type = JAIL_PING};

    j->pong_by_ms = now_ms + ANSWER_GRACE_MS;
    if (cell_message_send(j->fd, &m, sizeof(m), NULL, 0, MSG_DONTWAIT) != 0)
        shutdown(j->fd, SHUT_RDWR); /* deaf */
}

void jail_watch(void *jail)
{
    struct jail *j = jail;
    uint64_t now = loop_now_ms(j->loop);
    struct jail_run *r;
    bool expected = false;

    jail_read(j); /* we may have been the ones who were stopped */
    if (!j->lost && j->pong_by_ms != 0 && j->pong_by_ms < now)
        lose(j, "the jailer does not answer");
    TAILQ_FOREACH (r, &j->runs, link) {
        expected = expected || r->answer_by_ms != UINT64_MAX;
        if (r->answer_by_ms < now && j->pong_by_ms == 0)
            ping(j, now);
    }
    if (!j->lost && expected)
        loop_timer_arm(j->watchdog, WATCH_MS);
}

/* ---- questions ---------------------------------------------------------------------- */

static int words(struct jail_bundle *b, uint32_t kind, const char *const *list, struct err *reterr)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && list != NULL && list[i] != NULL; i++)
        rc = jail_bundle_word(b, kind, list[i], reterr);
    return rc;
}

static int make_args(const struct jail_step *s, int *ret_fd, struct err *reterr)
{
    struct jail_bundle *b = jail_bundle_new("args");
    int rc = words(b, CELL_ENTRY_ARG, s->argv, reterr);

    if (rc == 0)
        rc = words(b, CELL_ENTRY_ENV, s->env, reterr);
    if (rc == 0)
        rc = words(b, CELL_ENTRY_KEEP, s->keep, reterr);
    if (rc != 0) {
        jail_bundle_free(b);
        return rc;
    }
    return jail_bundle_seal(b, ret_fd, reterr);
}

int jail_send_start(struct jail *j, uint32_t id, const struct jail_step *s, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_START, .id = id};
    CLEAN_FD int args = -1;
    int fds[CELL_FDS_MAX], rc;
    size_t n = 0;

    if ((rc = make_args(s, &args, reterr)) != 0)
        return rc;
    m.u.order = (struct cell_order){
        .limits = *s->limits,
        .keep_bytes = s->keep_bytes,
        .profile = (uint32_t)s->profile,
        .extra_processes = s->extra_processes + ((s->flags & JAIL_STEP_ZYGOTE) != 0 ? FORKS_UNDER_WAY : 0),
        .bundle_count = s->bundle_count,
        .flags = s->flags,
        .zygote = s->zygote != NULL ? s->zygote->id : 0,
        .has_stdin = s->stdin_fd >= 0,
        .has_warm = s->warm_fd > 0};
    fds[n++] = args;
    for (unsigned i = 0; i < s->bundle_count; i++)
        fds[n++] = s->bundles[i];
    if (s->stdin_fd >= 0)
        fds[n++] = s->stdin_fd;
    fds[n++] = s->stdout_fd;
    fds[n++] = s->stderr_fd;
    if (s->warm_fd > 0)
        fds[n++] = s->warm_fd;
    rc = cell_message_send(j->fd, &m, sizeof(m), fds, n, MSG_DONTWAIT);
    return rc == 0 ? 0 : err_set(reterr, ERR_AGAIN, "ask the jailer: %s", strerror(-rc));
}

int jail_run(struct jail *j, const struct jail_step *step, jail_done_fn done, void *arg,
             struct jail_run **ret, struct err *reterr)
{
    struct jail_run *r;
    uint32_t id = ++j->next_id;
    int rc;

    if (j->lost)
        return err_set(reterr, ERR_AGAIN, "the jailer ended");
    if (j->busy == j->cells)
        return err_set(reterr, ERR_FULL, "all %u cells are busy", j->cells);
    if (step->bundle_count > JAIL_BUNDLES_MAX || step->argv[0] == NULL)
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles or without a program",
                       step->bundle_count);
    if ((step->flags & JAIL_STEP_ZYGOTE) != 0 && !j->facts.zygotes)
        return err_set(reterr, ERR_CONFIG, "zygotes are not closed here as cells are: %.200s",
                       j->facts.no_zygotes);
    if ((rc = jail_send_start(j, id, step, reterr)) != 0)
        return rc;
    r = NEW(struct jail_run);
    r->jail = j;
    r->id = id;
    r->done = done;
    r->arg = arg;
    r->answer_by_ms = UINT64_MAX;
    TAILQ_INSERT_TAIL(&j->runs, r, link);
    j->busy++;
    r->waits = (step->flags & JAIL_STEP_WAITS) != 0;
    if (!r->waits && (step->flags & JAIL_STEP_ZYGOTE) == 0)
        expect_answer(r, step->limits->wall_ms + ANSWER_GRACE_MS);
    *ret = r;
    return 0;
}

int jail_go(struct jail_run *run, const struct jail_go *go, struct err *reterr)
{
    struct jail_message m = {.type = JAIL_GO, .id = run->id};
    int fds[JAIL_BUNDLES_MAX + 1], rc;

    if (!run->waits || go->bundle_count > JAIL_BUNDLES_MAX)
        return err_set(reterr, ERR_INTERNAL, "a GO with %u bundles, to a run that %s", go->bundle_count,
                       run->waits ? "waits" : "does not wait");
    m.u.order = (struct cell_order){
        .limits = *go->limits, .extra_processes = go->extra_processes, .bundle_count = go->bundle_count};
    for (unsigned i = 0; i < go->bundle_count; i++)
        fds[i] = go->bundles[i];
    fds[go->bundle_count] = go->go_fd;
    rc = cell_message_send(run->jail->fd, &m, sizeof(m), fds, go->bundle_count + 1u, MSG_DONTWAIT);
    if (rc != 0)
        return err_set(reterr, ERR_AGAIN, "give a job to the jailer: %s", strerror(-rc));
    run->waits = false;
    expect_answer(run, go->limits->wall_ms + ANSWER_GRACE_MS);
    return 0;
}

void jail_kill(struct jail_run *run, enum job_limit_hit why)
{
    struct jail_message m = {.type = JAIL_KILL, .id = run->id};

    m.u.why = (uint32_t)why;
    expect_answer(run, ANSWER_GRACE_MS);
    if (cell_message_send(run->jail->fd, &m, sizeof(m), NULL, 0, MSG_DONTWAIT) != 0)
        shutdown(run->jail->fd, SHUT_RDWR); /* deaf: then it ends with every cell, and we learn of it */
}
