/* run.h - the worker: claim jobs, run each of them in cells, record what happened.
 *
 * Theory of operation.  A worker has a fixed number of slots.  While one is free it
 * claims (woken by a hint from Redis, else once a second), and where jobs are short the
 * next ones ahead, which go back where they would have to wait; each claimed job goes
 * through run_job.c: ask the plugin for a plan, compile in a cell, run every test in
 * a fresh cell, judge, and the worker records the result with the epoch of its
 * claim.  run_step.c is one cell: it feeds stdin from a sealed memfd, reads the two
 * pipes up to their caps, and answers when the jailer says that the cell is dead.
 *
 * Leases are extended together with the heartbeat; a lease that is lost or a job
 * that was cancelled kills its cell.  A result that cannot be recorded because
 * Redis is away is kept, on the disk as well, and offered again until Redis answers,
 * by the next worker if need be: the epoch decides whether it still counts.  When the jailer is lost, the
 * jobs it ran are *not* handed back: their leases expire and the attempt counts, so that a job which kills
 * its jailer ends after queue.max_attempts.
 *
 * Thread: the loop's. */
#ifndef EXECD_RUN_H
#define EXECD_RUN_H

#include "base/base.h"
#include "conf/conf.h"
#include "jail/jail.h"
#include "job/job.h"
#include "loop/loop.h"
#include "plugin/plugin.h"
#include "store/store.h"

/* ---- compiled output that is used again (run_cache.c) ----------------------------- */

struct run_cache;
struct run_cache_options {
    struct loop *loop;
    int folder_fd; /* of cache_folder_open(); this and the next stay the caller's */
    int root_fd;   /* of jail_root_describe() */
    uint64_t bytes_max;
    bool by_tenant; /* nobody is served what another tenant's job has made */
};
/* Looks at all files that cells show, which takes as long as jail_root_describe(). */
int run_cache_new(const struct run_cache_options *o, struct run_cache **ret, struct err *reterr) NODISCARD;
void run_cache_stop(struct run_cache *rc); /* before loop_free() */
void run_cache_free(struct run_cache *rc); /* after it, because of its helpers; NULL is fine for both */

/* ---- the worker ------------------------------------------------------------------- */

struct run;

struct run_options {
    struct loop *loop;
    struct store *store;
    struct jail *jail;
    struct plugin_set *plugins;
    const struct conf *conf;
    struct run_cache *cache;   /* NULL: every program is compiled */
    struct store_spool *spool; /* NULL: results that Redis does not take wait in memory alone */
    unsigned slots;
};

/* Probes every language's version and runs its self-test in a real cell, then calls ready once:
 * err NULL when every language (but those of optional plugins, which are left out and logged) works.
 * Claims nothing before run_start(). */
typedef void (*run_ready_fn)(void *arg, const struct err *err);
struct run *run_new(const struct run_options *o, run_ready_fn ready, void *arg);
/* Registers the worker, then claims, extends and beats until run_drain(). */
void run_start(struct run *run);
/* Redis is there again: what waits for it is offered at once. */
void run_offer(struct run *run);
/* Claims no more; running jobs get conf->drain_ms to end, the rest is killed and handed back
 * without counting the attempt.  fn runs once, when nothing runs and everything was recorded
 * (or Redis did not answer for 5 s). */
void run_drain(struct run *run, loop_fn fn, void *arg);
/* During a drain: the time for running jobs is over now. */
void run_drain_now(struct run *run);
/* After the drain, and after store_free() (which answers what is still owed); before jail_free(). */
void run_free(struct run *run);
/* After ready: does this language work here? */
bool run_serves(const struct run *run, int32_t language_id);
/* After ready, instead of run_start(): starts each language's warm runtimes and has them go through its
 * self-test; fn once, when it is known what becomes of them. */
void run_try_warm(struct run *run, loop_fn fn, void *arg);
/* For a person; "" where a language has none. */
void run_describe_warm(const struct run *run, int32_t language_id, char *out, size_t size);
const char *run_worker_id(const struct run *run);

#endif
