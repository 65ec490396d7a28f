/* jailer_cells.c - runs and the cells that they get. */
#include "jailer.h"

#include <unistd.h>

#define RETRY_NS (5 * UINT64_C(1000000))         /* a cgroup that the kernel still holds is tried again */
#define BUILD_PAUSE_NS (100 * UINT64_C(1000000)) /* after a cell that could not be built */

static void run_close(struct jailer_run *r)
{
    for (size_t i = 0; i < r->fd_count; i++)
        closep(&r->fds[i]);
    r->fd_count = 0;
}

static void answer(struct jailer *j, struct jailer_run *r, const struct jail_message *m, int fd)
{
    if (jailer_send(j, m, &fd, fd >= 0) != 0)
        j->closing = true; /* a worker that cannot be told must not wait for ever */
    run_close(r);
    *r = (struct jailer_run){0};
}

static void answer_failed(struct jailer *j, struct jailer_run *r, const struct err *err)
{
    answer(j, r, &(struct jail_message){.type = JAIL_FAILED, .id = r->id, .u.err = *err}, -1);
}

static void answer_done(struct jailer *j, struct jailer_run *r, const struct cell_result *result)
{
    struct jail_message m = {.type = JAIL_DONE, .id = r->id};

    m.u.done.measure = result->measure;
    m.u.done.processes_hit = result->forks_refused;
    answer(j, r, &m, result->kept_fd);
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

static bool is_zygote(const struct jailer_run *r)
{
    return r->used && (r->order.flags & CELL_ZYGOTE) != 0;
}

/* Which cells a run may have, and which runs a cell: 0 any, a zygote its own, others those of their zygote.
 */
static uint64_t key_of(const struct jailer_run *r)
{
    return is_zygote(r) ? UINT64_C(1) << 32 | r->id : r->order.zygote;
}

void jailer_start_take(struct jailer *j, const struct jail_message *m, int *fds, size_t fd_count)
{
    struct cell_order o = m->u.order;
    size_t want;
    struct jailer_run *r = run_unused(j);
    struct jailer_run none = {.id = m->id, .fd_count = fd_count};
    struct err err = {0};

    o.has_stdin = o.has_stdin != 0; /* whatever byte was sent */
    o.has_warm = o.has_warm != 0;
    want = 1 + (size_t)o.bundle_count + o.has_stdin + 2 + o.has_warm;
    memcpy(none.fds, fds, fd_count * sizeof(fds[0]));
    if (r == NULL || run_find(j, m->id) != NULL || o.bundle_count > CELL_BUNDLES_MAX || fd_count != want) {
        err_set(&err, r == NULL ? ERR_FULL : ERR_INTERNAL,
                r == NULL ? "every cell is busy" : "a malformed START");
        answer_failed(j, &none, &err);
        return;
    }
    *r = none;
    r->used = true;
    r->order = o;
}

/* Of a run that ended meanwhile, or does not wait, it is nothing. */
void jailer_go(struct jailer *j, const struct jail_message *m, const int *fds, size_t fd_count)
{
    struct jailer_run *r = run_find(j, m->id);
    struct err err = {0};

    if (r != NULL && r->cell != NULL) {
        cell_go(r->cell, &m->u.order, fds, fd_count);
    } else if (r != NULL && (r->order.flags & CELL_WAITS) != 0) {
        err_set(&err, ERR_AGAIN, "a job for a program that has no cell yet");
        answer_failed(j, r, &err);
    }
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
    for (unsigned i = 0; i < JAIL_CELLS_MAX && is_zygote(r); i++) /* a cell that is for nobody else */
        if (j->slots[i] != NULL && j->keys[i] == key_of(r))
            cell_kill(j->slots[i], JOB_HIT_NONE);
    answer_done(j, r, &result);
}

/* Cells of this kind cannot be built now: whoever waits for one is told so, and building makes a pause. */
static void build_failed(struct jailer *j, uint64_t key, struct err *err, uint64_t now_ns)
{
    struct jailer_run *z = run_find(j, (uint32_t)key);

    err->code = ERR_AGAIN;
    if (key == 0)
        j->build_after_ns = now_ns + BUILD_PAUSE_NS;
    else if (z != NULL)
        z->build_after_ns = now_ns + BUILD_PAUSE_NS;
    for (unsigned i = 0; i < j->cells; i++)
        if (j->runs[i].used && j->runs[i].cell == NULL && key_of(&j->runs[i]) == key)
            answer_failed(j, &j->runs[i], err);
}

static void tell_end(struct jailer *j, struct cell *c, uint64_t key, uint64_t now_ns)
{
    struct jailer_run *r = run_of(j, c);
    struct cell_result result;

    cell_result_take(c, &result);
    if (r == NULL && !cell_was_ready(c))
        build_failed(j, key, &result.err, now_ns);
    else if (r != NULL && result.err.code != 0)
        answer_failed(j, r, &result.err);
    else if (r != NULL)
        answer_done(j, r, &result);
    closep(&result.kept_fd);
}

static void bury(struct jailer *j, unsigned slot, uint64_t now_ns)
{
    if (!j->told[slot])
        tell_end(j, j->slots[slot], j->keys[slot], now_ns);
    j->told[slot] = !cell_free(j->slots[slot]);
    if (!j->told[slot])
        j->slots[slot] = NULL;
}

static void start(struct jailer *j, struct jailer_run *r, struct cell *c)
{
    struct err err = {0};

    if (cell_start(c, &r->order, r->fds, r->fd_count, &err) != 0) {
        answer_failed(j, r, &err);
        cell_kill(c, JOB_HIT_NONE);
        return;
    }
    r->cell = c;
    run_close(r); /* the cell has its own by now */
}

static struct cell *ready_cell(struct jailer *j, uint64_t key)
{
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        if (j->slots[i] != NULL && j->keys[i] == key && cell_state(j->slots[i]) == CELL_READY)
            return j->slots[i];
    return NULL;
}

/* The zygote that it is to be a fork of has ended, or never was. */
static bool has_lost_zygote(struct jailer *j, const struct jailer_run *r)
{
    const struct jailer_run *z = run_find(j, r->order.zygote);

    return r->order.zygote != 0 && (z == NULL || (z->cell != NULL && cell_state(z->cell) >= CELL_ENDING));
}

static void start_waiting(struct jailer *j)
{
    for (unsigned i = 0; i < j->cells; i++) {
        struct jailer_run *r = &j->runs[i];
        struct err err = {0};
        struct cell *c;

        if (!r->used || r->cell != NULL)
            continue;
        if (r->killed != JOB_HIT_NONE) {
            answer_waiting_killed(j, r);
        } else if (has_lost_zygote(j, r)) {
            err_set(&err, ERR_AGAIN, "the zygote has ended");
            answer_failed(j, r, &err);
        } else if ((c = ready_cell(j, key_of(r))) != NULL) {
            start(j, r, c);
        }
    }
}

/* `spare` of these, ahead of the runs that wait for them.  One a turn, so that messages are heard in between.
 * Returns when to look again: now, if one was built. */
static uint64_t build(struct jailer *j, uint64_t key, unsigned spare, const struct cell *z, uint64_t after_ns,
                      uint64_t now_ns)
{
    unsigned ahead = 0, unused = JAIL_CELLS_MAX;
    struct err err = {0};

    for (unsigned i = JAIL_CELLS_MAX; i-- > 0;) {
        if (j->slots[i] == NULL)
            unused = i;
        else if (j->keys[i] == key)
            ahead += cell_state(j->slots[i]) == CELL_READY || cell_state(j->slots[i]) == CELL_BUILDING;
    }
    for (unsigned i = 0; i < j->cells; i++)
        spare += j->runs[i].used && j->runs[i].cell == NULL && key_of(&j->runs[i]) == key;
    if (ahead >= spare || unused == JAIL_CELLS_MAX)
        return UINT64_MAX;
    if (now_ns < after_ns)
        return after_ns;
    j->keys[unused] = key;
    if (cell_new(j->host, unused, key > UINT32_MAX, z, &j->slots[unused], &err) != 0)
        build_failed(j, key, &err, now_ns);
    return now_ns;
}

static uint64_t build_missing(struct jailer *j, uint64_t now_ns)
{
    uint64_t next = build(j, 0, j->spare, NULL, j->build_after_ns, now_ns);

    for (unsigned i = 0; i < j->cells && next > now_ns; i++) {
        const struct jailer_run *r = &j->runs[i];

        if (is_zygote(r) && r->cell == NULL)
            next = MIN(next, build(j, key_of(r), 0, NULL, r->build_after_ns, now_ns));
        else if (is_zygote(r) && cell_serves(r->cell))
            next = MIN(next, build(j, r->id, j->spare, r->cell, r->build_after_ns, now_ns));
    }
    return next;
}

uint64_t jailer_turn(struct jailer *j, uint64_t now_ns)
{
    uint64_t next = UINT64_MAX;

    j->living = 0;
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++) {
        if (j->slots[i] == NULL)
            continue;
        next = MIN(next, cell_check_deadlines(j->slots[i], now_ns));
        if (cell_state(j->slots[i]) == CELL_DEAD) {
            bury(j, i, now_ns);
            if (j->slots[i] != NULL)
                next = MIN(next, now_ns + RETRY_NS);
        }
        j->living += j->slots[i] != NULL;
    }
    if (j->closing)
        return next;
    start_waiting(j);
    return MIN(next, build_missing(j, now_ns));
}
