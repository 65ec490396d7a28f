/* execd/plugin.h - everything that a plugin and execd agree on.
 *
 * Plain C99, valid C++11, needs only the two headers below: no libevent, libconfig, cJSON or curl
 * type crosses this border.  A plugin links against nothing of execd: whatever it needs arrives
 * in `struct execd_host`.  docs/plugins.md is the guide to this file.
 *
 * How it grows.  A struct whose first member is `size` grows at its end only; a function of the
 * other side is used only if EXECD_HAS() says that it is there.  Arrays of structs come with their
 * stride.  Structs marked "closed" never grow within a major.  Members called `reserved` and unknown
 * flag bits are zero on write and refused on read.  Only fixed-width integers, `double` and pointers.
 *
 * Threads.  Every callback comes on the loop's thread, one at a time, and must not block; from other
 * threads a plugin may use `log` and `post` alone.  A plugin does not fork, exec, change signals,
 * umask, locale or directory.  The host never calls back from inside one of its own functions, except
 * for `drop`, which only frees.
 *
 * Ownership.  What comes in is borrowed until the call returns (values and host: until destroy()
 * returns).  What goes out is memory of the caller, or is copied before the host's function returns.
 * `arg` with `drop`: drop(arg) runs exactly once, whether the callback fired, was cancelled, was
 * refused, or the plugin was stopped.  No file descriptor crosses. */
#ifndef EXECD_PLUGIN_H
#define EXECD_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EXECD_ABI_MAJOR 1u /* +1: a plugin built before would misbehave     */
#define EXECD_ABI_MINOR 3u /* +1: something was appended, nothing was moved */

#if defined(__GNUC__)
#define EXECD_EXPORT __attribute__((visibility("default")))
#define EXECD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define EXECD_EXPORT
#define EXECD_PRINTF(fmt, args)
#endif

/* Is `field` inside the struct that the other side really handed us?  For function pointers ask
 * EXECD_CAN(): one that is there may still be NULL. */
#define EXECD_HAS(p, type, field) ((p)->size >= offsetof(type, field) + sizeof((p)->field))
#define EXECD_CAN(p, type, fn) (EXECD_HAS(p, type, fn) && (p)->fn != NULL)

/* ---- values that cross the border --------------------------------------------------- */

struct execd_bytes { /* borrowed, not NUL-terminated; closed */
    const char *ptr;
    uint64_t len;
};

/* Result codes; the type on the wire is always int32_t */
enum {
    EXECD_OK = 0,
    EXECD_E_CONFIG = -1,  /* the operator must change the configuration    */
    EXECD_E_REQUEST = -2, /* the submitter must change the submission      */
    EXECD_E_AGAIN = -3,   /* nobody's fault: worth another try later       */
    EXECD_E_INTERNAL = -4 /* ours or the plugin's; users are never blamed  */
};

struct execd_error { /* memory of the caller; filled on failure only, by host->fail() */
    uint32_t size;
    int32_t code;
    char text[240]; /* one line for a person, without a trailing stop */
};

enum { EXECD_LOG_DEBUG = 0, EXECD_LOG_INFO = 1, EXECD_LOG_WARN = 2, EXECD_LOG_ERROR = 3 };

/* ---- options: what the plugin accepts in its `settings` group ------------------------ */

enum {
    EXECD_OPT_STRING = 1,
    EXECD_OPT_INT = 2,
    EXECD_OPT_BOOL = 3,   /* number: 0 or 1 */
    EXECD_OPT_MILLIS = 4, /* number: milliseconds, never negative */
    EXECD_OPT_BYTES = 5,  /* number: bytes; in the file a number or "64k", "16M", "2G" */
    EXECD_OPT_PATH = 6    /* string: an absolute path */
};
enum {
    EXECD_OPT_REQUIRED = 1, /* no fallback: the operator must set it */
    EXECD_OPT_SECRET = 2    /* never logged or printed */
};

struct execd_option {     /* an array of these with a stride; grows at the end */
    const char *key;      /* [a-z][a-z0-9_]{0,31} */
    uint32_t type;        /* EXECD_OPT_* */
    uint32_t flags;       /* EXECD_OPT_REQUIRED, EXECD_OPT_SECRET */
    const char *fallback; /* written as in the file, without quotes; NULL: 0 or NULL */
    const char *help;     /* one line, with the unit */
    int64_t min, max;     /* of numbers; both 0: no bounds */
};

