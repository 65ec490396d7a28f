/* warm.h - runtimes that are started before their job comes: pools, bounds, replacement, fallback.
 *
 * Theory of operation.  A step says in its plan which way a warm runtime may stand in for it (EXECD_WARM_* of
 * <execd/plugin.h>) and which variant fits.  For each (language, way, variant) that is asked for there is a
 * *pool*; its runtimes are programs in cells of their own, started by a plan of the language's plugin:
 *
 *   preboot  waits in the cell in which its one job will run, becomes that job, and is gone (warm_go())
 *   service  compiles for one step after the other (warm_compile())
 *   zygote   forks into the fresh cells of many jobs at once; the jailer does that (warm_zygote())
 *
 * Whatever goes wrong with one is no verdict: its user runs the cold step, and a counter says why.  A
 * pool gives nothing to jobs before the language's self-test went through it and said the cold one's bytes;
 * who runs that is told by `prove` and answers by warm_proved().
 *
 * How many.  A pool begins with one runtime; it wants one more, up to the worker's slots, each time when
 * somebody found none, one less after a while without that, and none when nobody has asked for long
 * (warm.idle_ms).  What was taken is replaced when its job ends, or a moment later: that costs no more
 * cpu than the cold start that it saves.  All pools together stay below warm.runtimes_max and, counted by
 * what their cells are limited to, below warm.memory_max_bytes; who needs room takes it from the pool that
 * was asked least recently.  A variant that nobody expected is cold at first and gets a pool when it is asked
 * for again.  A runtime holds what it was started from, so none outlives a change of the files that cells
 * show (warm_renew()).  What does not boot, or dies, is tried again after a pause that doubles, and logged
 * once; so is, without a word, a service that ended because its step was cancelled or passed its limits.
 *
 * Thread: the loop's. */
#ifndef EXECD_WARM_H
#define EXECD_WARM_H

#include "base/base.h"
#include "conf/conf.h"
#include "jail/jail.h"
#include "job/job.h"
#include "loop/loop.h"
#include "plugin/plugin.h"

struct warm;
struct warm_pool;
struct warm_runtime; /* one that was given to a step */
struct warm_ask;     /* a step that waits for one */

enum warm_way { WARM_WAY_ZYGOTE = 1, WARM_WAY_PREBOOT = 2, WARM_WAY_SERVICE = 3, WARM_WAY_COUNT };

/* Why a step that could have been warm ran cold. */
enum warm_miss {
    WARM_MISS_NONE_READY, /* no runtime was there */
    WARM_MISS_BUSY,       /* none became free in time */
    WARM_MISS_VARIANT,    /* this variant is not kept */
    WARM_MISS_UNPROVEN,   /* the pool's self-test is still to come */
    WARM_MISS_REFUSED,    /* the pool's self-test failed */
    WARM_MISS_LIMITS,     /* the job may use more than a runtime can give */
    WARM_MISS_DIED,       /* the runtime ended before its job or in the middle of it */
    WARM_MISS_FAULT,      /* it said what it may not, or took nothing */
    WARM_MISS_TIMEOUT, /* a compile passed its time or its output in the service: the cold step judges it */
    WARM_MISS_COUNT
};
const char *warm_miss_name(enum warm_miss m); /* "none_ready" */

/* How many cells they may take beside those of `slots` jobs; 0 where warm runtimes are off. */
unsigned warm_places(const struct conf *conf, unsigned slots);
/* The files of one phase of a plan as a sealed bundle. */
int warm_bundle(const struct plugin_plan *plan, uint32_t phase, int *ret_fd, struct err *reterr) NODISCARD;

/* Run the language's self-test through this pool (wish.proof) under these limits, from a later turn. */
typedef void (*warm_prove_fn)(void *arg, struct warm_pool *pool, struct plugin_lang *lang,
                              const struct job_limits *limits);
struct warm_options {
    struct loop *loop;
    struct jail *jail;
    const struct conf *conf;
    unsigned slots;
    warm_prove_fn prove;
    void *prove_arg;
};
struct warm *warm_new(const struct warm_options *o);
/* Kills all but what a job is in, starts none; fn once, when the last is gone. */
void warm_stop(struct warm *w, loop_fn fn, void *arg);
void warm_free(struct warm *w); /* no callback comes any more; before jail_free() */
/* A step that will be asked for (the self-test's, with its limits): a pool from the start. */
void warm_expect(struct warm *w, struct plugin_lang *lang, const struct plugin_step *step,
                 const struct job_limits *limits);
