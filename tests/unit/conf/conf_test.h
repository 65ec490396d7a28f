/* conf_test.h - a file of the test's own, loaded. */
#ifndef CONF_TEST_H
#define CONF_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "conf_internal.h"

/* libconfig 1.5 forgets what it read of a token when the grammar is wrong. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig.so";
}

static char test_dir[] = "/tmp/execd-conf-test-XXXXXX";
static char test_path[64];

/* Before all tests: a directory, and an environment that says nothing. */
static int test_setup(void **state)
{
    (void)state;
    for (size_t i = 0; i < conf_item_count; i++) {
        char name[64], file[80];

        conf_env_name(&conf_items[i], name, sizeof(name));
        snprintf(file, sizeof(file), "%s_FILE", name);
        unsetenv(name);
        unsetenv(file);
    }
    if (mkdtemp(test_dir) == NULL)
        return -1;
    snprintf(test_path, sizeof(test_path), "%s/execd.conf", test_dir);
    return 0;
}

static int test_teardown(void **state)
{
    (void)state;
    unlink(test_path);
    return rmdir(test_dir);
}

static inline void write_file(const char *path, const char *text, size_t len, mode_t mode)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, len, f), len);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* NULL if there were mistakes; with `mistakes` NULL none is expected. */
static inline struct conf *load_text(const char *text, struct buf *mistakes)
{
    struct buf own = {0};
    struct conf *c = NULL;
    int rc;

    write_file(test_path, text, strlen(text), 0644);
    rc = conf_load(test_path, &c, mistakes != NULL ? mistakes : &own);
    if (mistakes == NULL && rc != 0)
        fail_msg("%s\n%s", text, own.data);
    assert_true((rc == 0) == (c != NULL));
    buf_done(&own);
    return c;
}

#endif