struct execd_value { /* values[i] answers options[i]; closed */
    int64_t number;
    const char *string;
    uint32_t given; /* 1: the operator set it, 0: the fallback */
    uint32_t line;  /* of the configuration file; 0 unless given */
};

/* ---- plans: what the host is to do, described and never done by the plugin ------------- */

struct execd_ctx;  /* this plugin instance as the host knows it */
struct execd_plan; /* being described; written by host->plan_*(), never read */

enum { EXECD_PHASE_BUILD = 1, EXECD_PHASE_RUN = 2 }; /* bits: a file may be in both boxes */
/* Which system calls a step may make; each allows what the one before does */
enum {
    EXECD_PROFILE_STRICT = 1,   /* a plain program or interpreter   */
    EXECD_PROFILE_COMPILER = 2, /* a compiler and its children      */
    EXECD_PROFILE_JIT = 3       /* a runtime with threads and a JIT */
};
enum {
    EXECD_STEP_ARGS = 1 /* run step: the host appends the submission's args to argv */
};
/* How a warm runtime may stand in for a step; see struct execd_warm_ops */
enum { EXECD_WARM_NONE = 0, EXECD_WARM_ZYGOTE = 1, EXECD_WARM_PREBOOT = 2, EXECD_WARM_SERVICE = 3 };

struct execd_step {
    uint32_t size;
    uint32_t phase;           /* EXECD_PHASE_BUILD or EXECD_PHASE_RUN */
    const char *const *argv;  /* NULL-terminated; argv[0] absolute inside the cell; cwd is /box */
    const char *const *env;   /* NULL-terminated "KEY=value"; NULL: empty */
    const char *const *keep;  /* build step: files and directories of /box that every run gets; or NULL */
    uint32_t profile;         /* EXECD_PROFILE_* */
    uint32_t extra_processes; /* threads of the runtime itself, beyond what the job's limit allows */
    uint32_t flags;           /* EXECD_STEP_* */
    uint32_t warm;            /* EXECD_WARM_*; the cold form above is always complete */
    uint32_t warm_variant;    /* which of the plugin's warm runtimes fits (its flags, its heap size) */
    uint32_t reserved;        /* 0 */
};

/* ---- what execd lends to a plugin ---------------------------------------------------- */

typedef void (*execd_fire_fn)(void *arg);
typedef void (*execd_drop_fn)(void *arg); /* frees arg; NULL: nothing to free */

#define EXECD_HTTP_MAX 64u
struct execd_http; /* one exchange of the host's HTTP client */
struct execd_http_request {
    uint32_t size;
    uint32_t flags;             /* 0 */
    const char *method, *url;   /* http:// or https:// */
    const char *const *headers; /* NULL-terminated "Name: value"; or NULL */
    struct execd_bytes body;
    const char *ca_file;  /* NULL: the system's */
    uint64_t deadline_ms; /* for the whole exchange, from now */
    uint64_t body_max;    /* of the answer; 0: 1 MiB */
    /* since 1.3 */
    struct execd_bytes ca_pem; /* instead of the system's and of ca_file: these alone are believed */
    struct execd_bytes cert_pem, key_pem; /* who we are; empty: nobody */
    /* Not NULL: an answer of status 200 comes in pieces, as it comes (body_max: of one), and done() ends it
     * with an empty body. */
    void (*piece)(void *arg, struct execd_bytes piece);
};
/* rc EXECD_OK: an answer came, whatever its status.  Otherwise body is the reason, for a person. */
typedef void (*execd_http_fn)(void *arg, int32_t rc, int32_t status, struct execd_bytes body);

struct execd_host {
    uint32_t size;
    uint32_t abi_minor;

    /* any thread */
    void (*log)(struct execd_ctx *ctx, int32_t level, const char *fmt, ...) EXECD_PRINTF(3, 4);
    /* fire(arg) on the loop's thread, in a later turn.  Refused (E_AGAIN) before start() and after stop(). */
    int32_t (*post)(struct execd_ctx *ctx, execd_fire_fn fire, void *arg, execd_drop_fn drop);

    /* the loop's thread only */
    int32_t (*fail)(struct execd_error *err, int32_t code, const char *fmt, ...)
        EXECD_PRINTF(3, 4);                    /* returns code */
    uint64_t (*now_ms)(struct execd_ctx *ctx); /* monotonic */
    /* Once, after delay_ms.  0: refused, arg was dropped. */
    uint64_t (*timer)(struct execd_ctx *ctx, uint64_t delay_ms, execd_fire_fn fire, void *arg,
                      execd_drop_fn drop);
    void (*timer_cancel)(struct execd_ctx *ctx, uint64_t id); /* one that fired or never was is fine */

