/* jail_scan_test.c - what is found below a folder, what of it is refused, and how far the look goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail_internal.h"

static char top[] = "/tmp/execd-scan-XXXXXX";
static int top_fd;

static int make(void **state)
{
    (void)state;
    memcpy(top + strlen(top) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(top));
    top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_return_code(top_fd, errno);
    assert_int_equal(mkdirat(top_fd, "a", 0755) | mkdirat(top_fd, "a/b", 0755), 0);
    return symlinkat("/", top_fd, "a/link");
}

static int clean(void **state)
{
    char command[128];

    (void)state;
    close(top_fd);
    snprintf(command, sizeof(command), "rm -rf -- %s", top);
    return system(command); /* NOLINT(cert-env33-c): a fixed command */
}

static void file(const char *path, mode_t mode)
{
    CLEAN_FD int fd = openat(top_fd, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

    assert_return_code(fd, errno);
    assert_return_code(fchmod(fd, mode), errno);
}

static int on_found(void *arg, const char *rest, struct err *reterr)
{
    char *all = arg;

    (void)reterr;
    strcat(strcat(all, rest), " ");
    return 0;
}

/* What is found below /a, as a text; `left` things may be looked at. */
static int scan(bool guarded, size_t left, char found[256], struct err *err)
{
    const struct jail_scan s = {on_found, found, guarded, &left};

    found[0] = '\0';
    return jail_scan(&s, top_fd, "/a", err);
}

static void refused(bool guarded, size_t left, const char *why)
{
    char found[256];
    struct err err = {0};

    assert_int_equal(scan(guarded, left, found, &err), ERR_CONFIG);
    if (strstr(err.text, why) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, why);
}

static void test_privileged_files_and_ways_to_others(void **state)
{
    char found[256];
    struct err err = {0};

    (void)state;
    file("a/plain", 0755);
    assert_int_equal(scan(true, 100, found, &err), 0);
    assert_string_equal(found, "");
    file("a/b/setuid", 04755);
    assert_int_equal(scan(true, 100, found, &err), 0);
    assert_string_equal(found, "/b/setuid ");
    assert_int_equal(unlinkat(top_fd, "a/b/setuid", 0) | mkfifoat(top_fd, "a/pipe", 0644), 0);
    assert_int_equal(scan(true, 100, found, &err), 0);
    assert_string_equal(found, "/pipe ");
}

static void test_what_others_may_write(void **state)
{
    static const struct {
        const char *path;
        mode_t mode;
        const char *why;
    } cases[] = {
        {"a", 0775, "`/a` belongs to uid"},
        {"a/b", 01777, "`/a/b` belongs to uid"},
        {"a/b/file", 0646, "`/a/b/file` belongs to uid"},
        {"a/b/file", 0464, ", mode 0464; all of it must belong to root"},
    };
    char found[256];
    struct err err = {0};

    (void)state;
    file("a/b/file", 0644);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct stat st;

        assert_int_equal(fstatat(top_fd, cases[i].path, &st, 0), 0);
        assert_int_equal(fchmodat(top_fd, cases[i].path, cases[i].mode, 0), 0);
        refused(true, 100, cases[i].why);
        assert_int_equal(scan(false, 100, found, &err), 0); /* the machine's own are not ours to judge */
        assert_int_equal(fchmodat(top_fd, cases[i].path, st.st_mode, 0), 0);
    }
    assert_int_equal(scan(true, 100, found, &err), 0);
}

static void test_what_others_own(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* nobody else can give files away */
    file("a/b/file", 0644);
    assert_int_equal(fchownat(top_fd, "a/b/file", 1234, 0, 0), 0);
    refused(true, 100, "`/a/b/file` belongs to uid 1234, mode 0644");
    assert_int_equal(
        fchownat(top_fd, "a/b/file", 0, 0, 0) | fchownat(top_fd, "a/link", 1234, 0, AT_SYMLINK_NOFOLLOW), 0);
    refused(true, 100, "`/a/link` belongs to uid 1234");
}

static void test_no_end_of_looking(void **state)
{
    char found[256];
    struct err err = {0};

    (void)state;
    assert_int_equal(scan(true, 2, found, &err), 0); /* b and link */
    refused(false, 1, "there is more below `/a` than can be looked through");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_privileged_files_and_ways_to_others, make, clean),
        cmocka_unit_test_setup_teardown(test_what_others_may_write, make, clean),
        cmocka_unit_test_setup_teardown(test_what_others_own, make, clean),
        cmocka_unit_test_setup_teardown(test_no_end_of_looking, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
