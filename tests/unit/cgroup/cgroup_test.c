/* cgroup_test.c - limits, measures and kills of cells, whose processes are real. */
#include "cgroup_cells.h"

#include <linux/sched.h>
#include <poll.h>
#include <sys/syscall.h>

static void test_facts(void **state)
{
    struct stat st;

    (void)state;
    assert_true(facts.version == 1 || facts.version == 2);
    assert_true(facts.memory && facts.pids && facts.cpu && facts.oom_group);
    assert_int_equal(stat(facts.root, &st), 0);
    assert_string_equal(strrchr(facts.root, '/') + 1, groups->name);
}

static void test_peak_within_the_limit(void **state)
{
    struct cgroup *c = new_cell(&roomy);
    struct cgroup_usage u;

    (void)state;
    assert_int_equal(wait_for(start(c, touch_16)), 0);
    u = usage_of(c);
    assert_true(u.memory_peak >= 16 * MIB && u.memory_peak < 64 * MIB);
    assert_int_equal(u.ooms, 0);
    assert_int_equal(u.ooms_outside, 0);
    assert_int_equal(u.forks_refused, 0);
    assert_int_equal(u.processes, 0);
    must_go(c);
}

static void await_oom(struct cgroup *c)
{
    short events = 0;
    int fd = cgroup_oom_fd(c, &events);
    struct pollfd p = {.fd = fd, .events = events};

    assert_true(fd >= 0);
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).ooms == 0;) {
        if (clock_mono_ns() > end || poll(&p, 1, (int)(PATIENCE_NS / 1000000)) != 1)
            fail_msg("no word of the OOM");
        cgroup_oom_ack(c);
    }
}