    /* inside plan(), probe() and the warm runtimes' plans only; a refusal is remembered by the plan */
    int32_t (*plan_file)(struct execd_plan *plan, uint32_t phases, const char *path, struct execd_bytes body,
                         uint32_t mode); /* path relative to /box; mode: permission bits */
    int32_t (*plan_step)(struct execd_plan *plan, const struct execd_step *step);

    /* Between start() and stop(); at most EXECD_HTTP_MAX at once.  May be NULL: ask EXECD_CAN().  NULL from
     * http_start: refused, err says why, arg was dropped.  A handle is good until done() returns or it is
     * cancelled; within done() a cancel is ignored. */
    struct execd_http *(*http_start)(struct execd_ctx *ctx, const struct execd_http_request *request,
                                     execd_http_fn done, void *arg, execd_drop_fn drop,
                                     struct execd_error *err);
    void (*http_cancel)(struct execd_http *http);

    /* since 1.1; during create().  Cells may have a root file system of their own, so a plugin that looks for
     * what it runs looks below the folder that cell_root() names ("" for the machine's /).  path_real() gives
     * the absolute path without links that `path` is there, links taken as a cell takes them; E_CONFIG: there
     * is none. */
    const char *(*cell_root)(struct execd_ctx *ctx);
    int32_t (*path_real)(struct execd_ctx *ctx, const char *path, char *out, uint32_t size);

    /* since 1.2; scalers only, between start() and stop().  A worker is another execd process of this
     * machine, with this configuration and the role worker; `number` (1 to EXECD_WORKERS_MAX) names it.
     * ended(arg) comes once when its process is gone, whoever ended it.  worker_end() asks it to finish what
     * runs and go; a number that is not in use is fine.  worker_pid(): 0 while it is not known or not there.
     * May be NULL: ask EXECD_CAN(). */
    int32_t (*worker_start)(struct execd_ctx *ctx, uint32_t number, execd_fire_fn ended, void *arg,
                            struct execd_error *err);
    void (*worker_end)(struct execd_ctx *ctx, uint32_t number);
    int64_t (*worker_pid)(struct execd_ctx *ctx, uint32_t number);

    /* since 1.3; within done() alone: how many seconds the answer's Retry-After asks to wait; 0: it does not
     */
    uint64_t (*http_retry_after_s)(struct execd_http *http);
    /* append below this line only; note "since 1.N" */
};

/* ---- languages ------------------------------------------------------------------------- */

struct execd_language {          /* an array of these with a stride; grows at the end */
    int32_t id;                  /* what clients send; positive, unique in an execd */
    uint32_t flags;              /* 0 */
    const char *name;            /* "Python": for people, without a version */
    const char *file_name;       /* "main.py": what the source is called by default */
    uint64_t memory_min;         /* bytes a job needs at least for the runtime itself; 0: no minimum */
    const char *const *mounts;   /* NULL-terminated absolute paths of folders and files in the cells' root
                                    file system, shown read-only, or "/host/path:/path" to show something of
                                    the machine as /path.  "!" before one: it must exist.  A shell, small tools
                                    and shared libraries are there anyway; /tmp /box /run /dev /proc /sys /etc
                                    are each cell's own.  Or NULL. */
    const char *selftest_source; /* a small program... */
    const char *selftest_output; /* ...and what it must print, given an empty stdin */
};

struct execd_submission {
    uint32_t size;
    uint32_t flags; /* 0 */
    int32_t language_id;
    uint32_t arg_count;
    struct execd_bytes source;
    const char *const *args; /* NULL-terminated; see EXECD_STEP_ARGS */
    uint64_t wall_ms, cpu_ms, memory_bytes, stack_bytes, processes, output_bytes; /* limits of a run */
    uint64_t build_wall_ms, build_memory_bytes; /* limits of the build step */
    uint64_t cpu_millis; /* since 1.1: the run's share of cpu, 1000 is a core; 0: no limit */
    /* append below this line only */
};

