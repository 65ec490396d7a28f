/* jailer_turn_test.c - the order of a turn, over cells that are no cells: when a run is answered, and how
 * much may be left behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "jailer.h"

enum { CELLS = 2, SPARE = 1 };

struct cell {
    enum cell_state state;
    struct cell_result result;
};

static struct jailer *jailer;
static int worker;

/* ---- cells ------------------------------------------------------------------------------------ */

int cell_new(struct cell_host *h, unsigned slot, bool zygote, const struct cell *z, struct cell **ret,
             struct err *reterr)
{
    (void)h;
    (void)slot;
    (void)zygote;
    (void)z;
    (void)reterr;
    *ret = NEW(struct cell);
    **ret = (struct cell){.state = CELL_READY, .result = {.built = true, .kept_fd = -1}};
    return 0;
}

bool cell_serves(const struct cell *c)
{
    (void)c;
    return false;
}

enum cell_state cell_state(const struct cell *c)
{
    return c->state;
}

int cell_start(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count,
               struct err *reterr)
{
    (void)o;
    (void)fds;
    (void)fd_count;
    (void)reterr;
    c->state = CELL_RUNNING;
    return 0;
}

void cell_go(struct cell *c, const struct cell_order *o, const int *fds, size_t fd_count)
{
    (void)c;
    (void)o;
    (void)fds;
    (void)fd_count;
}

uint64_t cell_check_deadlines(struct cell *c, uint64_t now_ns)
{
    (void)c;
    (void)now_ns;
    return UINT64_MAX;
}

void cell_kill(struct cell *c, enum job_limit_hit why)
{
    (void)why;
    c->state = CELL_DEAD;
}

void cell_result_take(struct cell *c, struct cell_result *ret)
{
    *ret = c->result;
}

bool cell_free(struct cell *c)
{
    assert_int_equal(c->state, CELL_DEAD);
    free(c);
    return true;
}

void jailer_send(struct jailer *j, const struct jail_message *m, const int *fds, size_t count)
{
    assert_int_equal(cell_message_send(j->socket, m, sizeof(*m), fds, count, MSG_DONTWAIT), 0);
}

/* ---- helpers ------------------------------------------------------------------------------------- */

static int setup(void **state)
{
    int ends[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    jailer = NEW(struct jailer);
    jailer->socket = ends[0];
    jailer->cells = CELLS;
    jailer->spare = SPARE;
    worker = ends[1];
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        free(jailer->slots[i]);
    close(jailer->socket);
    close(worker);
    free(jailer);
    return 0;
}

static unsigned count(enum cell_state state)
{
    unsigned n = 0;

    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        n += jailer->slots[i] != NULL && jailer->slots[i]->state == state;
    return n;
}

static void settle(enum cell_state from, enum cell_state to)
{
    for (unsigned i = 0; i < JAIL_CELLS_MAX; i++)
        if (jailer->slots[i] != NULL && jailer->slots[i]->state == from)
            jailer->slots[i]->state = to;
}

/* Until nothing is to be done at once. */
static void turn(void)
{
    for (int i = 0; i < 32 && jailer_turn(jailer, 1) <= 1; i++)
        ;
}

static void ask(uint32_t id)
{
    const struct jail_message m = {.type = JAIL_START, .id = id};
    int fds[3];

    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = dup(worker);
    jailer_start_take(jailer, &m, fds, COUNT_OF(fds));
    turn();
}

/* The id of the run that was answered; 0: none was. */
static uint32_t answered(void)
{
    struct jail_message m;
    size_t n;

    if (cell_message_recv(worker, &m, sizeof(m), NULL, 0, &n, MSG_DONTWAIT) <= 0)
        return 0;
    assert_int_equal(m.type, JAIL_DONE);
    return m.id;
}

/* ---- tests ------------------------------------------------------------------------------------------ */

/* ... once, and its place is another's while the cell still ends. */
static void test_a_settled_cell_is_answered_for(void **state)
{
    (void)state;
    turn();
    ask(1);
    assert_int_equal(count(CELL_RUNNING), 1);
    assert_int_equal(answered(), 0);
    settle(CELL_RUNNING, CELL_SETTLED);
    turn();
    assert_int_equal(answered(), 1);
    ask(2);
    ask(3);
    assert_int_equal(count(CELL_RUNNING), CELLS);
    assert_int_equal(count(CELL_SETTLED), 1);
    settle(CELL_SETTLED, CELL_DEAD);
    turn();
    assert_int_equal(answered(), 0);
    assert_int_equal(count(CELL_DEAD), 0);
}

/* No more than a bounded number is left behind: beyond it an answer is worth the cell's own end.  Building
 * goes on, so nobody waits for a cell that does not end but who ran in it. */
static void test_what_ends_is_bounded(void **state)
{
    const uint32_t most = CELLS + SPARE;

    (void)state;
    turn();
    for (uint32_t id = 1; id <= most; id++) {
        ask(id);
        settle(CELL_RUNNING, CELL_SETTLED);
        turn();
        assert_int_equal(answered(), id);
    }
    ask(most + 1);
    settle(CELL_RUNNING, CELL_SETTLED);
    turn();
    assert_int_equal(answered(), 0);
    assert_int_equal(count(CELL_SETTLED), most + 1);
    assert_int_equal(count(CELL_READY), SPARE);
    ask(most + 2); /* the other place is free, and there is a cell for it */
    assert_int_equal(count(CELL_RUNNING), 1);
    settle(CELL_SETTLED, CELL_DEAD);
    turn();
    assert_int_equal(answered(), most + 1);
    assert_int_equal(answered(), 0);
    assert_int_equal(count(CELL_SETTLED) + count(CELL_DEAD), 0);
}

/* A kill of what is settled changes no result: it is the cell's, which has its own already. */
static void test_a_cell_is_told_once(void **state)
{
    (void)state;
    turn();
    ask(1);
    settle(CELL_RUNNING, CELL_SETTLED);
    turn();
    assert_int_equal(answered(), 1);
    jailer_kill(jailer, 1, JOB_HIT_WALL);
    assert_int_equal(count(CELL_SETTLED), 1);
    settle(CELL_SETTLED, CELL_DEAD);
    turn();
    assert_int_equal(answered(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_settled_cell_is_answered_for, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_ends_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_cell_is_told_once, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
