/* cell_internal.h - what the host's side and the inside of a cell share. */
#ifndef EXECD_CELL_INTERNAL_H
#define EXECD_CELL_INTERNAL_H

#include <sys/socket.h>

#include "cell.h"
#include "cell_cgroup.h"
#include "cell_seccomp.h"

#define CELL_UID 1000u
#define CELL_PROFILES 3
#define CELL_FDS_MAX (1 + CELL_BUNDLES_MAX + 3)

struct cell_host {
    bool as_root;
    uint32_t uid_base;
    struct cell_cgroups *cgroups;
    struct cell_filter filters[CELL_PROFILES]; /* by profile - 1 */
};

/* Host to init, with descriptors: arguments, bundles, stdin if there is one, stdout, stderr. */
struct cell_order {
    struct job_limits limits;
    uint64_t keep_bytes;
    uint32_t profile, bundle_count;
    bool has_stdin, check;
};
enum cell_news_kind { CELL_NEWS_READY = 1, CELL_NEWS_EXIT, CELL_NEWS_FAILED };
/* Init to host.  READY carries the tmpfs' handle, EXIT the kept bundle if there is one. */
struct cell_news {
    uint32_t kind;
    int32_t exit_code, signal;
    uint64_t wall_ns, cpu_ns, rss_bytes; /* the last two for machines without cgroups */
    struct err err;
};

/* cell_root.c: the template root, once. */
int cell_root_enter(const char *const *mounts, struct err *reterr);

/* cell_init.c: PID 1; never returns. */
struct cell_init {
    const struct cell_host *host;
    const struct cell_cgroup *cgroup;
    int ctl;
    uint32_t uid; /* as the host's user namespace knows it */
};
void cell_init_main(const struct cell_init *in) __attribute__((noreturn));
/* cell_setup.c: from a fresh clone to a closed cell; *ret_fs is the tmpfs' handle. */
int cell_setup(const struct cell_init *in, int *ret_fs, struct err *reterr);

/* cell_exec.c: the program's process; never returns.  Failures go as text into error_fd. */
struct cell_exec {
    const struct cell_order *order;
    const struct cell_filter *filter;
    char **argv, **env;
    int stdin_fd, stdout_fd, stderr_fd, error_fd;
};
void cell_exec_main(const struct cell_exec *x) __attribute__((noreturn));
/* cell_check.c: what a program could do from here; 0, or the first thing it should not. */
int cell_check(struct err *reterr);

/* cell_files.c: into and out of the box. */
int cell_unpack(int box, int bundle_fd, struct err *reterr);
int cell_keep(int box, char *const *paths, uint64_t max_bytes, int *ret_fd, struct err *reterr);

#endif