static void test_memory_limit(void **state)
{
    const struct cgroup_limits tight = {.memory_bytes = 32 * MIB, .processes = 64};
    struct cgroup *c = new_cell(&tight);
    short events;
    struct pollfd quiet = {.fd = cgroup_oom_fd(c, &events), .events = events};
    pid_t pid;
    int status;

    (void)state;
    quiet.events = events;
    assert_int_equal(poll(&quiet, 1, 0), 0); /* nothing to tell yet */
    pid = start(c, touch_256);
    await_oom(c);
    status = wait_for(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(usage_of(c).memory_peak <= 32 * MIB + MIB && usage_of(c).memory_peak > 24 * MIB);
    assert_true(usage_of(c).ooms >= 1);
    assert_int_equal(usage_of(c).ooms_outside, 0);
    must_go(c);
}

/* v2: by the kernel; v1: by whoever got the event. */
static void test_oom_takes_the_whole_cell(void **state)
{
    const struct cgroup_limits tight = {.memory_bytes = 32 * MIB, .processes = 64};
    struct cgroup *c = new_cell(&tight);
    pid_t pid = start(c, feed_a_child);
    int status;

    (void)state;
    await_oom(c);
    if (facts.version == 1)
        cgroup_kill(c);
    status = wait_for(pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    must_empty(c);
    must_go(c);
}

/* A limit above the cells that is hit is no fault of the cell. */
static void test_oom_of_a_parent_is_not_ours(void **state)
{
    const char *file = facts.version == 1 ? "memory.limit_in_bytes" : "memory.max";
    const struct cgroup_limits wide = {.memory_bytes = 512 * MIB, .processes = 64};
    struct cgroup *c = new_cell(&wide);
    int status;

    (void)state;
    assert_int_equal(cg_write(groups->bases[CG_MEMORY], file, "%d", (int)(32 * MIB)), 0);
    status = wait_for(start(c, touch_256));
    assert_int_equal(cg_write(groups->bases[CG_MEMORY], file, facts.version == 1 ? "-1" : "max"), 0);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(usage_of(c).ooms, 0);
    assert_true(usage_of(c).ooms_outside >= 1);
    must_go(c);
}

static void test_processes_limit(void **state)
{
    const struct cgroup_limits few = {.memory_bytes = 64 * MIB, .processes = 4};
    struct cgroup *c = new_cell(&few);
    int status = wait_for(start(c, fork_eight));

    (void)state;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5); /* itself and three more */
    assert_int_equal(usage_of(c).processes, 3);
    assert_true(usage_of(c).forks_refused >= 5);
    cgroup_kill(c);
    must_empty(c);
    assert_int_equal(usage_of(c).processes, 0);
    must_go(c);
}

static void test_cpu_is_measured_and_limited(void **state)
{
    const struct cgroup_limits slow = {.memory_bytes = 64 * MIB, .cpu_millis = 200};
    struct cgroup *c = new_cell(&roomy);
    uint64_t free_ns, slow_ns;

    (void)state;
    assert_int_equal(wait_for(start(c, burn_half_a_second)), 0);
    free_ns = usage_of(c).cpu_ns;
    must_go(c);
    c = new_cell(&slow);
    assert_int_equal(wait_for(start(c, burn_half_a_second)), 0);
    slow_ns = usage_of(c).cpu_ns;
    must_go(c);
    assert_true(free_ns > SECOND_NS / 50 && free_ns < SECOND_NS);
    assert_true(slow_ns > SECOND_NS / 100);
    /* 0.5 s at 20 % and a period's grace at either end; a busy machine only makes it less. */
    assert_true(slow_ns <= SECOND_NS / 10 + SECOND_NS / 20 + SECOND_NS / 50);
}

static void test_limits_can_be_lifted(void **state)
{
    const struct cgroup_limits tight = {.memory_bytes = 8 * MIB, .processes = 2, .cpu_millis = 5}, none = {0};
    struct cgroup *c = new_cell(&tight);
    struct err err = {0};

    (void)state;
    if (cgroup_limit(c, &roomy, &err) != 0 || cgroup_limit(c, &tight, &err) != 0 ||
        cgroup_limit(c, &none, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(wait_for(start(c, touch_16)), 0);
    assert_true(usage_of(c).memory_peak >= 16 * MIB);
    must_go(c);
}

static void test_kill_beats_a_fork_bomb(void **state)
{
    const struct cgroup_limits bomb = {.memory_bytes = 256 * MIB, .processes = 100};

    (void)state;
    for (int round = 0; round < 5; round++) {
        struct cgroup *c = new_cell(&bomb);
        pid_t pid = start(c, fork_for_ever);

        for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).forks_refused == 0; pause_ms(1))
            assert_true(clock_mono_ns() < end);
        assert_true(usage_of(c).processes > 0);
        assert_false(cgroup_free(c)); /* c stays */
        cgroup_kill(c);
        wait_for(pid);
        must_empty(c);
        must_go(c);
    }
}

static void test_kill_of_the_stopped_and_the_empty(void **state)
{
    struct cgroup *c = new_cell(&roomy);
    pid_t pid;

    (void)state;
    cgroup_kill(c);
    assert_int_equal(usage_of(c).processes, 0);
    pid = start(c, sleep_on);
    await_inhabitant(c);
    kill(pid, SIGSTOP);
    cgroup_kill(c);
    assert_true(WIFSIGNALED(wait_for(pid)));
    must_empty(c);
    must_go(c);
    assert_true(cgroup_free(NULL));
}

static int use_without_paths(void)
{
    struct cgroup *c = NULL;
    struct cgroup_usage u;
    struct err err = {0};
    pid_t pid;
    int status = -1;

    if (chdir("/proc/self/fdinfo") != 0 || chroot(".") != 0) /* no cgroup, and soon nothing, to be seen */
        return geteuid() == 0 ? 1 : 0;
    if (cgroup_new(groups, &c, &err) != 0 || cgroup_limit(c, &roomy, &err) != 0)
        return 2;
    pid = start(c, touch_16);
    if (waitpid(pid, &status, 0) != pid || status != 0 || cgroup_usage(c, &u, &err) != 0)
        return 3;
    cgroup_kill(c);
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; !cgroup_free(c); pause_ms(1))
        if (clock_mono_ns() > end)
            return 4;
    return u.memory_peak >= 16 * MIB ? 0 : 5;
}

static void test_no_path_is_needed_afterwards(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(use_without_paths());
    assert_int_equal(wait_for(pid), 0);
    groups->next += 8; /* the child counted for itself */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_facts),
        cmocka_unit_test(test_peak_within_the_limit),
        cmocka_unit_test(test_memory_limit),
        cmocka_unit_test(test_oom_takes_the_whole_cell),
        cmocka_unit_test(test_oom_of_a_parent_is_not_ours),
        cmocka_unit_test(test_processes_limit),
        cmocka_unit_test(test_cpu_is_measured_and_limited),
        cmocka_unit_test(test_limits_can_be_lifted),
        cmocka_unit_test(test_kill_beats_a_fork_bomb),
        cmocka_unit_test(test_kill_of_the_stopped_and_the_empty),
        cmocka_unit_test(test_no_path_is_needed_afterwards),
    };
    int status = ready_for_cells();

    return status != 0 ? status : cmocka_run_group_tests(tests, NULL, close_groups);
}
