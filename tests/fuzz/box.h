/* box.h - a folder with a box and a secret beside it, for targets that have files written and read there.
 *
 * Nothing that is done to the box may change the secret or read it: box_was_all() and BOX_SECRET say so. */
#ifndef EXECD_BOX_H
#define EXECD_BOX_H

#include <dirent.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "fuzz.h"

/* No text of an input holds a NUL, so no input says it, though libFuzzer learns it from what it is compared
 * to.
 */
#define BOX_SECRET "what a box\0must not show"

static int box_base = -1; /* a folder of ours with `box`, `secret` and nothing else */
static char *box_base_path;

/* Closes it, too. */
static void box_empty(int dir)
{
    DIR *d = fdopendir(dir);
    struct dirent *e;

    while (d != NULL && (e = readdir(d)) != NULL) {
        int below;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            unlinkat(dirfd(d), e->d_name, 0) == 0)
            continue;
        below = openat(dirfd(d), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (below >= 0)
            box_empty(below);
        unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR);
    }
    closedir(d);
}

static void box_remove(void)
{
    box_empty(box_base);
    rmdir(box_base_path);
    free(box_base_path);
}

/* Once. */
static void box_make(void)
{
    const char *tmp = getenv("TMPDIR"); /* which run.py removes: libFuzzer ends without atexit() */
    CLEAN_FD int secret = -1;

    if (box_base >= 0)
        return;
    box_base_path = mem_printf("%s/execd-fuzz-XXXXXX", tmp != NULL ? tmp : "/tmp");
    FUZZ_CHECK(mkdtemp(box_base_path) != NULL);
    box_base = open(box_base_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    FUZZ_CHECK(box_base >= 0 && mkdirat(box_base, "box", 0700) == 0);
    secret = openat(box_base, "secret", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FUZZ_CHECK(write(secret, BOX_SECRET, sizeof(BOX_SECRET)) == sizeof(BOX_SECRET));
    atexit(box_remove);
}

static inline int box_open(void)
{
    return openat(box_base, "box", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static size_t box_entries(const char *name)
{
    int fd = openat(box_base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fdopendir(fd);
    size_t n = 0;

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* The box is empty again, and what is beside it is as it was. */
static bool box_was_all(void)
{
    CLEAN_FD int secret = openat(box_base, "secret", O_RDONLY | O_CLOEXEC);
    char text[sizeof(BOX_SECRET) + 1];

    return box_entries(".") == 4 && box_entries("box") == 2 &&
           read(secret, text, sizeof(text)) == sizeof(BOX_SECRET) &&
           memcmp(text, BOX_SECRET, sizeof(BOX_SECRET)) == 0;
}

static inline int box_bundle(const void *bytes, size_t len, bool seal)
{
    int fd = memfd_create("bundle", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    FUZZ_CHECK(fd >= 0 && write(fd, bytes, len) == (ssize_t)len);
    FUZZ_CHECK(!seal || fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK) == 0);
    return fd;
}

#endif
