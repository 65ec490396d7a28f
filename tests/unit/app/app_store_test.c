/* app_store_test.c - by what path a Redis on a unix socket is dialled once privileges are gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "app.h"

#define SOMEBODY 65534

static char dir[] = "/tmp/execd-app-store-XXXXXX";

static int setup(void **state)
{
    (void)state;
    return mkdtemp(dir) == NULL || chmod(dir, 0755) != 0;
}

static int teardown(void **state)
{
    CLEAN_FREE char *folder = mem_printf("%s/folder", dir);

    (void)state;
    rmdir(folder);
    return rmdir(dir);
}

/* What an ordinary user is told: true if it is `want`. */
static bool told(const char *url, int fd, const char *want)
{
    const pid_t pid = fork();
    int status;

    if (pid == 0) {
        CLEAN_FREE char *got = NULL;

        if (geteuid() == 0 && setresuid(SOMEBODY, SOMEBODY, SOMEBODY) != 0)
            _exit(2);
        got = app_store_url(url, fd);
        _exit(strcmp(got, want) != 0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 2);
    return WEXITSTATUS(status) == 0;
}

static void test_other_urls(void **state)
{
    CLEAN_FREE char *url = app_store_url("redis://127.0.0.1:6379/0", -1);

    (void)state;
    assert_string_equal(url, "redis://127.0.0.1:6379/0");
    assert_int_equal(app_store_folder(url), -1);
    assert_int_equal(app_store_folder("unix:/nonexistent/redis.sock"), -1);
}

/* A folder that anybody may enter, and one that is not there: by its name, so that one made anew is found. */
static void test_by_name(void **state)
{
    CLEAN_FREE char *folder = mem_printf("%s/folder", dir);
    CLEAN_FREE char *url = mem_printf("unix:%s/redis.sock?db=3", folder);
    CLEAN_FD int fd = -1;

    (void)state;
    assert_int_equal(mkdir(folder, 0755), 0);
    fd = app_store_folder(url);
    assert_true(fd >= 0);
    assert_true(told(url, fd, url));
    assert_int_equal(rmdir(folder), 0);
    assert_true(told(url, fd, url));
}

static void test_by_descriptor(void **state)
{
    CLEAN_FREE char *folder = mem_printf("%s/folder", dir);
    CLEAN_FREE char *url = mem_printf("unix:%s/redis.sock?db=3", folder);
    CLEAN_FREE char *want = NULL;
    CLEAN_FD int fd = -1;

    (void)state;
    assert_int_equal(mkdir(folder, 0755), 0);
    fd = app_store_folder(url);
    assert_int_equal(chmod(folder, 0600), 0);
    want = mem_printf("unix:/proc/self/fd/%d/redis.sock?db=3", fd);
    assert_true(told(url, fd, want));
    assert_int_equal(rmdir(folder), 0);
}

/* The longest that a socket's address holds, and one byte more; whoever asks. */
static void test_long_paths(void **state)
{
    char slashes[108] = "";
    CLEAN_FREE char *fits = NULL, *long_one = NULL, *want = NULL;
    CLEAN_FD int fd = -1;

    (void)state;
    memset(slashes, '/', 107 - strlen("/r.sock"));
    fits = mem_printf("unix:%s/r.sock?db=1", slashes);
    long_one = mem_printf("unix:%s/rr.sock?db=1", slashes);
    fd = app_store_folder(long_one);
    assert_true(fd >= 0);
    want = mem_printf("unix:/proc/self/fd/%d/rr.sock?db=1", fd);
    assert_true(told(fits, fd, fits));
    assert_true(told(long_one, fd, want));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_other_urls),
        cmocka_unit_test(test_by_name),
        cmocka_unit_test(test_by_descriptor),
        cmocka_unit_test(test_long_paths),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
