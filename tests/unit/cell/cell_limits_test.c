/* cell_limits_test.c - what a look at a running cell makes of its limits, over a cgroup and a process that
 * are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cell.c"

/* ---- a cgroup that is none -------------------------------------------------------------- */

struct cgroup {
    struct cgroup_usage usage;
    bool fails;
    unsigned acks, kills;
};

int cgroup_new(struct cgroups *g, struct cgroup **ret, struct err *reterr)
{
    (void)g, (void)ret;
    return err_set(reterr, ERR_INTERNAL, "not here");
}

int cgroup_clone_fd(const struct cgroup *c)
{
    (void)c;
    return -1;
}

int cgroup_join(const struct cgroup *c)
{
    (void)c;
    return -1;
}

size_t cgroup_join_fds(const struct cgroup *c, int ret[CG_COUNT])
{
    (void)c, (void)ret;
    return 0;
}

int cgroup_limit(struct cgroup *c, const struct cgroup_limits *l, struct err *reterr)
{
    (void)c, (void)l;
    return err_set(reterr, ERR_INTERNAL, "not here");
}

int cgroup_oom_fd(const struct cgroup *c, short *ret_events)
{
    (void)c;
    *ret_events = 0;
    return -1;
}

void cgroup_oom_ack(struct cgroup *c)
{
    c->acks++;
}

int cgroup_usage(struct cgroup *c, struct cgroup_usage *ret, struct err *reterr)
{
    *ret = c->usage;
    return c->fails ? err_set(reterr, ERR_INTERNAL, "no usage") : 0;
}

void cgroup_unthrottle(struct cgroup *c)
{
    (void)c;
}

void cgroup_kill(struct cgroup *c)
{
    c->kills++;
}

bool cgroup_free(struct cgroup *c)
{
    (void)c;
    return true;
}

void cell_setup_main(const struct cell_child *in)
{
    (void)in;
    abort();
}

/* ---- a cell that runs ------------------------------------ */

static struct cell_host host;
static struct cgroup group;
static struct cell cell;

static int setup(void **state)
{
    (void)state;
    host = (struct cell_host){.cores = 2};
    group = (struct cgroup){0};
    cell = (struct cell){.host = &host,
                         .cgroup = &group,
                         .state = CELL_RUNNING,
                         .ctl = -1,
                         .pidfd = -1,
                         .fs = -1,
                         .request = -1,
                         .wall_end_ns = NEVER_NS,
                         .cpu_limit_ns = 100 * CHECK_MIN_NS,
                         .cpu_base_ns = 7,
                         .started = true,
                         .result.kept_fd = -1};
    return 0;
}

static void ended(enum job_limit_hit hit, int code)
{
    assert_int_equal(cell.state, CELL_ENDING);
    assert_int_equal(cell.result.measure.hit, hit);
    assert_int_equal(cell.result.err.code, code);
    assert_true(group.kills > 0);
}

/* The event of cgroup v1 is gone once the usage was read, whoever read it, and does not come to poll(2). */
static void test_a_look_hears_of_a_kill(void **state)
{
    (void)state;
    group.usage.ooms = 1;
    assert_int_equal(cell_check_deadlines(&cell, 1), UINT64_MAX);
    ended(JOB_HIT_MEMORY, 0);
}

static void test_an_event_is_looked_after(void **state)
{
    const struct pollfd polls[CELL_POLLS] = {[2] = {.fd = -1, .revents = POLLIN}};

    (void)state;
    cell_on_polls(&cell, polls);
    assert_int_equal(group.acks, 1);
    assert_int_equal(cell.state, CELL_RUNNING); /* the machine's want, say */
    group.usage.ooms = 1;
    cell_on_polls(&cell, polls);
    ended(JOB_HIT_MEMORY, 0);
}

static void test_cpu_time(void **state)
{
    (void)state;
    group.usage.cpu_ns = 7 + 50 * CHECK_MIN_NS;
    assert_int_equal(cell_check_deadlines(&cell, 1), 1 + 25 * CHECK_MIN_NS);
    group.usage.cpu_ns = 7 + 100 * CHECK_MIN_NS - 1;
    assert_int_equal(cell_check_deadlines(&cell, 2), 1 + 25 * CHECK_MIN_NS); /* it is not time to look */
    assert_int_equal(cell_check_deadlines(&cell, 1 + 25 * CHECK_MIN_NS), 1 + 26 * CHECK_MIN_NS);
    group.usage.cpu_ns++;
    assert_int_equal(cell_check_deadlines(&cell, 1 + 26 * CHECK_MIN_NS), UINT64_MAX);
    ended(JOB_HIT_CPU, 0);
}

static void test_what_cannot_be_watched_ends(void **state)
{
    (void)state;
    group.fails = true;
    group.usage = (struct cgroup_usage){.cpu_ns = NEVER_NS, .ooms = 1}; /* not to be believed */
    assert_int_equal(cell_check_deadlines(&cell, 1), UINT64_MAX);
    ended(JOB_HIT_NONE, ERR_INTERNAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_look_hears_of_a_kill, setup),
        cmocka_unit_test_setup(test_an_event_is_looked_after, setup),
        cmocka_unit_test_setup(test_cpu_time, setup),
        cmocka_unit_test_setup(test_what_cannot_be_watched_ends, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
