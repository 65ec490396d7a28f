/* plugin_test.h - what the tests of plugin/ share: a folder of their own, a configuration by hand. */
#ifndef PLUGIN_TEST_H
#define PLUGIN_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugin_internal.h"

static char stage_dir[64];

/* A folder that plugins may be loaded from, whatever the build tree's modes are. */
static inline int stage_setup(void **state)
{
    (void)state;
    snprintf(stage_dir, sizeof(stage_dir), "/tmp/execd-plugin-test-XXXXXX");
    return mkdtemp(stage_dir) == NULL ? -1 : 0;
}

static inline int stage_teardown(void **state)
{
    CLEAN_FREE char *cmd = mem_printf("rm -rf '%s'", stage_dir);

    (void)state;
    return system(cmd);
}

/* A new file, never the old one written over: that may be mapped as a plugin. */
static inline void write_file(const char *path, const void *data, size_t len, mode_t mode)
{
    int fd = (unlink(path), open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    close(fd);
}

static inline struct buf read_file(const char *path)
{
    struct buf b = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        fail_msg("open %s: %s", path, strerror(errno));
    do {
        assert_int_equal(buf_reserve(&b, 65536), 0);
        n = read(fd, b.data + b.len, 65536);
        assert_true(n >= 0);
        b.len += (size_t)n;
    } while (n > 0);
    b.data[b.len] = '\0';
    close(fd);
    return b;
}

/* A copy of FOLDER/NAME.so in the stage. */
static inline void stage(const char *folder, const char *name)
{
    CLEAN_FREE char *from = mem_printf("%s/%s.so", folder, name);
    CLEAN_FREE char *to = mem_printf("%s/%s.so", stage_dir, name);
    CLEAN_BUF struct buf b = read_file(from);

    write_file(to, b.data, b.len, 0644);
}

#define SHIPPED PLUGIN_DIR
#define SINS BAD_PLUGIN_DIR

static inline struct job_limits test_limits(void)
{
    return (struct job_limits){.wall_ms = 5000,
                               .cpu_ms = 5000,
                               .memory_bytes = UINT64_C(256) << 20,
                               .processes = 64,
                               .output_bytes = 1 << 20,
                               .file_bytes = 1 << 20,
                               .open_files = 64,
                               .box_bytes = 64 << 20,
                               .box_inodes = 1024,
                               .stack_bytes = 8 << 20};
}

static inline int open_set(struct conf_plugin *plugins, size_t count, struct plugin_set **ret,
                           struct err *err)
{
    struct conf conf = {.path = (char *)(uintptr_t) "test.conf", .plugins = plugins, .plugin_count = count};

    conf.limits_default = conf.limits_compile = test_limits();
    for (size_t i = 0; i < count; i++)
        plugins[i].line = (int)(i + 1) * 10;
    return plugin_set_open(&conf, stage_dir, ret, err);
}

#endif
