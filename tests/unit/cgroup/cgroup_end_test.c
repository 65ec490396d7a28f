/* cgroup_end_test.c - what becomes of cells' cgroups: swept, used again, removed. */
#include "cgroup_cells.h"

static void freeze(const struct cgroup *c)
{
    bool v2 = c->owner->version == 2;
    int dir = c->dirs[v2 ? 0 : CG_FREEZER];
    char text[128] = "";

    assert_int_equal(cg_write(dir, v2 ? "cgroup.freeze" : "freezer.state", v2 ? "1" : "FROZEN"), 0);
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS;; pause_ms(1)) {
        assert_int_equal(cg_read(dir, v2 ? "cgroup.events" : "freezer.state", text, sizeof(text)), 0);
        if (v2 ? cg_keyed(text, "frozen") == 1 : strcmp(text, "FROZEN\n") == 0)
            return;
        assert_true(clock_mono_ns() < end);
    }
}

enum orphan { NONE, LIVING, FROZEN };

/* A jailer of its own, which tells where it works and then hangs; with an orphan somebody is in its cell. */
static pid_t another_jailer(char root[256], enum orphan orphan)
{
    int pipe_fds[2];
    pid_t pid;

    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        struct cgroup_place *p;
        struct cgroup *c;
        struct err err = {0};

        if (cgroup_place_open(NULL, &p, &err) != 0 || p->facts.version == 0 ||
            cgroup_new(&p->groups, &c, &err) != 0)
            _exit(1);
        if (orphan != NONE) {
            start(c, sleep_on);
            await_inhabitant(c);
        }
        if (orphan == FROZEN)
            freeze(c);
        if (write(pipe_fds[1], p->facts.root, sizeof(p->facts.root)) != sizeof(p->facts.root))
            _exit(2);
        sleep_on();
    }
    close(pipe_fds[1]);
    assert_int_equal(read(pipe_fds[0], root, 256), 256);
    close(pipe_fds[0]);
    return pid;
}

static void open_and_close(void)
{
    char root[256];
    pid_t pid = another_jailer(root, NONE);

    kill(pid, SIGKILL);
    wait_for(pid);
}

static void test_leftovers_are_swept_and_neighbours_are_not(void **state)
{
    char dead[256], living[256];
    pid_t a = another_jailer(dead, LIVING), b = another_jailer(living, NONE);

    (void)state;
    assert_true(exists(dead) && exists(living));
    kill(a, SIGKILL);
    wait_for(a);
    open_and_close(); /* whoever comes next */
    assert_false(exists(dead));
    assert_true(exists(living));
    assert_true(exists(facts.root));
    kill(b, SIGKILL);
    wait_for(b);
    open_and_close();
    assert_false(exists(living));
}

/* As of a jailer that was killed between freeze and thaw.  One start is enough for all hierarchies. */
static void test_a_frozen_orphan_is_swept(void **state)
{
    char dead[256];
    pid_t pid = another_jailer(dead, FROZEN);

    (void)state;
    kill(pid, SIGKILL);
    wait_for(pid);
    assert_true(exists(dead));
    open_and_close();
    assert_false(exists(dead));
}

static int open_use_and_leave(void)
{
    struct cgroup_place *p;
    struct cgroup_facts f;
    struct cgroup *c;
    struct err err = {0};
    pid_t pid;

    if (cgroup_place_open(NULL, &p, &err) != 0 || p->facts.version == 0 ||
        cgroup_new(&p->groups, &c, &err) != 0)
        return 1;
    f = p->facts;
    pid = start(c, sleep_on);
    await_inhabitant(c);
    cgroup_place_free(p); /* with somebody in it */
    if (exists(f.root))
        return 2;
    return waitpid(pid, NULL, 0) == pid ? 0 : 3;
}

