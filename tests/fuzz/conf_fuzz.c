/* conf_fuzz.c - execd.conf from anybody: read, or every mistake named with its line. */
#include <sys/mman.h>

#include "conf_internal.h"
#include "fuzz.h"

/* Secrets are read from files that the text names; none of this machine's devices is. */
static bool harmless(const uint8_t *data, size_t size)
{
    return size == 0 || (memmem(data, size, "/dev", 4) == NULL && memmem(data, size, "/proc", 5) == NULL &&
                         memmem(data, size, "\\", 1) == NULL); /* an escape could spell them */
}

/* libconfig loses the beginning of a string that does not end. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig\n";
}

/* One line each, which begins with the file. */
static void mistakes_hold(const struct buf *mistakes, const char *path)
{
    const char *p = mistakes->data;

    FUZZ_CHECK(mistakes->len > 0 && mistakes->data[mistakes->len - 1] == '\n');
    FUZZ_CHECK(strlen(mistakes->data) == mistakes->len);
    while (*p != '\0') {
        FUZZ_CHECK(strncmp(p, path, strlen(path)) == 0);
        p = strchr(p, '\n') + 1;
    }
}

static void limits_hold(const struct job_limits *min, const struct job_limits *n,
                        const struct job_limits *max)
{
    FUZZ_CHECK(min->wall_ms <= n->wall_ms && n->wall_ms <= max->wall_ms);
    FUZZ_CHECK(min->memory_bytes <= n->memory_bytes && n->memory_bytes <= max->memory_bytes);
    FUZZ_CHECK(min->cpu_millis <= n->cpu_millis && n->cpu_millis <= max->cpu_millis);
}

/* What was accepted is within the table's bounds. */
static void values_hold(const struct conf *c)
{
    limits_hold(&c->limits_min, &c->limits_default, &c->limits_max);
    for (size_t i = 0; i < conf_item_count; i++) {
        const struct conf_item *it = &conf_items[i];
        uint64_t n;

        if (it->type != CONF_COUNT && it->type != CONF_MS && it->type != CONF_BYTES)
            continue;
        memcpy(&n, (const char *)c + it->offset, sizeof(n));
        FUZZ_CHECK(n >= it->min && n <= it->max);
    }
    for (size_t i = 0; i < c->plugin_count; i++)
        FUZZ_CHECK(c->plugins[i].file != NULL);
    for (size_t i = 0; i < c->key_count; i++)
        FUZZ_CHECK(c->keys[i].name != NULL && strlen(c->keys[i].key) >= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEAN_FD int fd = -1;
    CLEAN_BUF struct buf mistakes = {0};
    struct conf *conf = NULL;
    char path[32];
    unsigned before;

    if (!harmless(data, size))
        return -1;
    fd = memfd_create("conf", MFD_CLOEXEC);
    FUZZ_CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    before = fuzz_open_fds();
    if (conf_load(path, &conf, &mistakes) == 0)
        values_hold(conf);
    else
        mistakes_hold(&mistakes, path);
    conf_free(conf);
    FUZZ_CHECK(fuzz_open_fds() == before);
    return 0;
}
