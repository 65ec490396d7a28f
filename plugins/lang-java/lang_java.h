/* lang_java.h - what the files of this plugin share. */
#ifndef LANG_JAVA_H
#define LANG_JAVA_H

#include <execd/plugin.h>

enum { JAVA_NAME_MAX = 200 }; /* bytes of a class's name, and of a package's */
enum { JAVA_THREADS = 32, JAVA_FLAGS_MAX = 64 };

/* ---- java_find.c: which JDK; I/O, so only within create() ---- */

struct java_home {
    char path[512];  /* without symbolic links, as cells see it */
    char mount[520]; /* "!/opt/jdk" */
    char etc[512];   /* where Debian keeps its configuration, else "" */
};
/* `configured` NULL: found.  E_CONFIG says where it was looked for. */
int32_t java_home_find(const struct execd_host *host, struct execd_ctx *ctx, const char *configured,
                       struct java_home *ret, struct execd_error *err);

/* ---- java_names.c: what a source calls its classes; pure ---- */

struct java_names {
    char file[JAVA_NAME_MAX + 8];    /* "Right.java": the public type's name, else Main */
    char run[2 * JAVA_NAME_MAX + 2]; /* "pkg.Right": the class to start */
    int types;                       /* whether it has any: javac makes no file of one that has none */
};
/* 0, or -1 if a name that matters is too long. */
int java_names_of(struct execd_bytes source, struct java_names *ret);

/* ---- the instance ---- */

struct java {
    const struct execd_host *host;
    struct java_home home;
    char javac[528], java[528];
    char *words; /* the two options, cut into words */
    const char *javac_flags[JAVA_FLAGS_MAX], *java_flags[JAVA_FLAGS_MAX];
    int javac_flag_count, java_flag_count;
    unsigned cores; /* of this machine */
    const char *mounts[3];
    struct execd_language language;
};

/* ---- java_plan.c: the commands, cold and warm; pure ---- */

extern const char *const java_environment[];
extern const struct execd_warm_ops java_warm;
int32_t java_plan(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                  struct execd_error *err);

#endif
