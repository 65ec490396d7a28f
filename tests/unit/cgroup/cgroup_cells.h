/* cgroup_cells.h - cells' cgroups on whichever version this machine has, with real processes in them.
 *
 * EXECD_TEST_CGROUP=1 or 2 insists on a version and on all of its controllers (nothing is skipped then). */
#ifndef EXECD_TESTS_CGROUP_CELLS_H
#define EXECD_TESTS_CGROUP_CELLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

static const struct cgroup_limits roomy = {.memory_bytes = 128 * MIB, .processes = 64, .cpu_millis = 4000};

/* ---- processes in a cell ------------------------------------------------------------------------- */

static inline struct cgroup *new_cell(const struct cgroup_limits *limits)
{
    struct cgroup *c = NULL;
    struct err err = {0};

    if (cgroup_new(groups, &c, &err) != 0 || cgroup_limit(c, limits, &err) != 0)
        fail_msg("%s", err.text);
    return c;
}

static inline pid_t start(const struct cgroup *c, int (*body)(void))
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(cgroup_join(c) != 0 ? 99 : body());
    assert_true(pid > 0);
    return pid;
}

static inline int wait_for(pid_t pid)
{
    int status = -1;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static inline struct cgroup_usage usage_of(struct cgroup *c)
{
    struct cgroup_usage u;
    struct err err = {0};

    if (cgroup_usage(c, &u, &err) != 0)
        fail_msg("%s", err.text);
    return u;
}

static inline void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

/* The kernel is asynchronous about it: patience, and a bound. */
static inline void must_go(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; !cgroup_free(c); pause_ms(1))
        if (clock_mono_ns() > end)
            fail_msg("a cgroup that is empty cannot be removed");
}

static inline void must_empty(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).processes > 0; pause_ms(1))
        if (clock_mono_ns() > end)
            fail_msg("%llu processes outlive the kill", (unsigned long long)usage_of(c).processes);
}

/* v1: a child writes itself in. */
static inline void await_inhabitant(struct cgroup *c)
{
    for (uint64_t end = clock_mono_ns() + PATIENCE_NS; usage_of(c).processes == 0; pause_ms(1))
        assert_true(clock_mono_ns() < end);
}

static inline int touch(uint64_t bytes)
{
    char *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return 1;
    for (uint64_t i = 0; i < bytes; i += 4096)
        p[i] = 1;
    return 0;
}

static inline int touch_16(void)
{
    return touch(16 * MIB);
}

static inline int touch_256(void)
{
    return touch(256 * MIB);
}

static inline __attribute__((noreturn)) int sleep_on(void)
{
    for (;;)
        pause();
}

/* A child eats; this one would live on. */
static inline int feed_a_child(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(touch_256());
    waitpid(pid, NULL, 0);
    sleep_on();
}

static inline int fork_eight(void)
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

static inline __attribute__((noreturn)) int fork_for_ever(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (;;)
        if (fork() == 0)
            setsid();
}

static inline int burn(uint64_t wall_ns)
{
    for (uint64_t end = clock_mono_ns() + wall_ns; clock_mono_ns() < end;)
        continue;
    return 0;
}

static inline int burn_half_a_second(void)
{
    return burn(SECOND_NS / 2);
}

/* ---- before and after --------------------------------------------------------------------------- */

static inline bool exists(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static inline int open_groups(void **state)
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

static inline int close_groups(void **state)
{
    (void)state;
    cgroup_place_free(place);
    return exists(facts.root) ? -1 : 0;
}

/* 0 if cells can be had here, else the program's exit status. */
static inline int ready_for_cells(void)
{
    const char *wanted = getenv("EXECD_TEST_CGROUP");

    alarm(100); /* a process that survives its kill would hang us */
    if (open_groups(NULL) != 0)
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
    return 0;
}

#endif
