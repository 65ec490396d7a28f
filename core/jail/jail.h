/* jail.h - the worker's end of the jailer: start it, run one step in a fresh cell, learn what happened.
 *
 * Theory of operation.  execd starts `execd-jailer` (fork, exec, SOCK_SEQPACKET
 * on fd 3) while it still has its privileges, then drops them.  Both sides speak
 * the fixed-size records of jail_protocol.h; whatever has no fixed size (argv,
 * environment, files) travels in a sealed memfd, a *bundle*, that only the
 * process inside the cell unpacks.  One cell runs one step and is destroyed; the
 * answer comes when every process of the cell is dead.
 *
 * Losing the jailer fails every run in flight with ERR_AGAIN (its worker ends); the
 * jailer losing us kills every cell.  One that is late with an answer is asked whether
 * it lives; silent for 10 s then, it is as good as lost.
 *
 * Thread: the loop's.  The worker sends no secret through here. */
#ifndef EXECD_JAIL_H
#define EXECD_JAIL_H

#include "base/base.h"
#include "cgroup/cgroup_place.h"
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
/* For a program's output (jail_pipe.c): our end does not block, theirs is as a program expects it. */
int jail_output_pipe(int *ret_ours, int *ret_theirs, struct err *reterr) NODISCARD;

/* ---- protections ---------------------------------------------------------------- */

/* By name (jail_protect_name()): doctor prints them, `worker.accept_missing` in the configuration names them.
 * Up to JAIL_PROTECT_OOM_GROUP it is known beforehand what a machine cannot give; of all others, and of some
 * of these too, execd-probe finds out in a cell (jail_verify.c). */
enum {
    JAIL_PROTECT_CGROUP_MEMORY,
    JAIL_PROTECT_CGROUP_PIDS,
    JAIL_PROTECT_CGROUP_CPU,
    JAIL_PROTECT_SWAP, /* swap is limited or there is none */
    JAIL_PROTECT_UID,  /* an own host uid for each cell */
    JAIL_PROTECT_OOM_GROUP,
    JAIL_PROTECT_USERNS,
    JAIL_PROTECT_PIDNS,
    JAIL_PROTECT_MOUNTNS, /* what is mounted, and how */
    JAIL_PROTECT_NETNS,
    JAIL_PROTECT_IPCNS,
    JAIL_PROTECT_UTSNS,
    JAIL_PROTECT_CGROUPNS,
    JAIL_PROTECT_SECCOMP,
    JAIL_PROTECT_ROOTFS, /* read-only root */
    JAIL_PROTECT_CAPS,
    JAIL_PROTECT_PROC, /* own /proc */
    JAIL_PROTECT_IDS,
    JAIL_PROTECT_NO_NEW_PRIVS,
    JAIL_PROTECT_SESSION,
    JAIL_PROTECT_INIT, /* a cell's PID 1 is out of reach */
    JAIL_PROTECT_DESCRIPTORS,
    JAIL_PROTECT_RLIMITS, /* and an empty environment */
    JAIL_PROTECT_CORE_DUMPS,
    JAIL_PROTECT_BOX,
    JAIL_PROTECT_SOCKETS,
    JAIL_PROTECT_NAMESPACES, /* none can be made */
    JAIL_PROTECT_MOUNT_API,
    JAIL_PROTECT_TRACING,
    JAIL_PROTECT_KERNEL_SURFACE, /* system calls that no job needs */
    JAIL_PROTECT_ARGUMENTS,      /* arguments of system calls that no job needs */
    JAIL_PROTECT_FOREIGN_CALLS,  /* another architecture's */
    JAIL_PROTECT_COUNT
};
#define JAIL_PROTECT_ALL UINT32_MAX
/* NULL beyond the last. */
const char *jail_protect_name(unsigned protection);

struct jail_facts {     /* what this jailer enforces; printed by doctor and /health */
    uint32_t enforced;  /* 1 << JAIL_PROTECT_* */
    uint32_t missing;   /* wanted and not to be had; non-zero only where accepted */
    int cgroup_version; /* 1, 2, or 0 for none */
    bool as_root;
    bool zygotes;         /* cells forked by zygotes have all that is enforced; else they are refused, ... */
    char no_zygotes[256]; /* ... and why */
    char cgroup_root[256];
    char detail[1024]; /* for each missing: why and what to do, "; "-separated */
};

/* ---- the jailer process ------------------------------------------------------- */

enum jail_profile { JAIL_PROFILE_STRICT = 1, JAIL_PROFILE_COMPILER = 2, JAIL_PROFILE_JIT = 3 };

struct jail_root {
    const char *rootfs;        /* the operator's own root file system; NULL or "": the machine's files */
    const char *const *mounts; /* NULL-terminated "[!]PATH" or "[!]FROM:PATH": shown read-only as PATH, from
                                  the same place in the root file system, or from FROM of the machine; one
                                  that does not exist is skipped unless it starts with '!' */
};
/* What cells show, as a sealed memfd for jail_open(); everything in it was looked at.  While we still have
 * our privileges: paths may lead through folders that are ours alone (a home).  ERR_CONFIG: what the operator
 * must change. */