/* v1: a dead cell's group serves the next one, which finds no trace of it. */
static void test_a_group_that_is_used_again_is_as_new(void **state)
{
    const struct cgroup_limits tight = {.memory_bytes = 32 * MIB, .processes = 4, .cpu_millis = 200};
    struct cgroup *c = new_cell(&tight);
    struct cgroup_usage u;
    struct err err = {0};
    char name[sizeof(c->name)], text[64];

    (void)state;
    if (facts.version != 1 || !facts.memory || !facts.pids || !facts.cpu) {
        print_message("every cell has a group of its own here\n");
        must_go(c);
        return;
    }
    wait_for(start(c, touch_256));
    wait_for(start(c, fork_eight));
    cgroup_kill(c);
    must_empty(c);
    u = usage_of(c);
    assert_true(u.ooms > 0 && u.forks_refused > 0);
    snprintf(name, sizeof(name), "%s", c->name);
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; cg_read_u64(c->dirs[CG_PIDS], "pids.current") > 0;)
        assert_true(clock_mono_ns() < end); /* init has to take orphans first, which cells have not */
    must_go(c);
    assert_int_equal(cgroup_new(groups, &c, &err), 0);
    assert_string_equal(c->name, name);
    u = usage_of(c);
    assert_true(u.ooms == 0 && u.ooms_outside == 0 && u.forks_refused == 0 && u.processes == 0);
    assert_true(u.memory_peak <= MIB);
    assert_true(u.cpu_ns < SECOND_NS / 200);
    assert_true(cg_read_u64(c->dirs[CG_MEMORY], "memory.limit_in_bytes") > (UINT64_C(1) << 50));
    assert_int_equal(cg_read(c->dirs[CG_PIDS], "pids.max", text, sizeof(text)), 0);
    assert_string_equal(text, "max\n");
    assert_int_equal(cg_read(c->dirs[CG_CPU], "cpu.cfs_quota_us", text, sizeof(text)), 0);
    assert_string_equal(text, "-1\n");
    must_go(c);
}

static int shared_file;

static int fill_shared_file(void)
{
    static char chunk[MIB];

    for (int i = 0; i < 8; i++)
        if (write(shared_file, chunk, sizeof(chunk)) != (ssize_t)sizeof(chunk))
            return 1;
    return 0;
}

static void test_a_group_with_charges_is_not_used_again(void **state)
{
    struct cgroup *c = new_cell(&roomy);
    char name[sizeof(c->name)];

    (void)state;
    shared_file = memfd_create("outlives its writer", MFD_CLOEXEC);
    assert_int_equal(wait_for(start(c, fill_shared_file)), 0);
    snprintf(name, sizeof(name), "%s", c->name);
    must_go(c);
    c = new_cell(&roomy);
    assert_string_not_equal(c->name, name);
    if (facts.memory)
        assert_true(usage_of(c).memory_peak <= MIB);
    must_go(c);
    close(shared_file);
}

static void test_a_group_that_is_inhabited_is_not_used_again(void **state)
{
    struct cgroup *c = new_cell(&roomy);
    pid_t pid = start(c, sleep_on);

    (void)state;
    await_inhabitant(c);
    assert_false(cgroup_free(c));
    cgroup_kill(c);
    wait_for(pid);
    must_go(c);
}

/* A child of its own keeps a group as somebody who does not die does.  Patience ends once, for all that are
 * to go together: not for the cell alone, and then never for what holds it. */
static void test_what_does_not_go_is_given_up(void **state)
{
    static const char *const path[] = {"stays", "stays/cell", "stays/cell/child"};
    int base = -1;
    pid_t pid;

    (void)state;
    for (int i = CG_COUNT; i-- > 0;)
        base = groups->bases[i] >= 0 ? groups->bases[i] : base;
    for (size_t i = 0; i < COUNT_OF(path); i++)
        assert_return_code(mkdirat(base, path[i], 0755), errno);
    pid = fork();
    if (pid == 0) {
        alarm(20);
        _exit(cg_remove_tree(base, path[0]));
    }
    assert_int_equal(wait_for(pid), 0);
    assert_return_code(unlinkat(base, path[2], AT_REMOVEDIR), errno);
    assert_true(cg_remove_tree(base, path[0]));
}

static void test_free_leaves_nothing(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(open_use_and_leave());
    assert_int_equal(wait_for(pid), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_leftovers_are_swept_and_neighbours_are_not),
        cmocka_unit_test(test_a_frozen_orphan_is_swept),
        cmocka_unit_test(test_a_group_that_is_used_again_is_as_new),
        cmocka_unit_test(test_a_group_with_charges_is_not_used_again),
        cmocka_unit_test(test_a_group_that_is_inhabited_is_not_used_again),
        cmocka_unit_test(test_what_does_not_go_is_given_up),
        cmocka_unit_test(test_free_leaves_nothing),
    };
    int status = ready_for_cells();

    return status != 0 ? status : cmocka_run_group_tests(tests, NULL, close_groups);
}
