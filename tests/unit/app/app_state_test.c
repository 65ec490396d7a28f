/* app_state_test.c - the state directory, made and opened as root: no link of somebody else's leads it
 * astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"

#define SOMEBODY 54321u /* whom execd becomes */

static char top[64]; /* root's own */

static char *below(const char *name)
{
    return mem_printf("%s/%s", top, name);
}

static void make(const char *name, uid_t owner)
{
    CLEAN_FREE char *path = below(name);

    assert_int_equal(mkdir(path, 0755), 0);
    assert_int_equal(chown(path, owner, owner), 0);
}

static void link_to(const char *name, const char *to)
{
    CLEAN_FREE char *path = below(name);
    CLEAN_FREE char *target = below(to);

    assert_int_equal(symlink(target, path), 0);
}

static uid_t owner_of(const char *name)
{
    CLEAN_FREE char *path = below(name);
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_uid;
}

static int open_state(const char *name, struct err *reterr)
{
    const struct app_user user = {.uid = SOMEBODY, .gid = SOMEBODY};
    CLEAN_FREE char *path = below(name);
    CLEAN_FD int fd = -1;

    return app_state_open(path, &user, &fd, reterr);
}

static int setup(void **state)
{
    (void)state;
    if (geteuid() != 0)
        return 0;
    snprintf(top, sizeof(top), "/tmp/execd-state-XXXXXX");
    if (mkdtemp(top) == NULL || chmod(top, 0755) != 0)
        return -1;
    make("its", SOMEBODY);
    make("secret", 0);
    return 0;
}

static int teardown(void **state)
{
    CLEAN_FREE char *command = mem_printf("rm -rf '%s'", top);

    (void)state;
    return geteuid() != 0 ? 0 : system(command);
}

static void test_it_is_made_and_handed_over(void **state)
{
    struct err err = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(open_state("its/worker-1", &err), 0);
    assert_int_equal(owner_of("its/worker-1"), SOMEBODY);
    assert_int_equal(open_state("its/worker-1/", &err), 0); /* again */
    assert_int_equal(open_state("a/b", &err), 0);
    assert_int_equal(owner_of("a"), 0);
    assert_int_equal(owner_of("a/b"), SOMEBODY);
}

/* What execd became plants a link where a worker's folder is to be, and asks for the worker. */
static void test_a_link_of_somebody_elses(void **state)
{
    CLEAN_FREE char *made = below("new");
    struct err err = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    link_to("its/worker-1", "secret");
    assert_int_equal(open_state("its/worker-1", &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "`worker-1`"));
    assert_int_equal(owner_of("secret"), 0);
    link_to("its/deep", ".");
    assert_int_equal(open_state("its/deep/secret", &err), ERR_CONFIG);
    assert_int_equal(owner_of("secret"), 0);
    assert_int_equal(open_state("its/deep/new", &err), ERR_CONFIG);
    assert_int_equal(access(made, F_OK), -1); /* nor is anything made behind it */
}

static void test_a_link_of_roots(void **state)
{
    struct err err = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    link_to("link", "secret");
    assert_int_equal(open_state("link/state", &err), 0);
    assert_int_equal(owner_of("secret/state"), SOMEBODY);
    assert_int_equal(owner_of("secret"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_it_is_made_and_handed_over, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_link_of_somebody_elses, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_link_of_roots, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