int jail_root_describe(const struct jail_root *o, int *ret_fd, struct err *reterr) NODISCARD;
/* Hands everything to `add` that changes when what cells show does, in an order that stays (jail_identity.c).
 * Any thread. */
typedef void (*jail_bytes_fn)(void *arg, const void *bytes, size_t len);
int jail_root_identity(int root_fd, jail_bytes_fn add, void *arg, struct err *reterr) NODISCARD;

struct jail_options {
    unsigned cells;          /* how many run at once */
    unsigned spare;          /* built ahead beyond those */
    int root_fd;             /* of jail_root_describe(); stays the caller's */
    uint32_t uid_base;       /* as root: cell i runs as uid/gid uid_base+i */
    uint32_t accept_missing; /* 1 << JAIL_PROTECT_* that the operator accepts to lack */
};

/* Step 1, privileged, before the loop: finds the cells' cgroups (cgroup_place.h), opens execd-probe beside
 * the jailer, forks and executes the jailer.  Everything we hold is CLOEXEC. */
struct jail_process;
int jail_spawn(const char *jailer_path, const char *cgroup_root, struct jail_process **ret,
               struct err *reterr) NODISCARD;
pid_t jail_process_pid(const struct jail_process *p);
void jail_process_free(struct jail_process *p); /* of one that jail_open() never got; NULL is fine */
/* Step 2: handshake and verification, each blocking up to 30 s, before the loop turns.  ERR_CONFIG names each
 * protection that cannot be had, why, and what to do.  Takes the process in any case. */
int jail_open(struct loop *loop, struct jail_process *p, const struct jail_options *o, struct jail **ret,
              struct err *reterr) NODISCARD;
const struct jail_facts *jail_facts(const struct jail *j);
/* What all cells use together, from their cgroup: bytes of memory that are theirs now (private pages and
 * files of their boxes), nanoseconds of cpu time since the jailer's start.  0 where it is not measured. */
void jail_usage(const struct jail *j, uint64_t *ret_memory, uint64_t *ret_cpu_ns);
/* Called once, from the loop, when the jailer is gone unasked; every run was failed before. */
void jail_on_lost(struct jail *j, loop_fn fn, void *arg);
/* Kills every cell, waits (<= 6 s) for the jailer to leave no cgroup or process behind. */
void jail_free(struct jail *j);

/* ---- one run --------------------------------------------------------------------- */

#define JAIL_BUNDLES_MAX CELL_BUNDLES_MAX
enum {
    JAIL_STEP_WAITS = CELL_WAITS,
    JAIL_STEP_ZYGOTE = CELL_ZYGOTE,
    JAIL_STEP_EXECUTES = CELL_EXECUTES
}; /* below */
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
    uint32_t flags; /* JAIL_STEP_* */
    int warm_fd;    /* one end of a stream socket, the program's EXECD_WARM_FD; 0: none; stays the caller's */
    struct jail_run *zygote; /* its cell is to be a fork of this one; NULL: of none */
};
/* JAIL_STEP_WAITS: the program is started without a job, and waits for jail_go() without an end of time.
 * `limits` are bounds: its cpu time and memory until then, and at least what any job may have that it is
 * given; cpu_ms is for boot and job together.  Ended before its job (jail_kill() included), its done() has
 * ERR_AGAIN.
 * JAIL_STEP_ZYGOTE: the program calls execd_zygote_serve() (execd/zygote.h).  It has no filter, and
 * capabilities in its cell's own user namespace, which cells are made with and nothing else can be done; it
 * has no end of time, and limits of its own besides.  zygote: the program is that
 * zygote's, going on; argv is what it shall do.  It waits until the zygote is ready for it.  Where the zygote
 * ends or cannot fork, done() has ERR_AGAIN: a cold run is to be tried.  With JAIL_STEP_EXECUTES argv is
 * executed in such a cell instead. */

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
/* A waiting program's job, once: its limits are in force and its files are in /box when EXECD_FRAME_GO is
 * written into go_fd, and the clocks start there.  Whatever was to be said to it before was written before;
 * its stdin is a memfd that was filled by pwrite(2) and sealed.  done() with ERR_AGAIN: it did not get the
 * job (it had ended, uses more memory than the job may, or had narrower bounds), and a cold run is to be
 * tried. */
struct jail_go {
    const struct job_limits *limits;
    uint32_t extra_processes;
    int bundles[JAIL_BUNDLES_MAX]; /* stay the caller's */
    unsigned bundle_count;
    int go_fd; /* the other end of the step's warm_fd; stays the caller's */
};
int jail_go(struct jail_run *run, const struct jail_go *go, struct err *reterr) NODISCARD;
/* Kills the cell now; done() still comes, with measure.hit = why. */
void jail_kill(struct jail_run *run, enum job_limit_hit why);

#endif