/* Of one run; the host maps its own */
enum {
    EXECD_VERDICT_COMPLETED = 1,
    EXECD_VERDICT_COMPILE_ERROR = 2,
    EXECD_VERDICT_RUNTIME_ERROR = 3,
    EXECD_VERDICT_TIME_LIMIT_EXCEEDED = 4,
    EXECD_VERDICT_MEMORY_LIMIT_EXCEEDED = 5,
    EXECD_VERDICT_OUTPUT_LIMIT_EXCEEDED = 6,
    EXECD_VERDICT_WRONG_ANSWER = 7,
    EXECD_VERDICT_CANCELLED = 8,
    EXECD_VERDICT_INTERNAL_ERROR = 9
};

struct execd_outcome { /* one step as the host measured it */
    uint32_t size;
    uint32_t phase; /* EXECD_PHASE_* */
    int32_t language_id;
    int32_t exit_code;   /* -1 unless it exited by itself */
    int32_t term_signal; /* 0 unless a signal ended it */
    uint32_t reserved;   /* 0 */
    uint64_t wall_ms, cpu_ms;
    uint64_t peak_bytes, memory_bytes; /* used at most, and the limit */
    struct execd_bytes stderr_tail;    /* the last bytes; the program wrote them, so it may lie */
};

struct execd_warm_ops; /* below */

struct execd_lang_ops {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* What this instance offers; asked once, after create(); lives until destroy() returns. */
    int32_t (*languages)(void *self, const struct execd_language **ret, uint32_t *ret_count,
                         uint32_t *ret_stride, struct execd_error *err);
    /* Pure (same input, same answer, no I/O): at most one build step, exactly one run step, their files.
     * E_REQUEST: the submission cannot be run; the text tells the submitter why. */
    int32_t (*plan)(void *self, const struct execd_submission *submission, struct execd_plan *plan,
                    struct execd_error *err);
    /* Pure: a run step that prints the version of the runtime... */
    int32_t (*probe)(void *self, int32_t language_id, struct execd_plan *plan, struct execd_error *err);
    /* ...and what to show of its output: "Python (3.11.2)", NUL-terminated, into version[size]. */
    int32_t (*probed)(void *self, int32_t language_id, struct execd_bytes output, char *version,
                      uint32_t size, struct execd_error *err);
    /* Pure, optional: refine EXECD_VERDICT_*.  Only a runtime error may become a limit that was exceeded, and
     * a compile error (phase EXECD_PHASE_BUILD) may be told to be one; any other answer than that or
     * `verdict` itself is ignored. */
    uint32_t (*classify)(void *self, const struct execd_outcome *outcome, uint32_t verdict);
    /* Optional: runtimes kept warm.  A host may leave them unused; it then runs the cold step. */
    const struct execd_warm_ops *warm;
    /* append below this line only */
};

/* ---- warm runtimes ---------------------------------------------------------------------
 *
 * Every job stays one-shot: what a warm runtime saves is its own start, never state of a job.  A
 * step says by `warm` which way may stand in for it and by `warm_variant` which runtime fits; output
 * and verdict must be those of the cold step, byte for byte.  execd checks that at start and falls
 * back to the cold step where it does not hold.
 *
 * Each way is a program that the host starts ahead of time in a cell of its own, as a plan describes it
 * (files and one run step); it sees what a job of the language sees, and no user code before its job comes.
 *
 * Zygote: a program that starts an interpreter and calls execd_zygote_serve() of <execd/zygote.h>, single
 * threaded.  That returns once for each job, in a fork of the program that is inside of the job's own
 * fresh cell: files in /box, standard descriptors, limits and filter in place.
 *
 * Pre-boot: a program that is started in a cell before its job is known, and becomes that job.
 *
 * Compile service: a program that stays and compiles for many jobs; it never runs user code.
 *
 * The last two find one end of a stream socket as descriptor EXECD_WARM_FD and speak frames on it: a
 * header of two little-endian uint32 (kind, length), then the payload.
 *   EXECD_FRAME_READY  from the runtime: booted, waiting.              empty
 *   EXECD_FRAME_ARGV   to it: the cold step's argv, its args included. strings, each with its NUL
 *   EXECD_FRAME_FILE   to a service: a file of the step; from it: a kept one.  path, NUL, bytes
 *   EXECD_FRAME_GO     to it: that was all, begin.                     empty
 *   EXECD_FRAME_OUTPUT from a service: a piece of the compiler's output.   bytes
 *   EXECD_FRAME_EXIT   from a service: done; ready for the next.       int32, the exit code
 * A pre-booted runtime gets ARGV and GO; at GO its files are in /box, its stdin has its content, and the
 * job's limits are in force.  It closes the descriptor and goes on as the job. */
