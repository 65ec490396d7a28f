/* jailer_serve_test.c - the end of the jailer's loop, over turns and cells that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define main jailer_main
int jailer_main(int argc, char **argv);
#include "jailer.c"
#undef main

static bool deaf, dies; /* the worker is, in the first turn; the cells do, when they are killed */
static unsigned turns, kills;

/* ---- what it calls -------------------------------------------------------------------------- */

int jailer_open(struct jailer *j, struct err *reterr)
{
    (void)j;
    return err_set(reterr, ERR_INTERNAL, "not here");
}

void jailer_start_take(struct jailer *j, const struct jail_message *m, int *fds, size_t count)
{
    (void)j, (void)m, (void)fds, (void)count;
}

void jailer_go(struct jailer *j, const struct jail_message *m, const int *fds, size_t count)
{
    (void)j, (void)m, (void)fds, (void)count;
}

void jailer_kill(struct jailer *j, uint32_t id, enum job_limit_hit why)
{
    (void)j, (void)id, (void)why;
}

void jailer_kill_all(struct jailer *j)
{
    kills++;
    if (dies)
        j->living = 0;
}

/* An answer finds no room, as jailer_send() says. */
uint64_t jailer_turn(struct jailer *j, uint64_t now_ns)
{
    (void)now_ns;
    if (turns++ == 0 && deaf)
        j->closing = true;
    return UINT64_MAX;
}

enum cell_state cell_state(const struct cell *c)
{
    (void)c;
    return CELL_DEAD;
}

void cell_polls(const struct cell *c, struct pollfd ret[CELL_POLLS])
{
    (void)c, (void)ret;
}

void cell_on_polls(struct cell *c, const struct pollfd polls[CELL_POLLS])
{
    (void)c, (void)polls;
}

void cell_host_free(struct cell_host *h)
{
    (void)h;
}

/* ---- tests ---------------------------------------------------------------------------------------- */

static void serve_one(bool is_deaf, bool cell_dies)
{
    struct jailer *j = NEW(struct jailer);
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    deaf = is_deaf;
    dies = cell_dies;
    turns = kills = 0;
    j->socket = ends[0];
    j->living = 1;
    if (!deaf)
        close(ends[1]);
    serve(j);
    close(ends[0]);
    if (deaf)
        close(ends[1]);
    free(j);
}

static void test_all_cells_are_killed_at_the_workers_end(void **state)
{
    (void)state;
    serve_one(false, true);
    assert_int_equal(kills, 1);
}

static void test_all_cells_are_killed_where_it_cannot_be_answered(void **state)
{
    (void)state;
    serve_one(true, true);
    assert_int_equal(kills, 1);
}

static void test_it_does_not_wait_for_ever(void **state)
{
    const uint64_t begun = clock_mono_ns();

    (void)state;
    serve_one(true, false);
    assert_int_equal(kills, 1);
    assert_true(clock_mono_ns() - begun > CLOSING_MAX_NS);
    assert_in_range(turns, 2, 10); /* nor does it spin */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_cells_are_killed_at_the_workers_end),
        cmocka_unit_test(test_all_cells_are_killed_where_it_cannot_be_answered),
        cmocka_unit_test(test_it_does_not_wait_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
