/* run_worker.h - the worker itself, as its files see it. */
#ifndef EXECD_RUN_WORKER_H
#define EXECD_RUN_WORKER_H

#include <sys/queue.h>

#include "run_internal.h"

struct active { /* a claimed job */
    TAILQ_ENTRY(active) link;
    struct run *run;
    struct job *job;
    uint32_t epoch;
    struct run_job *rj;       /* NULL while it waits, and once it ended */
    struct job_result result; /* being recorded */
    uint64_t begun_ns;        /* 0: not begun */
    struct loop_timer *record_timer;
    uint64_t record_delay_ms;
    unsigned refusals; /* by a Redis that does answer */
    bool ahead;        /* claimed for the next slot that is free */
    bool untold;       /* Redis takes it for one that is not begun */
    uint64_t claimed_ms;
    bool ended;     /* it runs no more: only its result is not recorded yet */
    bool recording; /* a store call is on its way */
    bool kept;      /* on the disk, while Redis does not take it */
    bool lost;      /* the lease is another's: throw the result away */
    bool cancelled; /* by its client */
    bool hand_back; /* the drain's time is up */
};
TAILQ_HEAD(active_list, active);

struct run {
    struct run_options o;
    struct run_job_context ctx;
    struct run_check *check;
    struct warm *warm;
    struct run_prove *prove;
    char id[STORE_WORKER_SIZE];
    int32_t *languages;
    size_t language_count;
    struct active_list active;
    unsigned active_count, ended_count, ahead_count;
    uint64_t usual_us; /* how long a slot is a job's, lately */
    size_t asked;      /* for so many jobs by the last question */
    bool started, claiming, draining, drained;
    bool resting;         /* a scaler wants it to claim no more */
    bool told_rest;       /* ... and was told that nothing is held any more */
    bool hinted;          /* since the last question something may have been queued */
    bool dry;             /* the last answer was less than was asked for */
    unsigned warm_ending; /* parts of it that have not ended: the self-tests, the runtimes */
    struct loop_timer *claim_timer, *beat_timer, *drain_timer, *ahead_timer;
    uint64_t started_ms, claim_asked_ns;
    uint64_t last_beat_ns, last_cpu_ns;
    run_ready_fn ready;
    void *ready_arg;
    loop_fn on_drained;
    void *drained_arg;
};

/* Jobs in slots. */
static inline unsigned run_running(const struct run *run)
{
    return run->active_count - run->ended_count - run->ahead_count;
}

/* run_window.c: how many jobs it holds that runs `slots` at once, each for `usual_us` lately; and how many to
 * ask for when it holds `held` of them, 0: none yet. */
unsigned run_window(unsigned slots, uint64_t usual_us);
unsigned run_window_wants(unsigned slots, unsigned window, unsigned held);
/* How many results may wait for Redis while more jobs are claimed.  A shard that is away gives no more jobs,
 * so each of them keeps at most what was held when it went: the others' jobs go on. */
unsigned run_window_unrecorded(unsigned slots, unsigned window, unsigned shards);

/* run.c: it was not begun, and goes back to the head of its queue. */
void run_give_back(struct active *a);

/* run_lease.c: leases of the jobs that it holds. */
void run_lease_extend(struct run *run);
/* Jobs that were claimed ahead, are begun, and that nobody has said so of to Redis: how many, and which (the
 * caller's; NULL: none).  They are taken for told then; run_lease_extend() says it again. */
size_t run_lease_untold(struct run *run, struct store_lease **ret);
void run_lease_tell(struct run *run); /* by a call of its own, if there are any */

/* run_beat.c: what it tells of itself. */
void run_make_id(struct run *run);
void run_beat(struct run *run);
void run_tell_languages(struct run *run);
/* It drains, by whomever it was asked, and holds nothing. */
static inline bool run_empty(const struct run *run)
{
    return (run->resting || run->draining) && run->active_count == 0 && !run->claiming;
}
/* run.c: claims no more and hands back what was not begun, or goes on. */
void run_rest(struct run *run, bool rest);

#endif
