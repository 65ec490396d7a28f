/* A folder of the test's own, as the cache wants it. */
#ifndef CACHE_TEST_H
#define CACHE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache_internal.h"

struct place {
    char path[64];
    int parent, folder;
};

static inline int setup_place(void **state)
{
    struct place *p = NEW(struct place);
    struct err err = {0};

    snprintf(p->path, sizeof(p->path), "/tmp/cache-test-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    p->parent = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(p->parent >= 0);
    assert_int_equal(cache_folder_open(p->parent, "c", &p->folder, &err), 0);
    *state = p;
    return 0;
}

/* How many files there are; `out` is the name of the last one that was read. */
static inline unsigned files_in(const struct place *p, char out[256])
{
    int fd = openat(p->folder, ".", O_RDONLY | O_DIRECTORY);
    DIR *d = fdopendir(fd);
    struct dirent *e;
    unsigned count = 0;

    assert_non_null(d);
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] == '.')
            continue;
        count++;
        if (out != NULL)
            snprintf(out, 256, "%s", e->d_name);
    }
    closedir(d);
    return count;
}

static inline int teardown_place(void **state)
{
    struct place *p = *state;
    char name[256];

    while (files_in(p, name) > 0)
        assert_int_equal(unlinkat(p->folder, name, 0), 0);
    close(p->folder);
    unlinkat(p->parent, "c", AT_REMOVEDIR);
    close(p->parent);
    rmdir(p->path);
    free(p);
    return 0;
}

static inline void make_key(unsigned n, unsigned char key[CACHE_KEY_SIZE])
{
    memset(key, 0xa0, CACHE_KEY_SIZE);
    memcpy(key, &n, sizeof(n));
}

#endif
