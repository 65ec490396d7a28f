/* The cgroups of cells, on whichever version this machine has, with real processes in them.
 *
 * EXECD_TEST_CGROUP=1 or 2 insists on a version and on all of its controllers (nothing is skipped then). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "cgroup_place_internal.h"

#define MIB (UINT64_C(1) << 20)
#define SECOND_NS UINT64_C(1000000000)
#define PATIENCE_NS (20 * SECOND_NS)

static struct cgroup_place *place;
static struct cgroups *groups;
static struct cgroup_facts facts;

/* ---- text ------------------------------------------------------------------------------------ */

static void test_words(void **state)
{
    (void)state;
    assert_true(cg_has_word("cpuset cpu io memory pids\n", ' ', "cpu"));
    assert_true(cg_has_word("cpuset cpu io memory pids\n", ' ', "pids"));
    assert_false(cg_has_word("cpuset io\n", ' ', "cpu"));
    assert_true(cg_has_word("rw,cpu,cpuacct\n", ',', "cpuacct"));
    assert_false(cg_has_word("rw,cpuacct", ',', "cpu"));
    assert_false(cg_has_word("", ' ', "cpu"));
}

static void test_keyed(void **state)
{
    const char *text = "low 1\nmax 22\noom 3\noom_kill 44\noom_group_kill 5";

    (void)state;
    assert_int_equal(cg_keyed(text, "low"), 1);
    assert_int_equal(cg_keyed(text, "oom"), 3);
    assert_int_equal(cg_keyed(text, "oom_kill"), 44);
    assert_int_equal(cg_keyed(text, "oom_group_kill"), 5);
    assert_int_equal(cg_keyed(text, "kill"), 0);
    assert_int_equal(cg_keyed("", "oom"), 0);
    assert_int_equal(cg_keyed("\n\n", "oom"), 0);
}

static void test_quota(void **state)
{
    uint64_t period;

    (void)state;
    assert_int_equal(cg_cpu_quota(1000, &period), 100000);
    assert_int_equal(period, 100000);
    assert_int_equal(cg_cpu_quota(2500, &period), 250000);
    assert_int_equal(cg_cpu_quota(10, &period), 1000);
    assert_int_equal(cg_cpu_quota(1, &period), 1000); /* the kernel's smallest, of a longer period */
    assert_int_equal(period, 1000000);
}

/* ---- where we are, from files of other machines -------------------------------------------------- */

static char *fixture(const char *text)
{
    char *path = mem_dup("/tmp/cgroup_test.XXXXXX");
    CLEAN_FD int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return path;
}

static int find_in(const char *cgroup, const char *mountinfo, const char *controller, struct cg_at *ret)
{
    char *a = fixture(cgroup), *b = fixture(mountinfo);
    int rc;

    *ret = (struct cg_at){0};
    rc = cg_find(a, b, controller, ret);
    unlink(a);
    unlink(b);
    free(a);
    free(b);
    return rc;
}

static const char hybrid_cgroup[] =
    "9:name=systemd:/\n8:pids:/\n4:memory:/pool/b2ff\n2:cpu,cpuacct:/x y\n0::/u\n";
static const char hybrid_mounts[] =
    "22 27 0:21 / /proc rw,relatime - proc proc rw\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu\\040x rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n"
    "39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw,nsdelegate\n";