/* Files that cells show have changed: no step gets a runtime any more that began before.  loop_fn */
void warm_renew(void *warm);
/* Every slot has a job, or not any more.  With the cpu all taken a boot ahead of time wins nothing: it costs
 * what the cold start costs, and waiting besides.  So pre-boots pause, until a slot was free for a moment. */
void warm_crowded(struct warm *w, bool crowded);
/* fn once, when every expected pool has been proven or refused, or failed to boot. */
void warm_on_settled(struct warm *w, loop_fn fn, void *arg);
enum warm_proof {
    WARM_PROOF_GOOD,
    WARM_PROOF_BAD,    /* other bytes than the cold ones: cold steps only, from now on */
    WARM_PROOF_NOT_RUN /* the runtime failed; another one is tried later */
};
void warm_proved(struct warm_pool *pool, enum warm_proof proof, const char *why);

/* ---- a step asks --------------------------------------------------------------------- */

struct warm_wish {
    struct plugin_lang *lang;
    const struct plugin_step *step;
    const struct job_limits *limits;
    const struct warm_pool *proof; /* the self-test of this pool; NULL: a job */
};
typedef void (*warm_given_fn)(void *arg, struct warm_runtime *rt); /* NULL: run the cold step */
/* *ret: there it is.  Otherwise, if the answer is not NULL, given() comes from a later turn.  Neither: run
 * the cold step. */
struct warm_ask *warm_ask(struct warm *w, const struct warm_wish *wish, warm_given_fn given, void *arg,
                          struct warm_runtime **ret);
void warm_ask_cancel(struct warm_ask *a); /* given() never comes */
enum warm_way warm_way_of(const struct warm_runtime *rt);
const struct warm_pool *warm_pool_of(const struct warm_runtime *rt);

/* A pre-booted one becomes the job.  On success ret_fds are our ends of its stdout and stderr, the
 * caller's, and done() comes as jail_run()'s does, with an err wherever the cold step is to be run. */
struct warm_go {
    const char *const *argv;
    struct bytes stdin_data;
    const struct job_limits *limits;
    uint32_t extra_processes;
    const int *bundles;
    unsigned bundle_count;
};
int warm_go(struct warm_runtime *rt, const struct warm_go *go, jail_done_fn done, void *arg, int ret_fds[2],
            struct err *reterr) NODISCARD;
void warm_kill(struct warm_runtime *rt, enum job_limit_hit why); /* done() still comes */

/* A service compiles. */
struct warm_compile {
    const struct plugin_plan *plan;
    const struct job_limits *limits; /* wall_ms */
    uint64_t keep_bytes;
};
struct warm_compiled {
    int exit_code;
    int kept_fd; /* a sealed bundle, the callback's; -1 unless exit_code is 0 */
    uint64_t wall_ns;
};
/* False: that is more than it may say; the service ends and done(NULL) comes. */
typedef bool (*warm_output_fn)(void *arg, const char *bytes, size_t len);
typedef void (*warm_compiled_fn)(void *arg, const struct warm_compiled *c); /* NULL: run the cold step */
int warm_compile(struct warm_runtime *rt, const struct warm_compile *c, warm_output_fn output,
                 warm_compiled_fn done, void *arg, struct err *reterr) NODISCARD;
void warm_abandon(struct warm_runtime *rt); /* done() never comes; the service ends */

/* A zygote's run for jail_step.zygote, until warm_release(): `fine` if the step ran. */
struct jail_run *warm_zygote(struct warm_runtime *rt);
void warm_release(struct warm_runtime *rt, bool fine);

/* ---- numbers ------------------------------------------------------------------------- */

struct warm_stats { /* of one language */
    int32_t language_id;
    unsigned booting, idle, busy;
    uint64_t memory_bytes; /* what those may use at most */
    uint64_t steps[WARM_WAY_COUNT], misses[WARM_MISS_COUNT];
};
size_t warm_stats(const struct warm *w, struct warm_stats *out, size_t max);
struct warm_bounds {
    unsigned runtimes;
    uint64_t memory_bytes;
};
struct warm_bounds warm_bounds(const struct conf *conf, unsigned slots);
/* For a person: "preboot: proven", ...; "" where the language has none. */
void warm_describe(const struct warm *w, int32_t language_id, char *out, size_t size);

#endif
