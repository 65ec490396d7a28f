/* lang_util.h - what the shipped language plugins share; not part of the contract, compiled into each. */
#ifndef LANG_UTIL_H
#define LANG_UTIL_H

#include <execd/plugin.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* ---- what a language needs to be shown ---- */

enum { MOUNTS_MAX = 24 };
struct mounts {
    char *list[MOUNTS_MAX + 1]; /* NULL-terminated */
    int count;
    int failed; /* no memory, or too many */
};

static inline void mounts_add(struct mounts *m, const char *before, const char *path, const char *after)
{
    size_t size = strlen(before) + strlen(path) + strlen(after) + 1;
    char *text = m->count == MOUNTS_MAX ? NULL : (char *)malloc(size);

    if (text == NULL) {
        m->failed = 1;
        return;
    }
    snprintf(text, size, "%s%s%s", before, path, after);
    m->list[m->count++] = text;
}

static inline void mounts_done(struct mounts *m)
{
    while (m->count > 0)
        free(m->list[--m->count]);
}

/* Up from /opt/python/bin/python3 to /opt/python, in place. */
static inline void path_home(char *path)
{
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(path, '/');

        if (slash == path)
            return;
        *slash = '\0';
    }
}

/* A program by itself where the system has its own, and else with the folder above its bin/ and the places of
 * shared libraries that the machine has beside the usual ones. */
static inline void mounts_add_program(struct mounts *m, const char *program)
{
    char home[PATH_MAX];

    if (strncmp(program, "/usr/bin/", 9) == 0 || strncmp(program, "/bin/", 5) == 0) {
        mounts_add(m, "", program, "");
        return;
    }
    snprintf(home, sizeof(home), "%s", program);
    path_home(home);
    mounts_add(m, "!", home, "");
    mounts_add(m, "", "/etc/ld.so.cache", "");
}

/* A program under its name and where that leads to; the latter into real[PATH_MAX] ("" if it leads nowhere).
 */
static inline void mounts_program(struct mounts *m, const struct execd_host *host, struct execd_ctx *ctx,
                                  const char *program, char *real)
{
    if (host->path_real(ctx, program, real, PATH_MAX) != EXECD_OK)
        real[0] = '\0';
    else if (strcmp(real, program) != 0)
        mounts_add_program(m, real);
    mounts_add_program(m, program);
}

/* Where `words` begin in `text`; NULL if they do not occur. */
static inline const char *bytes_find(struct execd_bytes text, const char *words)
{
    size_t n = strlen(words);

    for (uint64_t i = 0; i + n <= text.len; i++)
        if (memcmp(text.ptr + i, words, n) == 0)
            return text.ptr + i;
    return NULL;
}

/* Cuts `text` in place at blanks; how many words, or -1 if there are more than `max`. */
static inline int words_cut(char *text, const char **words, int max)
{
    int count = 0;

    while (*(text += strspn(text, " \t")) != '\0') {
        size_t n = strcspn(text, " \t");

        if (count == max)
            return -1;
        words[count++] = text;
        text += n;
        if (*text != '\0')
            *text++ = '\0';
    }
    return count;
}

#endif
