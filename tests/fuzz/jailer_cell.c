/* jailer_cell.c - see jailer_cell.h. */
#include "jailer_cell.h"

#include "fuzz.h"
#include "jail/jail_protocol.h"

struct cell_host {
    uint32_t uid_base;
    struct cgroups groups;
};

struct cell {
    enum cell_state state;
    bool ready;
    unsigned slot;
    bool zygote, forked;
    struct cell_result result;
};

bool fake_cells_fail, fake_cells_slow;
static struct cell *living[JAIL_CELLS_MAX];

/* ---- the host ------------------------------------------------------------------------------ */

int cell_host_open(const struct cell_host_options *o, struct cell_host **ret, struct err *reterr)
{
    struct cell_entry_view e;
    size_t at = 0;
    int rc;

    while ((rc = cell_entry_next(o->root, &at, &e)) == 1)
        continue;
    if (rc != 0) {
        struct cgroups groups = o->groups;

        cgroups_close(&groups); /* they are the host's, whatever becomes of it */
        return err_set(reterr, ERR_INTERNAL, "what cells show is malformed");
    }
    *ret = NEW(struct cell_host);
    (*ret)->uid_base = o->uid_base;
    (*ret)->groups = o->groups;
    return 0;
}

void cell_host_free(struct cell_host *h)
{
    if (h != NULL)
        cgroups_close(&h->groups);
    free(h);
}

/* Whatever was announced as a directory came along, and what is a bool is one. */
void cgroups_close(struct cgroups *g)
{
    FUZZ_CHECK(memchr(g->name, '\0', sizeof(g->name)) != NULL && strchr(g->name, '/') == NULL);
    FUZZ_CHECK(g->swap_file || !g->swap_file);
    FUZZ_CHECK(g->peak_file || !g->peak_file);
    FUZZ_CHECK(g->made_room || !g->made_room);
    for (int i = 0; i < CG_COUNT; i++) {
        FUZZ_CHECK(g->has[i] || !g->has[i]);
        FUZZ_CHECK(g->shared[i] || !g->shared[i]);
        FUZZ_CHECK(g->bases[i] == -1 || fcntl(g->bases[i], F_GETFD) >= 0);
        for (int k = 0; k < i; k++)
            FUZZ_CHECK(g->bases[i] == -1 || g->bases[i] != g->bases[k]);
        closep(&g->bases[i]);
    }
    *g = CGROUPS_NONE;
}

/* ---- cells ---------------------------------------------------------------------------------- */

int cell_new(struct cell_host *h, unsigned slot, bool zygote, const struct cell *z, struct cell **ret,
             struct err *reterr)
{
    struct cell *c;

    FUZZ_CHECK(h != NULL && slot < JAIL_CELLS_MAX && living[slot] == NULL);
    if (fake_cells_fail)
        return err_set(reterr, ERR_AGAIN, "no cells today");
    c = NEW(struct cell);
    c->slot = slot;
    c->zygote = zygote;
    c->forked = z != NULL;
    FUZZ_CHECK(z == NULL || cell_serves(z));
    c->ready = !fake_cells_slow;
    c->state = c->ready ? CELL_READY : CELL_BUILDING;
    c->result.kept_fd = -1;
    living[slot] = *ret = c;
    return 0;
}

bool cell_serves(const struct cell *c)
{
    return c->zygote && c->state == CELL_RUNNING;
}

enum cell_state cell_state(const struct cell *c)
{
    return c->state;
}

bool cell_was_ready(const struct cell *c)
{
    return c->ready;
}

int cell_start(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count,
               struct err *reterr)
{
    FUZZ_CHECK(c->state == CELL_READY);
    FUZZ_CHECK(((o->flags & CELL_ZYGOTE) != 0) == c->zygote);
    FUZZ_CHECK(c->zygote || (o->zygote != 0) == c->forked);
    FUZZ_CHECK(o->has_stdin || !o->has_stdin);
    FUZZ_CHECK(o->has_warm || !o->has_warm);
    if (o->bundle_count > CELL_BUNDLES_MAX || o->profile < 1 || o->profile > 3)
        return err_set(reterr, ERR_INTERNAL, "a step with %u bundles and profile %u", o->bundle_count,
                       o->profile);
    FUZZ_CHECK(fd_count == 3u + o->bundle_count + o->has_stdin + o->has_warm);
    for (size_t i = 0; i < fd_count; i++)
        FUZZ_CHECK(fcntl(fds[i], F_GETFD) >= 0);
    c->result.measure.ran = true;
    c->state = CELL_RUNNING;
    return 0;
}

void cell_go(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count)
{
    FUZZ_CHECK(c->state != CELL_BUILDING && c->state != CELL_READY && o != NULL);
    for (size_t i = 0; i < fd_count; i++)
        FUZZ_CHECK(fcntl(fds[i], F_GETFD) >= 0);
}

void cell_polls(const struct cell *c, struct pollfd ret[CELL_POLLS])
{
    (void)c;
    for (int i = 0; i < CELL_POLLS; i++)
        ret[i] = (struct pollfd){.fd = -1};
}

void cell_on_polls(struct cell *c, const struct pollfd polls[CELL_POLLS])
{
    (void)c;
    (void)polls;
}

uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns)
{
    (void)c;
    (void)now_ns;
    return UINT64_MAX;
}

void cell_kill(struct cell *c, enum job_limit_hit why)
{
    FUZZ_CHECK(why <= JOB_HIT_OUTPUT);
    if (c->state == CELL_DEAD)
        return;
    c->result.measure.hit = why;
    c->state = CELL_DEAD;
}

void cell_result_take(struct cell *c, struct cell_result *ret)
{
    FUZZ_CHECK(c->state == CELL_DEAD);
    *ret = c->result;
    c->result.kept_fd = -1;
    if (!c->ready)
        err_set(&ret->err, ERR_INTERNAL, "the cell ended before it was used");
}

bool cell_free(struct cell *c)
{
    FUZZ_CHECK(c->state == CELL_DEAD);
    living[c->slot] = NULL;
    free(c);
    return true;
}

/* ---- what the target does --------------------------------------------------------------------- */

unsigned fake_cell_count(void)
{
    unsigned n = 0;

    for (size_t i = 0; i < COUNT_OF(living); i++)
        n += living[i] != NULL;
    return n;
}

void fake_cell_advance(unsigned n)
{
    unsigned count = fake_cell_count();

    if (count == 0)
        return;
    n %= count;
    for (size_t i = 0; i < COUNT_OF(living); i++) {
        if (living[i] == NULL || n-- > 0)
            continue;
        if (living[i]->state == CELL_BUILDING) {
            living[i]->state = CELL_READY;
            living[i]->ready = true;
        } else if (living[i]->state == CELL_RUNNING) {
            living[i]->state = CELL_DEAD;
        }
        return;
    }
}