#define EXECD_WARM_FD 3
#define EXECD_FRAME_MAX (64u << 20) /* bytes of one payload */
enum {
    EXECD_FRAME_READY = 1,
    EXECD_FRAME_ARGV = 2,
    EXECD_FRAME_FILE = 3,
    EXECD_FRAME_GO = 4,
    EXECD_FRAME_OUTPUT = 5,
    EXECD_FRAME_EXIT = 6
};

struct execd_warm_ops { /* each member may be NULL: that way is not offered; all in execd, pure, as plan() */
    uint32_t size;
    uint32_t uses_max;   /* replace a zygote or service after so many jobs; 0: the host decides */
    uint64_t age_max_ms; /* ... or at this age; 0: the host decides */
    int32_t (*zygote)(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                      struct execd_error *err);
    int32_t (*preboot)(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                       struct execd_error *err);
    int32_t (*service)(void *self, int32_t language_id, uint32_t variant, struct execd_plan *plan,
                       struct execd_error *err);
    /* append below this line only */
};

/* ---- scalers --------------------------------------------------------------------------- */

struct execd_worker { /* one heartbeat; an array of these with a stride */
    const char *id;
    uint32_t slots, running;
    uint32_t flags; /* EXECD_WORKER_DRAINING */
    uint32_t reserved;
    uint64_t cpu_millis; /* in use, of cpu_millis_max; 1000 is one core */
    uint64_t cpu_millis_max;
    uint64_t memory_bytes, memory_bytes_max;
    uint64_t age_ms; /* since its last heartbeat */
};
enum {
    EXECD_WORKER_DRAINING = 1, /* it claims no more */
    EXECD_WORKER_DRAINED = 2   /* nor does it hold anything: it may be ended (since 1.2) */
};
#define EXECD_WORKERS_MAX 1024u /* of one machine, by host->worker_start(); since 1.2 */

/* What one observation was and what was answered to it; an array of these with a stride; since 1.2 */
struct execd_sample {
    uint64_t age_ms; /* before this observation */
    uint64_t interval_ms, waiting, running, arrived, finished, service_ms_sum;
    uint32_t replicas, wanted; /* as of execd_observation and execd_advice */
    uint32_t slots;            /* of one replica, on average; 0: none was seen */
    uint32_t reserved;
};

/* The operator's wishes, for every scaler alike; since 1.2 */
enum {
    EXECD_POLICY_QUEUE = 1,    /* so many jobs to a replica */
    EXECD_POLICY_OBJECTIVE = 2 /* jobs are to wait so long at most */
};
struct execd_policy {
    uint32_t size;
    uint32_t kind;               /* EXECD_POLICY_* */
    uint32_t cpu_target_percent; /* of the workers' cpu on average; 0: it does not matter */
    uint32_t reserved;
    uint64_t check_ms;         /* how often observations are made */
    uint64_t stabilization_ms; /* replicas go down to the most that was wanted within this time */
    uint64_t wait_target_ms;   /* of OBJECTIVE: 95 of 100 jobs are begun within this time */
    uint64_t start_ms;         /* until a replica that was asked for runs jobs */
};

struct execd_observation {
    uint32_t size;
    uint32_t reserved;
    uint64_t now_ms, interval_ms;                  /* monotonic; since the last observation */
    uint64_t waiting, running, oldest_wait_ms;     /* jobs, now */
    uint64_t arrived, finished, service_ms_sum;    /* within the interval */
    uint32_t replicas, replicas_min, replicas_max; /* asked for now, and the operator's bounds */
    uint32_t jobs_per_replica;
    const struct execd_worker *workers;
    uint32_t worker_count, worker_stride;
    /* since 1.2 */
    const struct execd_policy *policy;  /* never NULL */
    const struct execd_sample *samples; /* the latest, oldest first */
    uint32_t sample_count, sample_stride;
    /* append below this line only */
};

struct execd_advice { /* memory of the host, zeroed but for size */
    uint32_t size;
    uint32_t replicas;
    char reason[160]; /* one line, always */
    uint32_t wanted;  /* since 1.2: before it was held up by earlier ones; comes back in the samples */
    uint32_t reserved;
    /* append below this line only */
};

struct execd_change { /* since 1.2 */
    uint32_t size;
    uint32_t replicas;          /* that there are to be */
    const char *const *leaving; /* ids of workers that are drained and may be ended; no others may */
    uint32_t leaving_count, reserved;
    uint64_t within_ms; /* since 1.3: another execd may decide after that, so nothing is to be begun then */
    /* append below this line only */
};