static void test_find_hybrid(void **state)
{
    struct cg_at at;

    (void)state;
    assert_int_equal(find_in(hybrid_cgroup, hybrid_mounts, "memory", &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup/memory/pool/b2ff");
    assert_string_equal(at.top, "/sys/fs/cgroup/memory");
    assert_int_equal(find_in(hybrid_cgroup, hybrid_mounts, "pids", &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup/pids");
    assert_int_equal(find_in(hybrid_cgroup, hybrid_mounts, "cpuacct", &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup/cpu x/x y");
    assert_int_equal(find_in(hybrid_cgroup, hybrid_mounts, NULL, &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup/unified/u");
    assert_string_equal(at.options, "rw,nsdelegate");
    assert_int_equal(find_in(hybrid_cgroup, hybrid_mounts, "freezer", &at), -ENOENT);
}

static void test_find_in_containers(void **state)
{
    struct cg_at at;

    (void)state;
    /* a part of the hierarchy is mounted, and our path is given from the hierarchy's root */
    assert_int_equal(find_in("5:memory:/docker/abc/sub\n",
                             "1 2 0:3 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
                             "memory", &at),
                     0);
    assert_string_equal(at.own, "/sys/fs/cgroup/memory/sub");
    /* of two mounts the one that holds us */
    assert_int_equal(find_in("5:memory:/docker/abc\n",
                             "1 2 0:3 /docker/abcd /a rw - cgroup cgroup rw,memory\n"
                             "1 2 0:3 / /b rw - cgroup cgroup rw,memory\n",
                             "memory", &at),
                     0);
    assert_string_equal(at.own, "/b/docker/abc");
    /* a cgroup namespace */
    assert_int_equal(find_in("0::/\n", "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", NULL, &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup");
    /* one that was entered after the mount */
    assert_int_equal(
        find_in("0::/../x\n", "1 2 0:3 /../y /sys/fs/cgroup rw - cgroup2 cgroup rw\n", NULL, &at), 0);
    assert_string_equal(at.own, "/sys/fs/cgroup");
}

static void test_find_survives_nonsense(void **state)
{
    static const char *const texts[] = {"",
                                        "\n",
                                        ":",
                                        "::",
                                        "0:",
                                        "0::",
                                        " - ",
                                        "x - cgroup2",
                                        "1 - cgroup2 \n",
                                        "\\0\\04\\040 - cgroup2 x rw\n",
                                        "0::\n\n:::::\n"};
    struct cg_at at;
    char *longest = mem_zero(1, 3 * 4096);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        for (size_t k = 0; k < COUNT_OF(texts); k++) {
            (void)!find_in(texts[i], texts[k], NULL, &at);
            (void)!find_in(texts[i], texts[k], "memory", &at);
        }
    memset(longest, 'a', 3 * 4096 - 1);
    memcpy(longest, "0::/", 4);
    assert_int_not_equal(find_in(longest, "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n", NULL, &at), 0);
    free(longest);
    assert_int_equal(cg_find("/does/not/exist", "/neither", NULL, &at), -ENOENT);
}

/* ---- processes in a cell ------------------------------------------------------------------------- */

static struct cgroup *new_cell(const struct cgroup_limits *limits)
{
    struct cgroup *c = NULL;
    struct err err = {0};

    if (cgroup_new(groups, &c, &err) != 0 || cgroup_limit(c, limits, &err) != 0)
        fail_msg("%s", err.text);
    return c;
}

static pid_t start(const struct cgroup *c, int (*body)(void))
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(cgroup_join(c) != 0 ? 99 : body());
    assert_true(pid > 0);
    return pid;
}

static int wait_for(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static struct cgroup_usage usage_of(struct cgroup *c)
{
    struct cgroup_usage u;
    struct err err = {0};

    if (cgroup_usage(c, &u, &err) != 0)
        fail_msg("%s", err.text);
    return u;
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* The kernel is asynchronous about it: patience, and a bound. */
static void must_go(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; !cgroup_free(c); pause_ms(1))
        if (clock_mono_ns() > end)
            fail_msg("a cgroup that is empty cannot be removed");
}

static void must_empty(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).processes > 0; pause_ms(1))
        if (clock_mono_ns() > end)
            fail_msg("%llu processes outlive the kill", (unsigned long long)usage_of(c).processes);
}

/* v1: a child writes itself in. */
static void await_inhabitant(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).processes == 0; pause_ms(1))
        assert_true(clock_mono_ns() < end);
}

static int touch(uint64_t bytes)
{
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return 1;
    for (uint64_t i = 0; i < bytes; i += 4096)
        p[i] = 1;
    return 0;
}

static int touch_16(void)
{
    return touch(16 * MIB);
}

static int touch_256(void)
{
    return touch(256 * MIB);
}

static __attribute__((noreturn)) int sleep_on(void)
{
    for (;;)
        pause();
}

/* A child eats; this one would live on. */
static int feed_a_child(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(touch_256());
    waitpid(pid, NULL, 0);
    sleep_on();
}

static int fork_eight(void)
{
    int refused = 0;

    for (int i = 0; i < 8; i++) {
        pid_t pid = fork();

        if (pid == 0)
            sleep_on();
        refused += pid < 0 && errno == EAGAIN;
    }
    return refused;
}

static __attribute__((noreturn)) int fork_for_ever(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;)
        if (fork() == 0)
            setsid();
}

static int burn(uint64_t wall_ns)
{
    for (uint64_t end = clock_mono_ns() + wall_ns; clock_mono_ns() < end;)
        continue;
    return 0;
}

static int burn_half_a_second(void)
{
    return burn(SECOND_NS / 2);
}

/* ---- live ------------------------------------------------------------------------------------------ */

static const struct cgroup_limits roomy = {.memory_bytes = 128 * MIB, .processes = 64, .cpu_millis = 4000};

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

static bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
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

static void test_free_leaves_nothing(void **state)
{
    pid_t pid = fork();

    (void)state;
    if (pid == 0)
        _exit(open_use_and_leave());
    assert_int_equal(wait_for(pid), 0);
}

static void test_bad_roots(void **state)
{
    static const char *const roots[] = {"relative", "", "/a/../b"};
    struct cgroup_place *p;
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(roots); i++)
        assert_int_equal(cgroup_place_open(roots[i], &p, &err), ERR_CONFIG);
}

/* ---- main -------------------------------------------------------------------------------------------- */

static int open_groups(void **state)
{
    struct err err = {0};

    (void)state;
    if (cgroup_place_open(NULL, &place, &err) != 0) {
        print_error("%s\n", err.text);
        return -1;
    }
    groups = &place->groups;
    facts = place->facts;
    return 0;
}

static int close_groups(void **state)
{
    (void)state;
    cgroup_place_free(place);
    return exists(facts.root) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest pure[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_keyed),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_find_hybrid),
        cmocka_unit_test(test_find_in_containers),
        cmocka_unit_test(test_find_survives_nonsense),
        cmocka_unit_test(test_bad_roots),
    };
    const struct CMUnitTest live[] = {
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
        cmocka_unit_test(test_leftovers_are_swept_and_neighbours_are_not),
        cmocka_unit_test(test_a_frozen_orphan_is_swept),
        cmocka_unit_test(test_a_group_that_is_used_again_is_as_new),
        cmocka_unit_test(test_a_group_with_charges_is_not_used_again),
        cmocka_unit_test(test_a_group_that_is_inhabited_is_not_used_again),
        cmocka_unit_test(test_free_leaves_nothing),
    };
    const char *wanted = getenv("EXECD_TEST_CGROUP");
    int failed;

    alarm(100); /* a process that survives its kill would hang us */
    failed = cmocka_run_group_tests(pure, NULL, NULL);
    if (failed != 0 || open_groups(NULL) != 0)
        return 1;
    print_message("cgroup v%d at %s%s%s\n", facts.version, facts.root, facts.detail[0] != '\0' ? ": " : "",
                  facts.detail);
    if (wanted == NULL && !(facts.memory && facts.pids && facts.cpu && facts.oom_group)) {
        print_message("skipped: this user has no cgroup with the memory, pids and cpu controllers here\n");
        cgroup_place_free(place);
        return 77;
    }
    if (wanted != NULL && facts.version != wanted[0] - '0') {
        print_error("cgroup version %s was asked for\n", wanted);
        return 1;
    }
    return cmocka_run_group_tests(live, NULL, close_groups);
}
