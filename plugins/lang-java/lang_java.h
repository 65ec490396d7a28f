/* lang_java.h - what the files of this plugin share. */
#ifndef LANG_JAVA_H
#define LANG_JAVA_H

#include <execd/plugin.h>

enum { JAVA_NAME_MAX = 200 }; /* bytes of a class's name, and of a package's */

/* ---- java_find.c: which JDK; I/O, so only within create() ---- */

struct java_home {
    char path[512];  /* without symbolic links */
    char mount[520]; /* "!/opt/jdk" if outside of the system's folders, else "" */
    char etc[512];   /* where Debian keeps its configuration, else "" */
};
/* `configured` NULL: found.  E_CONFIG says where it was looked for. */
int32_t java_home_find(const struct execd_host *host, const char *configured, struct java_home *ret,
                       struct execd_error *err);

/* ---- java_names.c: what a source calls its classes; pure ---- */

struct java_names {
    char file[JAVA_NAME_MAX + 8];    /* "Right.java": the public type's name, else Main */
    char run[2 * JAVA_NAME_MAX + 2]; /* "pkg.Right": the class to start */
};
/* 0, or -1 if a name that matters is too long. */
int java_names_of(struct execd_bytes source, struct java_names *ret);

#endif