/* rc EXECD_OK: done; otherwise why says what went wrong.  replicas: as the backend has it now. */
typedef void (*execd_apply_fn)(void *arg, int32_t rc, uint32_t replicas, const char *why);

enum { EXECD_SCALER_WORKERS = 1 }; /* it uses host->worker_*(): what they need is set up at the start */

struct execd_scaler_ops {
    uint32_t size;
    uint32_t reserved;
    /* Pure arithmetic on the observation; the host clamps, rate-limits and logs the reason. */
    int32_t (*decide)(void *self, const struct execd_observation *observation, struct execd_advice *advice,
                      struct execd_error *err);
    /* Starts the change; done() exactly once, from a later turn, unless this call itself failed. */
    int32_t (*apply)(void *self, uint32_t replicas, execd_apply_fn done, void *arg, struct execd_error *err);
    /* Optional: asks the backend for its replica count, the same way. */
    int32_t (*current)(void *self, execd_apply_fn done, void *arg, struct execd_error *err);
    /* Since 1.2, optional: instead of apply(), for a backend that can choose which replicas end. */
    int32_t (*change)(void *self, const struct execd_change *change, execd_apply_fn done, void *arg,
                      struct execd_error *err);
    /* Since 1.2, optional: is this worker a replica of the backend's?  Without it all are. */
    int32_t (*owns)(void *self, const char *worker_id);
    /* Since 1.2, optional: another execd decides from now on.  Replicas that are this process' own are to be
     * ended gently; those of a backend that all share stay. */
    void (*retire)(void *self);
    uint32_t flags; /* EXECD_SCALER_*; since 1.2 */
    uint32_t reserved2;
    /* Since 1.3, optional, for a backend whose replicas end in an order that nobody can choose: the place of
     * this worker in it, the highest first.  Without it, and among equals, the least busy are drained. */
    int64_t (*rank)(void *self, const char *worker_id);
    /* append below this line only */
};

/* ---- the descriptor -------------------------------------------------------------------- */

#define EXECD_PLUGIN_MAGIC 0x64636578u /* "xecd" */
enum { EXECD_KIND_LANG = 1, EXECD_KIND_SCALER = 2 };

struct execd_plugin {
    uint32_t magic, size;          /* these four are frozen in every major: they are */
    uint16_t abi_major, abi_minor; /* read before anything else is believed          */
    uint32_t needs_host_minor;     /* refuse hosts that are older than this */
    uint32_t kind, reserved;       /* EXECD_KIND_*, 0 */

    const char *name;    /* "python"; [a-z][a-z0-9-]{0,31} */
    const char *version; /* the plugin's own */
    const struct execd_option *options;
    uint32_t option_count, option_stride;

    /* Before privileges are dropped and before the loop turns: allocate, look around, fail loudly. */
    int32_t (*create)(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err);
    int32_t (*start)(void *self, struct execd_error *err);      /* optional: timers, requests, threads */
    void (*stop)(void *self, execd_fire_fn stopped, void *arg); /* optional, iff start() succeeded: finish or
                                                                   abandon, then stopped(arg) within 5 s */
    void (*destroy)(void *self);                                /* exactly once, iff create() succeeded */

    const struct execd_lang_ops *lang;     /* set when kind is LANG   */
    const struct execd_scaler_ops *scaler; /* set when kind is SCALER */
    /* append below this line only */
};

/* The descriptor's head, and (once in a plugin, after its static const descriptor) the one symbol that is
 * exported. */
#define EXECD_PLUGIN_HEAD(kind_) EXECD_PLUGIN_HEAD_NEEDS(kind_, 0u)
/* The same for one that calls what came with 1.`minor_` without asking EXECD_CAN(); since 1.1 */
#define EXECD_PLUGIN_HEAD_NEEDS(kind_, minor_)                                                               \
    EXECD_PLUGIN_MAGIC, (uint32_t)sizeof(struct execd_plugin), EXECD_ABI_MAJOR, EXECD_ABI_MINOR, (minor_),   \
        (kind_), 0u
#define EXECD_PLUGIN_DEFINE(desc)                                                                            \
    EXECD_EXPORT const struct execd_plugin *execd_plugin_entry_v1(void);                                     \
    const struct execd_plugin *execd_plugin_entry_v1(void)                                                   \
    {                                                                                                        \
        return &(desc);                                                                                      \
    }

#ifdef __cplusplus
}
#endif
#endif /* EXECD_PLUGIN_H */
