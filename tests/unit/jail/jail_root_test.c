/* jail_root_test.c - a root file system that is, or of which something is, another's, and one that somebody
 * changes between our look at it and the jailer's. */
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

static struct loop *loop;
static char top[] = "/tmp/execd-root-XXXXXX", root[64], aside[64], usr[96], usr_aside[96];

static int make(void **state)
{
    struct err err = {0};
    char path[128];

    (void)state;
    memcpy(top + strlen(top) - 6, "XXXXXX", 6);
    assert_non_null(mkdtemp(top));
    snprintf(root, sizeof(root), "%s/root", top);
    snprintf(aside, sizeof(aside), "%s/aside", top);
    snprintf(usr, sizeof(usr), "%s/usr", root);
    snprintf(usr_aside, sizeof(usr_aside), "%s/aside", root);
    assert_int_equal(mkdir(root, 0755) | mkdir(usr, 0755), 0);
    snprintf(path, sizeof(path), "%s/lib", usr);
    assert_int_equal(mkdir(path, 0755), 0);
    return loop_new(&loop, &err);
}

static int clean(void **state)
{
    char command[128];

    (void)state;
    loop_free(loop);
    snprintf(command, sizeof(command), "rm -rf -- %s", top);
    return system(command); /* NOLINT(cert-env33-c): a fixed command */
}

/* Looks, has `change` happen, goes on: what the jailer says. */
static void refused_after(void (*change)(void), const char *why)
{
    const struct jail_root described = {.rootfs = root};
    struct jail_options o = {.cells = 1, .spare = 1, .uid_base = 1900000000u};
    const char *path = getenv("EXECD_TEST_JAILER");
    struct jail_process *p;
    struct jail *jail = NULL;
    struct err err = {0};

    assert_int_equal(jail_root_describe(&described, &o.root_fd, &err), 0);
    change();
    assert_int_equal(
        jail_spawn(path != NULL ? path : EXECD_JAILER, getenv("EXECD_TEST_CGROUP_ROOT"), &p, &err), 0);
    assert_int_not_equal(jail_open(loop, p, &o, &jail, &err), 0);
    if (strstr(err.text, why) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, why);
    close(o.root_fd);
}

static void swap_usr(void)
{
    assert_int_equal(rename(usr, usr_aside) | symlink("/usr", usr), 0);
}

static void swap_root(void)
{
    assert_int_equal(rename(root, aside) | symlink("/", root), 0);
}

static void remove_usr(void)
{
    assert_int_equal(rename(usr, usr_aside), 0);
}

static void test_a_folder_becomes_a_link(void **state)
{
    (void)state;
    refused_after(swap_usr, "clone the mounts of `/usr`: Too many levels of symbolic links");
}

static void test_the_root_becomes_a_link(void **state)
{
    (void)state;
    refused_after(swap_root, "Too many levels of symbolic links");
}

static void test_a_folder_goes(void **state)
{
    (void)state;
    refused_after(remove_usr, "clone the mounts of `/usr`: No such file or directory");
}

/* A file that a language names and that is in none of the root's folders. */
static void test_a_file_that_others_may_write(void **state)
{
    const char *const mounts[] = {"!/tool", NULL};
    const struct jail_root described = {root, mounts};
    const off_t sizes[] = {1, 5 << 20}; /* one that is copied, one that is bound */
    char path[128];
    int fd;

    (void)state;
    snprintf(path, sizeof(path), "%s/tool", root);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct err err = {0};
        int root_fd = -1;

        assert_int_equal(ftruncate(fd, sizes[i]) | fchmod(fd, 0664), 0);
        assert_int_equal(jail_root_describe(&described, &root_fd, &err), ERR_CONFIG);
        if (strstr(err.text, "`/tool` belongs to uid") == NULL)
            fail_msg("`%s` does not say whose it is", err.text);
        assert_int_equal(fchmod(fd, 0644), 0);
        assert_int_equal(jail_root_describe(&described, &root_fd, &err), 0);
        close(root_fd);
    }
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_folder_becomes_a_link, make, clean),
        cmocka_unit_test_setup_teardown(test_the_root_becomes_a_link, make, clean),
        cmocka_unit_test_setup_teardown(test_a_folder_goes, make, clean),
        cmocka_unit_test_setup_teardown(test_a_file_that_others_may_write, make, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
