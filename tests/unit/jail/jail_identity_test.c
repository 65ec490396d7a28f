/* jail_identity_test.c - whatever changes below what cells show changes what is told of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "jail/jail.h"

struct root {
    char path[64];
    int dir, fd;
};

static void make_file(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int setup(void **state)
{
    struct root *r = NEW(struct root);
    struct err err = {0};
    struct jail_root root = {.rootfs = r->path};

    snprintf(r->path, sizeof(r->path), "/tmp/jail-identity-XXXXXX");
    assert_non_null(mkdtemp(r->path));
    assert_int_equal(chmod(r->path, 0755), 0);
    r->dir = open(r->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(r->dir, "usr", 0755), 0);
    assert_int_equal(mkdirat(r->dir, "usr/lib", 0755), 0);
    make_file(r->dir, "usr/lib/a", "one");
    make_file(r->dir, "usr/lib/b", "two");
    assert_int_equal(symlinkat("a", r->dir, "usr/lib/link"), 0);
    if (jail_root_describe(&root, &r->fd, &err) != 0)
        fail_msg("%s", err.text);
    *state = r;
    return 0;
}

static int teardown(void **state)
{
    static const char *const names[] = {"usr/lib/a", "usr/lib/b", "usr/lib/c", "usr/lib/link"};
    struct root *r = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++)
        unlinkat(r->dir, names[i], 0);
    unlinkat(r->dir, "usr/lib", AT_REMOVEDIR);
    unlinkat(r->dir, "usr/more", AT_REMOVEDIR);
    unlinkat(r->dir, "usr", AT_REMOVEDIR);
    close(r->dir);
    close(r->fd);
    rmdir(r->path);
    free(r);
    return 0;
}

static void add(void *arg, const void *bytes, size_t len)
{
    assert_int_equal(buf_add(arg, bytes, len), 0);
}

static struct buf identity(const struct root *r)
{
    struct buf b = {0};
    struct err err = {0};

    if (jail_root_identity(r->fd, add, &b, &err) != 0)
        fail_msg("%s", err.text);
    return b;
}

static bool changed(const struct root *r, struct buf *before)
{
    struct buf now = identity(r);
    bool same = now.len == before->len && memcmp(now.data, before->data, now.len) == 0;

    buf_done(before);
    *before = now;
    return !same;
}

/* Same size, and the old time put back: what is left is the time of the inode's change. */
static void rewrite_in_secret(const struct root *r)
{
    struct stat was, is;

    assert_int_equal(fstatat(r->dir, "usr/lib/a", &was, 0), 0);
    do { /* a clock's tick */
        const struct timespec times[2] = {was.st_atim, was.st_mtim};

        make_file(r->dir, "usr/lib/a", "ONE");
        assert_int_equal(utimensat(r->dir, "usr/lib/a", times, 0), 0);
        assert_int_equal(fstatat(r->dir, "usr/lib/a", &is, 0), 0);
    } while (is.st_ctim.tv_sec == was.st_ctim.tv_sec && is.st_ctim.tv_nsec == was.st_ctim.tv_nsec);
    assert_int_equal(is.st_size, was.st_size);
    assert_int_equal(is.st_mtim.tv_nsec, was.st_mtim.tv_nsec);
}

static void every_change_is_told(void **state)
{
    const struct root *r = *state;
    CLEAN_BUF struct buf b = identity(r);

    assert_false(changed(r, &b));
    rewrite_in_secret(r);
    assert_true(changed(r, &b));
    make_file(r->dir, "usr/lib/a", "another");
    assert_true(changed(r, &b));
    make_file(r->dir, "usr/lib/c", "");
    assert_true(changed(r, &b));
    assert_int_equal(unlinkat(r->dir, "usr/lib/c", 0), 0);
    assert_true(changed(r, &b));
    assert_int_equal(fchmodat(r->dir, "usr/lib/a", 0755, 0), 0);
    assert_true(changed(r, &b));
    assert_int_equal(renameat(r->dir, "usr/lib/a", r->dir, "usr/lib/b"), 0);
    assert_true(changed(r, &b));
    assert_int_equal(unlinkat(r->dir, "usr/lib/link", 0), 0);
    assert_int_equal(symlinkat("b", r->dir, "usr/lib/link"), 0);
    assert_true(changed(r, &b));
    assert_int_equal(mkdirat(r->dir, "usr/more", 0755), 0);
    assert_true(changed(r, &b));
    assert_false(changed(r, &b));
}

static void what_is_gone_is_an_error(void **state)
{
    const struct root *r = *state;
    CLEAN_BUF struct buf b = {0};
    struct err err = {0};

    assert_int_equal(renameat(r->dir, "usr", r->dir, "away"), 0);
    assert_int_equal(jail_root_identity(r->fd, add, &b, &err), -ENOENT);
    assert_non_null(strstr(err.text, "/usr"));
    assert_int_equal(renameat(r->dir, "away", r->dir, "usr"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_change_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_gone_is_an_error, setup, teardown),
    };

    return cmocka_run_group_tests_name("jail_identity", tests, NULL, NULL);
}
