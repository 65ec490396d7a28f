/* jail_verify_test.c - what the worker makes of a report of execd-probe, told by stand-ins that are shell
 * scripts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "jail/jail.h"

static struct loop *loop;
static char directory[] = "/tmp/jail_verify_test.XXXXXX";

static void write_script(const char *name, const char *text)
{
    CLEAN_FREE char *path = mem_printf("%s/%s", directory, name);
    CLEAN_FD int fd = -1;

    unlink(path);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, 0755), 0);
}

static uint32_t bit_of(const char *name)
{
    for (unsigned i = 0; i < JAIL_PROTECT_COUNT; i++)
        if (strcmp(jail_protect_name(i), name) == 0)
            return UINT32_C(1) << i;
    fail_msg("there is no protection `%s`", name);
    return 0;
}

/* What this machine lacks by its nature may be named by the runner. */
static uint32_t accepted(void)
{
    const char *names = getenv("EXECD_TEST_ACCEPT_MISSING");
    uint32_t bits = 0;

    for (unsigned i = 0; names != NULL && i < JAIL_PROTECT_COUNT; i++)
        if (strstr(names, jail_protect_name(i)) != NULL)
            bits |= UINT32_C(1) << i;
    return bits;
}

static int open_with(const char *probe, uint32_t accept, struct jail_facts *ret, struct err *err)
{
    static const struct jail_root root = {0};
    struct jail_options o = {
        .cells = 1, .spare = 1, .uid_base = 1900000000u, .accept_missing = accept | accepted()};
    CLEAN_FD int root_fd = -1;
    CLEAN_FREE char *jailer = mem_printf("%s/jailer", directory);
    struct jail_process *p;
    struct jail *jail;
    int rc;

    write_script("execd-probe", probe);
    if ((rc = jail_root_describe(&root, &root_fd, err)) != 0)
        return rc;
    o.root_fd = root_fd;
    if ((rc = jail_spawn(jailer, getenv("EXECD_TEST_CGROUP_ROOT"), &p, err)) != 0 ||
        (rc = jail_open(loop, p, &o, &jail, err)) != 0)
        return rc;
    *ret = *jail_facts(jail);
    jail_free(jail);
    return 0;
}

static void must_refuse(const char *probe, int code, const char *why)
{
    struct jail_facts facts;
    struct err err = {0};

    assert_int_equal(open_with(probe, 0, &facts, &err), code);
    if (strstr(err.text, why) == NULL)
        fail_msg("`%s` does not say `%s`", err.text, why);
}

static void test_stand_in_that_is_content(void **state)
{
    struct jail_facts facts;
    struct err err = {0};

    (void)state;
    if (open_with("#!/bin/sh\necho '*: ok'\n", 0, &facts, &err) != 0)
        fail_msg("%s", err.text);
    assert_int_equal(facts.enforced | accepted(), JAIL_PROTECT_ALL);
}

static void test_what_could_be_done_refuses_by_name(void **state)
{
    static const char weak[] =
        "#!/bin/sh\n[ \"$1\" = memory ] || { echo '*: ok'; echo 'sockets: could telephone'; }\n"
        "[ \"$1\" != memory ] || echo '*: ok'\n";
    struct jail_facts facts;
    struct err err = {0};

    (void)state;
    must_refuse(weak, ERR_CONFIG, "sockets");
    must_refuse(weak, ERR_CONFIG, "could telephone");
    if (open_with(weak, bit_of("sockets"), &facts, &err) != 0)
        fail_msg("%s", err.text);
    assert_true((facts.missing & bit_of("sockets")) != 0);
    assert_true((facts.enforced & bit_of("sockets")) == 0);
    assert_non_null(strstr(facts.detail, "sockets: could telephone"));
}

static void test_what_is_not_spoken_of_does_not_hold(void **state)
{
    (void)state;
    must_refuse("#!/bin/sh\necho 'sockets: ok'\necho 'end: ok'\n", ERR_CONFIG, "userns, pidns");
}

static void test_memory_that_can_be_passed(void **state)
{
    if ((accepted() & bit_of("cgroup_memory")) == 0)
        must_refuse("#!/bin/sh\n[ \"$1\" = memory ] || echo '*: ok'\n", ERR_CONFIG, "cgroup_memory");
    (void)state;
}

static void test_reports_that_are_none(void **state)
{
    (void)state;
    must_refuse("#!/bin/sh\necho 'sockets: ok'\nexit 3\n", ERR_INTERNAL, "half-way (exit code 3");
    must_refuse("#!/bin/sh\necho nonsense\n", ERR_INTERNAL, "says `nonsense`");
    must_refuse("#!/bin/sh\necho 'telepathy: ok'\necho 'end: ok'\n", ERR_INTERNAL, "`telepathy`");
}

static void test_no_probe_no_start(void **state)
{
    CLEAN_FREE char *path = mem_printf("%s/execd-probe", directory);
    CLEAN_FREE char *jailer = mem_printf("%s/jailer", directory);
    struct jail_process *p;
    struct err err = {0};

    (void)state;
    unlink(path);
    assert_int_equal(jail_spawn(jailer, NULL, &p, &err), -ENOENT);
    assert_non_null(strstr(err.text, "execd-probe"));
}

static int setup(void **state)
{
    CLEAN_FREE char *script =
        mem_printf("#!/bin/sh\nexec %s\n",
                   getenv("EXECD_TEST_JAILER") != NULL ? getenv("EXECD_TEST_JAILER") : EXECD_JAILER);
    struct err err = {0};

    (void)state;
    if (mkdtemp(directory) == NULL || chmod(directory, 0755) != 0 || loop_new(&loop, &err) != 0)
        return -1;
    write_script("jailer", script);
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"jailer", "execd-probe"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        CLEAN_FREE char *path = mem_printf("%s/%s", directory, names[i]);

        unlink(path);
    }
    loop_free(loop);
    return rmdir(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stand_in_that_is_content),
        cmocka_unit_test(test_what_could_be_done_refuses_by_name),
        cmocka_unit_test(test_what_is_not_spoken_of_does_not_hold),
        cmocka_unit_test(test_memory_that_can_be_passed),
        cmocka_unit_test(test_reports_that_are_none),
        cmocka_unit_test(test_no_probe_no_start),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
