/* path_test.c - paths below another root: links never lead out of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base.h"

static char top[] = "/tmp/execd-path-XXXXXX";
static int root = -1;

static const char *const links[][2] = {
    {"/usr/lib", "lib"},       {"../../../../../../etc", "usr/out"}, {"/", "usr/top"},
    {"usr/lib/real", "plain"}, {"/proc/self/root", "magic"},         {"nowhere", "dangling"},
};

static int setup(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    root = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(root >= 0);
    assert_int_equal(mkdirat(root, "usr", 0755), 0);
    assert_int_equal(mkdirat(root, "usr/lib", 0755), 0);
    assert_int_equal(mkdirat(root, "etc", 0755), 0);
    assert_int_equal(mkdirat(root, "usr/lib/real", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(links); i++)
        assert_int_equal(symlinkat(links[i][0], root, links[i][1]), 0);
    return 0;
}

static int teardown(void **state)
{
    static const char *const dirs[] = {"usr/lib/real", "usr/lib", "usr", "etc"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(links); i++)
        unlinkat(root, links[i][1], 0);
    for (size_t i = 0; i < COUNT_OF(dirs); i++)
        unlinkat(root, dirs[i], AT_REMOVEDIR);
    close(root);
    return rmdir(top);
}

static void test_real(void **state)
{
    static const char *const good[][2] = {
        {"/", "/"},
        {"/usr/lib", "/usr/lib"},
        {"/lib/real", "/usr/lib/real"},
        {"lib/real", "/usr/lib/real"},
        {"/usr/out", "/etc"},
        {"/usr/top/usr/top/etc", "/etc"},
        {"/../../etc", "/etc"},
        {"/plain/..", "/usr/lib"},
    };
    char out[PATH_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        if (path_real_in(root, good[i][0], out, sizeof(out)) != 0 || strcmp(out, good[i][1]) != 0)
            fail_msg("%s: %s", good[i][0], out);
    }
    assert_int_equal(path_real_in(root, "/dangling", out, sizeof(out)), -ENOENT);
    assert_int_equal(path_real_in(root, "/usr/out/passwd", out, sizeof(out)),
                     -ENOENT); /* the machine has one */
    assert_int_equal(path_real_in(root, "/magic/etc/passwd", out, sizeof(out)), -ENOENT);
    assert_int_equal(path_real_in(root, "/usr/lib", out, 8), -ENAMETOOLONG);
}

static void test_real_of_the_machine(void **state)
{
    int machine = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    char out[PATH_MAX], known[PATH_MAX];

    (void)state;
    assert_int_equal(path_real_in(machine, "/proc/../tmp/.", out, sizeof(out)), 0);
    assert_non_null(realpath("/tmp", known));
    assert_string_equal(out, known);
    assert_int_equal(path_real_in(machine, "/proc/self/exe", out, sizeof(out)), -ELOOP); /* no magic */
    close(machine);
}

static void test_open_without_links(void **state)
{
    (void)state;
    assert_int_equal(path_open_in(root, "/lib/real", O_PATH, RESOLVE_NO_SYMLINKS), -ELOOP);
    assert_true(path_open_in(root, "/usr/lib/real", O_PATH, RESOLVE_NO_SYMLINKS) >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real),
        cmocka_unit_test(test_real_of_the_machine),
        cmocka_unit_test(test_open_without_links),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
