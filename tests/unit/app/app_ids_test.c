/* app_ids_test.c - the ids that cells of workers need, in a user namespace that has 65536. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"

#define SKIPPED 77

static bool put(const char *path, const char *text)
{
    FILE *f = fopen(path, "we");
    bool ok = f != NULL && fputs(text, f) >= 0;

    return f != NULL && fclose(f) == 0 && ok;
}

static bool map(pid_t pid)
{
    CLEAN_FREE char *uids = mem_printf("/proc/%d/uid_map", (int)pid);
    CLEAN_FREE char *gids = mem_printf("/proc/%d/gid_map", (int)pid);

    return put(uids, "0 0 65536\n") && put(gids, "0 0 65536\n");
}

static int check(uint64_t uid_base, uint64_t max_pods, struct err *reterr)
{
    const struct conf conf = {.uid_base = uid_base, .max_pods = max_pods};

    return app_worker_ids_check(&conf, reterr);
}

/* In the namespace, as its root: the line that is wrong, or 0. */
static int judge(void)
{
    struct err err = {0};

    if (geteuid() != 0)
        return __LINE__;
    if (check(60000, 4, &err) != 0) /* to 65119 */
        return __LINE__;
    if (check(60000, 5, &err) != ERR_CONFIG || strstr(err.text, "worker 5 of scaling.maxPods = 5") == NULL ||
        strstr(err.text, "65120 to 66143") == NULL)
        return __LINE__;
    if (check(1000, 63, &err) != ERR_CONFIG || check(1000, 62, &err) != 0)
        return __LINE__;
    return check(1000, 100000, &err) == ERR_CONFIG ? 0 : __LINE__;
}

static void test_a_namespace(void **state)
{
    int ready[2], go[2], status;
    char byte = 0;
    pid_t pid;

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(go), 0);
    pid = fork();
    if (pid == 0) {
        if (unshare(CLONE_NEWUSER) != 0)
            _exit(SKIPPED);
        close(go[1]);
        if (write(ready[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
            _exit(SKIPPED);
        _exit(judge() == 0 ? 0 : 1);
    }
    assert_true(pid > 0);
    close(ready[1]);
    close(go[0]);
    if (read(ready[0], &byte, 1) == 1 && map(pid))
        assert_int_equal(write(go[1], "", 1), 1);
    close(go[1]);
    close(ready[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip();
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Where all ids exist, a base that leaves too few of them is one that workers would refuse. */
static void test_the_last_ids(void **state)
{
    struct err err = {0};

    (void)state;
    if (geteuid() != 0)
        skip();
    assert_int_equal(check(CONF_UID_BASE_MAX, 1, &err), ERR_CONFIG);
    assert_int_equal(check(CONF_UID_BASE_MAX - 1024, 2, &err), ERR_CONFIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_namespace),
        cmocka_unit_test(test_the_last_ids),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
