/* jailer_cells.c - runs and the cells that they get. */
#include "jailer.h"

#include <unistd.h>

#define RETRY_NS (5 * UINT64_C(1000000)) /* a cgroup that the kernel still holds is tried again */

static void run_close(struct jailer_run *r)
{
    for (size_t i = 0; i < r->fd_count; i++)
        closep(&r->fds[i]);
    r->fd_count = 0;
}

static void answer_failed(struct jailer *j, struct jailer_run *r, const struct err *err)
{
    struct jail_message m = {.type = JAIL_FAILED, .id = r->id};

    m.u.err = *err;
    if (jailer_send(j, &m, -1) != 0)
        j->closing = true; /* a worker that cannot be told must not wait for ever */
    run_close(r);
    *r = (struct jailer_run){0};
}

static void answer_done(struct jailer *j, struct jailer_run *r, const struct cell_result *result)
{
    struct jail_message m = {.type = JAIL_DONE, .id = r->id};

    m.u.done.measure = result->measure;
    m.u.done.processes_hit = result->forks_refused;
    if (jailer_send(j, &m, result->kept_fd) != 0)
        j->closing = true;
    *r = (struct jailer_run){0};
}

/* ---- messages ---------------------------------------------------------------------- */

static struct jailer_run *run_find(struct jailer *j, uint32_t id)
{
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        if (j->runs[i].used && j->runs[i].id == id)
            return &j->runs[i];
    return NULL;
}

static struct jailer_run *run_unused(struct jailer *j)
{
    for (unsigned i = 0; i < j->cells; i++)
        if (!j->runs[i].used)
            return &j->runs[i];
    return NULL;
}

void jailer_start_take(struct jailer *j, const struct jail_message *m, int *fds, size_t fd_count)
{
    const struct jail_start *s = &m->u.start;
    size_t want = 1 + (size_t)s->bundle_count + (s->has_stdin ? 1u : 0u) + 2;
    struct jailer_run *r = run_unused(j);
    struct jailer_run none = {.id = m->id, .fd_count = fd_count};
    struct err err = {0};

    memcpy(none.fds, fds, fd_count * sizeof(fds[0]));
    if (r == NULL || run_find(j, m->id) != NULL || s->bundle_count > CELL_BUNDLES_MAX || fd_count != want) {
        err_set(&err, r == NULL ? ERR_FULL : ERR_INTERNAL,
                r == NULL ? "every cell is busy" : "a malformed START");
        answer_failed(j, &none, &err);
        return;
    }
    *r = none;
    r->used = true;
    r->start = *s;
}

void jailer_kill(struct jailer *j, uint32_t id, enum job_limit_hit why)
{
    struct jailer_run *r = run_find(j, id);

    if (r == NULL)
        return; /* it ended meanwhile */
    if (r->cell != NULL)
        cell_kill(r->cell, why);
    else
        r->killed = why == JOB_HIT_NONE ? JOB_HIT_WALL : why;
}

void jailer_kill_all(struct jailer *j)
{
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        if (j->slots[i] != NULL)
            cell_kill(j->slots[i], JOB_HIT_NONE);
}

unsigned jailer_living(const struct jailer *j)
{
    unsigned n = 0;

    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        n += j->slots[i] != NULL;
    return n;
}

/* ---- a turn -------------------------------------------------------------------------- */

static struct jailer_run *run_of(struct jailer *j, const struct cell *c)
{
    for (unsigned i = 0; i < j->cells; i++)
        if (j->runs[i].used && j->runs[i].cell == c)
            return &j->runs[i];
    return NULL;
}

/* A killed run that waited counts as started and ended by that limit. */
static void answer_waiting_killed(struct jailer *j, struct jailer_run *r)
{
    struct cell_result result = {.kept_fd = -1};

    result.measure = (struct job_measure){.ran = true, .exit_code = -1, .signal = 9, .hit = r->killed};
    run_close(r);
    answer_done(j, r, &result);
}

