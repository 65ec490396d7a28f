/* run.h - the worker: claim jobs, run each of them in cells, record what happened.
 *
 * Theory of operation.  A worker has a fixed number of slots.  While one is free it
 * claims (woken by a hint from Redis, else once a second); each claimed job goes
 * through run_job.c: ask the plugin for a plan, compile in a cell, run every test in
 * a fresh cell, judge, and the worker records the result with the epoch of its
 * claim.  run_step.c is one cell: it feeds stdin from a sealed memfd, reads the two
 * pipes up to their caps, and answers when the jailer says that the cell is dead.
 *
 * Leases are extended together with the heartbeat; a lease that is lost or a job
 * that was cancelled kills its cell.  A result that cannot be recorded because
 * Redis is away is kept and offered again until Redis answers: the epoch decides
 * whether it still counts.  When the jailer is lost, the jobs it ran are *not* handed back:
 * their leases expire and the attempt counts, so that a job which kills its jailer
 * ends after queue.max_attempts.
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

struct run;

struct run_options {
    struct loop *loop;
    struct store *store;
    struct jail *jail;
    struct plugin_set *plugins;
    const struct conf *conf;
    unsigned slots;
};

/* Probes every language's version and runs its self-test in a real cell, then calls ready once:
 * err NULL when every language (but those of optional plugins, which are left out and logged) works.
 * Claims nothing before run_start(). */
typedef void (*run_ready_fn)(void *arg, const struct err *err);
struct run *run_new(const struct run_options *o, run_ready_fn ready, void *arg);
/* Registers the worker, then claims, extends, beats and reaps until run_drain(). */
void run_start(struct run *run);
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
const char *run_worker_id(const struct run *run);

#endif
