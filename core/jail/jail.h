/* jail.h - the worker's end of the jailer: start it, run one step in a fresh cell, learn what happened.
 *
 * Theory of operation.  execd starts `execd-jailer` (fork, exec, SOCK_SEQPACKET
 * on fd 3) while it still has its privileges, then drops them.  Both sides speak
 * the fixed-size records of jail_protocol.h; whatever has no fixed size (argv,
 * environment, files) travels in a sealed memfd, a *bundle*, that only the
 * process inside the cell unpacks.  One cell runs one step and is destroyed; the
 * answer comes when every process of the cell is dead.
 *
 * Losing the jailer fails every run in flight with ERR_AGAIN (its worker dies or
 * starts a new one); the jailer losing us kills every cell.
 *
 * Thread: the loop's.  The worker sends no secret through here. */
#ifndef EXECD_JAIL_H
#define EXECD_JAIL_H

#include "base/base.h"
#include "jail/jail_protocol.h"
#include "job/job.h"
#include "loop/loop.h"

struct jail;
struct jail_run;

/* ---- bundles: named files (or argv, env) in a sealed memfd (jail_bundle.c) ---- */

struct jail_bundle; /* being written */
struct jail_bundle *jail_bundle_new(const char *name);
/* A regular file `path` relative to the box: no "..", no leading '/', <= 255 bytes a
 * component; parent directories are made.  mode: permission bits. */
int jail_bundle_file(struct jail_bundle *b, const char *path, struct bytes body, uint32_t mode,
                     struct err *reterr);
/* Seals; returns the fd, which the caller owns, and frees b either way. */
int jail_bundle_seal(struct jail_bundle *b, int *ret_fd, struct err *reterr) NODISCARD;
void jail_bundle_free(struct jail_bundle *b);
/* A sealed memfd with plain bytes, positioned at 0 (stdin). */
int jail_memfd(const char *name, struct bytes body, int *ret_fd, struct err *reterr) NODISCARD;

/* ---- the jailer process ------------------------------------------------------- */

enum jail_profile { JAIL_PROFILE_STRICT = 1, JAIL_PROFILE_COMPILER = 2, JAIL_PROFILE_JIT = 3 };

struct jail_options {
    const char *jailer_path;   /* absolute */
    unsigned cells;            /* how many run at once */
    unsigned spare;            /* built ahead beyond those */
    const char *const *mounts; /* NULL-terminated absolute host paths, shown read-only at the same place;
                                  one that does not exist is skipped unless it starts with '!' */
    const char *cgroup_root;   /* NULL: found from /proc/self/cgroup */
    uint32_t uid_base;         /* as root: cell i runs as uid/gid uid_base+i */
    uint32_t accept_missing;   /* JAIL_PROTECT_* bits the operator accepts to lack */
};

/* "cgroup_memory", ...: JAIL_PROTECT_* (jail_protocol.h) by index. */
const char *jail_protect_name(unsigned bit_index);

/* Step 1, privileged, before the loop: fork and exec.  Closes nothing of ours;
 * everything we hold is CLOEXEC.  ret_fd is our end. */
int jail_spawn(const char *jailer_path, int *ret_fd, pid_t *ret_pid, struct err *reterr) NODISCARD;
/* Step 2: the handshake, blocking up to 30 s, before the loop turns.  ERR_CONFIG names each
 * protection that cannot be had, why, and what to do.  Takes fd and pid in any case. */
int jail_open(struct loop *loop, int fd, pid_t pid, const struct jail_options *o, struct jail **ret,
              struct err *reterr) NODISCARD;
const struct jail_facts *jail_facts(const struct jail *j);
/* Called once, from the loop, when the jailer is gone unasked; every run was failed before. */
void jail_on_lost(struct jail *j, loop_fn fn, void *arg);
/* Kills every cell, waits (<= 2 s) for the jailer to leave no cgroup or process behind. */
void jail_free(struct jail *j);
unsigned jail_free_cells(const struct jail *j);

/* ---- one run --------------------------------------------------------------------- */

#define JAIL_BUNDLES_MAX 4
struct jail_step {
    const char *const *argv;       /* NULL-terminated, absolute argv[0] inside the cell */
    const char *const *env;        /* NULL-terminated "K=V"; NULL: empty */
    int bundles[JAIL_BUNDLES_MAX]; /* sealed memfds, unpacked into /box in this order; stay the caller's */
    unsigned bundle_count;
    int stdin_fd, stdout_fd, stderr_fd; /* stay the caller's */
    const char *const *keep; /* after exit code 0: files or directories of /box, NULL-terminated; or NULL */
    uint64_t keep_bytes;     /* at most this much */
    const struct job_limits *limits; /* output_bytes is the caller's to watch */
    uint32_t extra_processes;        /* on top of limits->processes */
    enum jail_profile profile;
};

struct jail_outcome {
    struct job_measure measure;
    int kept_fd; /* a sealed bundle of `keep`, now the callback's; -1 if none */
    uint64_t box_bytes_hit,
        processes_hit; /* how often a fork was refused (pids.events max) etc.; 0 if unknown */
};
/* err NULL: outcome holds.  err set: our fault, the program's result means nothing;
 * ERR_AGAIN where another try may help.  A keep that is not a regular file or directory,
 * or too large, is err ERR_REQUEST with the reason (the program's own doing). */
typedef void (*jail_done_fn)(void *arg, const struct jail_outcome *outcome, const struct err *err);

/* -ERR_FULL if every cell is busy.  done() runs exactly once, from a later turn. */
int jail_run(struct jail *j, const struct jail_step *step, jail_done_fn done, void *arg,
             struct jail_run **ret, struct err *reterr) NODISCARD;
/* Kills the cell now; done() still comes, with measure.hit = why. */
void jail_kill(struct jail_run *run, enum job_limit_hit why);

#endif
