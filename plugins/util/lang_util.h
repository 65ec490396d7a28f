/* lang_util.h - what the shipped language plugins share; not part of the contract, compiled into each. */
#ifndef LANG_UTIL_H
#define LANG_UTIL_H

#include <execd/plugin.h>

#include <stdlib.h>
#include <string.h>

#define MIB (UINT64_C(1) << 20)

/* Is this below what every cell shows anyway? */
static inline int path_in_system(const char *path)
{
    static const char *const shown[] = {"/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/"};

    for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++)
        if (strncmp(path, shown[i], strlen(shown[i])) == 0)
            return 1;
    return 0;
}

/* The mount that a program outside of the system's folders needs: "!/opt/python" for
 * /opt/python/bin/python3.  NULL for one that needs none.  0, or -1 without memory. */
static inline int path_home(const char *program, char **ret)
{
    size_t n = strlen(program);
    char *home;

    *ret = NULL;
    if (path_in_system(program))
        return 0;
    home = (char *)calloc(1, n + 2);
    if (home == NULL)
        return -1;
    home[0] = '!';
    memcpy(home + 1, program, n);
    for (int up = 0; up < 2; up++) {
        char *slash = strrchr(home, '/');

        if (slash == home + 1)
            break;
        *slash = '\0';
    }
    *ret = home;
    return 0;
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