static void bury(struct jailer *j, unsigned slot)
{
    struct cell *c = j->slots[slot];
    struct jailer_run *r = run_of(j, c);
    struct cell_result result;

    if (r != NULL) {
        cell_result_take(c, &result);
        if (result.err.code != 0)
            answer_failed(j, r, &result.err);
        else
            answer_done(j, r, &result);
        closep(&result.kept_fd);
    }
    if (cell_free(c))
        j->slots[slot] = NULL;
}

static void start(struct jailer *j, struct jailer_run *r, struct cell *c)
{
    struct cell_start s = {.limits = r->start.limits,
                           .profile = r->start.profile,
                           .keep_bytes = r->start.keep_bytes,
                           .extra_processes = r->start.extra_processes,
                           .bundle_count = r->start.bundle_count,
                           .args_fd = r->fds[0],
                           .stdin_fd = r->start.has_stdin ? r->fds[r->fd_count - 3] : -1,
                           .stdout_fd = r->fds[r->fd_count - 2],
                           .stderr_fd = r->fds[r->fd_count - 1]};
    struct err err = {0};

    for (unsigned i = 0; i < s.bundle_count; i++)
        s.bundles[i] = r->fds[1 + i];
    if (cell_start(c, &s, &err) != 0) {
        answer_failed(j, r, &err);
        cell_kill(c, JOB_HIT_NONE);
        return;
    }
    r->cell = c;
    run_close(r); /* the cell has its own by now */
}

static struct cell *ready_cell(struct jailer *j)
{
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        if (j->slots[i] != NULL && cell_state(j->slots[i]) == CELL_READY)
            return j->slots[i];
    return NULL;
}

static void start_waiting(struct jailer *j)
{
    for (unsigned i = 0; i < j->cells; i++) {
        struct jailer_run *r = &j->runs[i];
        struct cell *c;

        if (!r->used || r->cell != NULL)
            continue;
        if (r->killed != JOB_HIT_NONE) {
            answer_waiting_killed(j, r);
            continue;
        }
        c = ready_cell(j);
        if (c == NULL)
            return;
        start(j, r, c);
    }
}

/* Fails the runs that wait: cells cannot be built on this machine any more. */
static void fail_waiting(struct jailer *j, const struct err *err)
{
    for (unsigned i = 0; i < j->cells; i++)
        if (j->runs[i].used && j->runs[i].cell == NULL)
            answer_failed(j, &j->runs[i], err);
}

/* One a turn, so that messages are heard in between. */
static bool build(struct jailer *j)
{
    unsigned ahead = 0, unused = JAIL_CELLS_MAX,
             limit = MIN(2 * (j->cells + j->spare), (unsigned)JAIL_CELLS_MAX);
    struct err err = {0};

    for (unsigned i = limit; i-- > 0;) {
        if (j->slots[i] == NULL)
            unused = i;
        else
            ahead += cell_state(j->slots[i]) == CELL_READY || cell_state(j->slots[i]) == CELL_BUILDING;
    }
    for (unsigned i = 0; i < j->cells; i++)
        if (j->runs[i].used && j->runs[i].cell == NULL)
            ahead = ahead > 0 ? ahead - 1 : 0; /* spoken for */
    if (ahead >= j->spare || unused == JAIL_CELLS_MAX)
        return false;
    if (cell_new(j->host, unused, &j->slots[unused], &err) != 0) {
        err.code = ERR_AGAIN;
        fail_waiting(j, &err);
        return false;
    }
    return true;
}

uint64_t jailer_turn(struct jailer *j, uint64_t now_ns)
{
    uint64_t next = UINT64_MAX;

    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++) {
        if (j->slots[i] == NULL)
            continue;
        next = MIN(next, cell_check_deadlines(j->slots[i], now_ns));
        if (cell_state(j->slots[i]) == CELL_DEAD) {
            bury(j, i);
            if (j->slots[i] != NULL)
                next = MIN(next, now_ns + RETRY_NS);
        }
    }
    if (j->closing)
        return next;
    start_waiting(j);
    return build(j) ? now_ns : next;
}
