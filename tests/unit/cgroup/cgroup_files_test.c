/* cgroup_files_test.c - what the kernel's small files say, from files of other machines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "cgroup_place_internal.h"

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

/* ---- what v1 says of a want of memory ------------------------------------------------------------ */

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static void put(int dir, const char *name, const char *text)
{
    CLEAN_FD int fd = openat(dir, name, O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

/* A cell's own want comes with an event, the machine's with none, even where the limit was hit before and
 * something could be reclaimed. */
static void test_whose_want_of_memory(void **state)
{
    static const struct {
        const char *failcnt, *peak, *control;
        uint64_t events, ooms, outside;
    } cases[] = {
        {"0\n", "4096\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", 0, 0, 0},
        {"7\n", "4096\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", 0, 0, 0},
        {"7\n", "1048576\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1, 1, 0},
        {"0\n", "1048576\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", 1, 1, 0},
        {"0\n", "4096\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 1, 0, 1},
        {"0\n", "4096\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 0, 0, 1},
        {"7\n", "1048576\n", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n", 0, 0, 1},
    };
    char path[] = "/tmp/cgroup_test.XXXXXX";
    struct cgroups g = CGROUPS_NONE;

    (void)state;
    assert_non_null(mkdtemp(path));
    g.version = 1;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct cgroup c = {.owner = &g, .dirs = {-1, -1, -1, -1, -1}, .event_fd = eventfd(0, EFD_NONBLOCK)};
        CLEAN_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct cgroup_usage u;
        struct err err = {0};

        c.dirs[CG_MEMORY] = dir;
        put(dir, "memory.failcnt", cases[i].failcnt);
        put(dir, "memory.max_usage_in_bytes", cases[i].peak);
        put(dir, "memory.limit_in_bytes", "1048576\n");
        put(dir, "memory.oom_control", cases[i].control);
        put(dir, "cgroup.procs", "");
        if (cases[i].events > 0)
            assert_int_equal(eventfd_write(c.event_fd, cases[i].events), 0);
        assert_int_equal(cgroup_usage(&c, &u, &err), 0);
        if (u.ooms != cases[i].ooms || u.ooms_outside != cases[i].outside)
            fail_msg("case %zu: %llu of its own, %llu of others'", i, (unsigned long long)u.ooms,
                     (unsigned long long)u.ooms_outside);
        close(c.event_fd);
    }
    assert_int_equal(nftw(path, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_keyed),
        cmocka_unit_test(test_quota),
        cmocka_unit_test(test_find_hybrid),
        cmocka_unit_test(test_find_in_containers),
        cmocka_unit_test(test_find_survives_nonsense),
        cmocka_unit_test(test_bad_roots),
        cmocka_unit_test(test_whose_want_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
