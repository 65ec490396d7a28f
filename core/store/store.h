/* store.h - Redis as the only shared state: jobs, leases, results, outbox, workers.
 *
 * (Theory of operation, key table and states: store.c, docs/architecture.md.)
 *
 * All calls are asynchronous on the loop: the callback runs exactly once, from a
 * later turn, with err == NULL on success.  Nothing passed in is kept after the
 * call returns.  While Redis is away calls fail at once with ERR_AGAIN; the store
 * reconnects by itself with a growing, bounded delay.  Where an answer is lost with the connection, a
 * submission or cancellation may have had its effect: ERR_UNSURE.  Errors a client may see: ERR_FULL (queue
 * bound), ERR_NOT_FOUND, ERR_CONFLICT, ERR_AGAIN, ERR_UNSURE, ERR_INTERNAL. */
#ifndef EXECD_STORE_H
#define EXECD_STORE_H

#include "base/base.h"
#include "job/job.h"
#include "loop/loop.h"

struct store;

#define STORE_SHARDS_MAX 64
struct store_options {
    /* unix:/path?db=N, redis://[[user]:password@]host:port/db,
     * sentinel://[[user]:password@]host:port,.../name/db, cluster://[[user]:password@]host:port,...;
     * rediss://, sentinels:// and clusters:// with TLS; for `embedded` the one of store_embedded_start() */
    const char *url;
    const char *password;           /* overrides the one in url; NULL if none */
    const char *sentinel_password;  /* of the sentinels themselves; NULL if none */
    const char *tls_ca;             /* a file of certificates; NULL: whom the machine trusts */
    const char *tls_cert, *tls_key; /* who we are, where Redis asks; NULL: nobody */
    const char *tls_name;           /* whose certificate is expected; NULL: the host's */
    const char *prefix;             /* of every key; default "execd" */
    uint32_t shards; /* that share the jobs, for ever the same of one Redis; 0: 1, at most STORE_SHARDS_MAX */
    uint64_t lease_ms;
    uint32_t max_attempts;
    uint64_t result_ttl_ms;
    uint64_t hook_ttl_ms; /* a result with a webhook is kept this long at least */
    uint64_t queue_max_jobs, queue_max_bytes, queue_max_wait_ms;
    uint64_t dead_max, dead_max_bytes, dead_ttl_ms; /* dead letters of one tenant */
    /* What a client waits for is answered by then: ERR_UNSURE if it may have had an effect (a submission, a
     * cancellation), ERR_AGAIN if it has none (a job, dead letters). */
    uint64_t answer_ms;
    uint64_t unanswered_max; /* bytes of submissions that Redis has not answered, whoever still waits; beyond,
                              * one is ERR_FULL, unless it is the only one */
    uint32_t accept_missing; /* of store_accept_find() */
};
/* Can it be used as store_options.url?  ERR_CONFIG with the reason, in which the url itself is not shown. */
int store_url_check(const char *url, struct err *reterr);
int store_open(struct loop *loop, const struct store_options *o, struct store **ret,
               struct err *reterr) NODISCARD;
void store_free(struct store *s); /* every callback still owed gets ERR_AGAIN first */
/* At first when every shard is; from then on while any is, and what is about a job of one that is not gets
 * ERR_AGAIN. */
bool store_connected(const struct store *s);
unsigned store_away(const struct store *s); /* shards that are not connected */
/* Why it is not connected, one line for a person; "" if it is, or nothing is known yet.  Borrowed until the
 * loop's next turn. */
const char *store_trouble(const struct store *s);

/* What the Redis that the store is connected to, or was last, can keep of the promises (store_facts.c). */
enum store_check {
    STORE_CHECK_VERSION,
    STORE_CHECK_PERSISTENCE, /* does what was accepted outlive Redis' process? */
    STORE_CHECK_FSYNC,       /* its machine's power? */
    STORE_CHECK_EVICTION,    /* a full memory? */
    STORE_CHECK_COUNT
};
enum store_grade {
    STORE_GOOD,
    STORE_UNTOLD, /* it does not tell us */
    STORE_WEAKER, /* "accepted means kept" holds, with the exception that the text names */
    STORE_BROKEN, /* it does not hold: a reason not to start, unless accepted by name */
};
struct store_finding {
    const char *name; /* one word, a literal */
    enum store_grade grade;
    bool accepted;
    char text[160]; /* one line for a person */
};
struct store_facts {
    char version[24]; /* "" if it is not known */
    struct store_finding findings[STORE_CHECK_COUNT];
};
/* NULL before the first connection.  Borrowed until the loop's next turn. */
const struct store_facts *store_facts(const struct store *s);
/* The first that is broken and not accepted; NULL if there is none. */
const struct store_finding *store_facts_refused(const struct store_facts *f);
/* Adds the bit of what may be broken ("persistence" or "eviction") to *bits; -1 if there is no such. */
int store_accept_find(const char *name, uint32_t *bits);

/* fn runs on every change of store_connected() and store_away(), from a later turn. */
void store_on_change(struct store *s, loop_fn fn, void *arg);

/* ---- embedded server (store_embedded.c) ------------------------------------------ */

struct store_embedded;
/* Starts redis-server in the directory `state_fd` (AOF on, unix socket "redis.sock", no TCP),
 * supervises it (restart with growing delay) and stops it with SIGTERM in free.
 * `url_out` gets the unix: url to pass to store_open. */
int store_embedded_start(struct loop *loop, const char *redis_path, int state_fd, char *url_out,
                         size_t url_size, struct store_embedded **ret, struct err *reterr) NODISCARD;
void store_embedded_free(struct store_embedded *e);
pid_t store_embedded_pid(const struct store_embedded *e);

/* ---- clients' side ------------------------------------------------------------------ */

typedef void (*store_done_fn)(void *arg, const struct err *err);

/* What the caller's configuration says of a tenant; zeroed: one turn beside each other tenant's, no bounds.
 */
struct store_admission {
    const char *tenant;           /* of all jobs of the call; NULL: "" */
    uint32_t weight;              /* turns for each of a tenant of weight 1; 0: 1 */
    uint64_t max_jobs, max_bytes; /* of its jobs that wait; 0: the queue's bounds alone */
    uint64_t rate, burst;         /* jobs a minute, jobs at once; rate 0: any number */
    /* Who submits with the same key within idempotency_ttl_ms gets the first one's tokens, or ERR_CONFLICT if
     * the fingerprint is another.  Hexadecimal; NULL: none. */
    const char *idempotency_key, *fingerprint;
    uint64_t idempotency_ttl_ms;
};
enum store_admitted {
    STORE_ADMITTED,
    STORE_ADMITTED_BEFORE, /* by its idempotency key */
    STORE_KEY_REUSED,      /* the key came with something else before */
    STORE_RATE_EXCEEDED,
    STORE_QUEUE_FULL,
};
struct store_submitted {
    enum store_admitted how;
    const char *tokens; /* BEFORE: of that time, with a blank between; borrowed */
    bool metered;       /* the next two are known */
    uint64_t left;      /* jobs that the rate allows now */
    uint64_t reset_ms;  /* until it allows as many as it ever does */
    uint64_t retry_ms;  /* RATE_EXCEEDED, QUEUE_FULL: when it is likely to be accepted */
};
/* err NULL: admitted, now or before.  Else `r` says why not, NULL if that is not about this submission:
 * ERR_FULL for a queue that is full and for a rate, ERR_CONFLICT for a key. */
typedef void (*store_submitted_fn)(void *arg, const struct err *err, const struct store_submitted *r);
/* Writes the shard that the jobs of one submission go to into their tokens, which are theirs from then on. */
void store_place(struct store *s, const struct store_admission *admission, struct job *const *jobs,
                 size_t count);
/* One atomic call for all of them: accepted whole or not at all.  If the connection is lost before the answer
 * the same call is made once more, which changes nothing if the first came through.  ERR_UNSURE after
 * answer_ms, whatever becomes of Redis. */
void store_submit(struct store *s, struct job *const *jobs, size_t count,
                  const struct store_admission *admission, store_submitted_fn done, void *arg);

struct store_view {  /* a job as it is now */
    struct job *job; /* without callback, args, source and tests; borrowed for the callback */
    enum job_status status;
    struct job_result *result; /* NULL until terminal; borrowed */
    uint64_t started_ms;       /* 0 until running */
    uint32_t attempt;
};
typedef void (*store_view_fn)(void *arg, const struct err *err, const struct store_view *view);
/* ERR_NOT_FOUND if unknown or expired, ERR_AGAIN after answer_ms. */
void store_get(struct store *s, const char *token, store_view_fn done, void *arg);
/* The same, but waits up to wait_ms for a terminal state (woken by Redis, re-checked at the end, which takes
 * answer_ms at most). */
struct store_wait;
struct store_wait *store_wait(struct store *s, const char *token, uint64_t wait_ms, store_view_fn done,
                              void *arg);
void store_wait_cancel(struct store_wait *w); /* done() never comes */
void store_waits_end(struct store *s);        /* all are answered with what there is, as if time were over */
/* Queued: cancelled now.  Running: marked; its worker sees it at the next extend.  Terminal: ERR_CONFLICT. */
void store_cancel(struct store *s, const char *token, store_done_fn done, void *arg);

/* ---- a worker's side ------------------------------------------------------------------- */

#define STORE_WORKER_SIZE 64 /* of a worker's name; no '/' is in it */
struct store_claim {
    struct job *job;
    uint32_t epoch;
    bool ahead; /* beyond at_once: its attempt counts from when it is said to be begun */
};              /* the callback takes each job */
/* `more`: nothing may have been found, but asking again at once is worth it. */
typedef void (*store_claim_fn)(void *arg, const struct err *err, struct store_claim *claims, size_t count,
                               bool more);
/* Up to `max` jobs of one shard, by priority; within one, tenants take turns by their weight.  `languages`
 * this worker serves; a job of another language is left for others.  The first `at_once` are those that
 * are begun as soon as the answer is there. */
void store_claim(struct store *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, size_t at_once, store_claim_fn done, void *arg);
struct store_lease {
    char token[UUID_SIZE];
    uint32_t epoch;
    bool begun; /* in: from now on a loss of this lease costs the job an attempt */
    bool lost;  /* out, as the next */
    bool cancelled;
};
typedef void (*store_lease_fn)(void *arg, const struct err *err, struct store_lease *leases, size_t count);
/* Extends all by lease_ms; flags those that are lost or cancelled. */
void store_extend(struct store *s, const char *worker, const struct store_lease *leases, size_t count,
                  store_lease_fn done, void *arg);
/* Records result, counters and (if the job has a callback) the outbox entry in one atomic step.  `worker` and
 * `epoch`: as it was claimed.  ERR_CONFLICT: the lease was lost, the result was thrown away.
 * `begun`: what takes its slot and was claimed ahead, each with `begun` set; that goes along, so that it
 * costs no call (if it is of the same shard), and whether it arrived is not told: each store_extend() says it
 * again. */
void store_finish(struct store *s, const char *worker, const char *token, uint32_t epoch,
                  const struct job_result *result, const struct store_lease *begun, size_t begun_count,
                  store_done_fn done, void *arg);
/* Hands a job back: to the head of its queue, attempt not counted. */
void store_release(struct store *s, const char *worker, const char *token, uint32_t epoch, store_done_fn done,
                   void *arg);
/* Returns expired leases to the queue; ends jobs past max_attempts (or, where none was begun, past
 * STORE_UNBEGUN times as many), which become dead letters, and those that
 * waited for a worker longer than queue_max_wait_ms, as internal_error.  Takes out of the queues what has
 * ended there, so that it counts against nobody's bounds.  A bounded number at a time; every role does it. */
#define STORE_UNBEGUN 10u
typedef void (*store_reap_fn)(void *arg, const struct err *err, size_t recovered, size_t overdue);
void store_reap(struct store *s, store_reap_fn done, void *arg);
/* fn is called (a hint, coalesced) when jobs became ready, or will be by the time that a question which fn
 * asks at once is answered. */
void store_on_ready(struct store *s, loop_fn fn, void *arg);

/* ---- dead letters (store_dead.c) -------------------------------------------------------- */

/* What cost its worker max_attempts times: ended, and kept with its program for dead_ttl_ms.  Each tenant has
 * its own list, of the newest dead_max, and dead_max_bytes. */
struct store_letter {
    struct job *job; /* as in a view, from store_dead_get() whole; borrowed for the callback */
    uint64_t ended_ms, bytes;
    uint32_t attempts;
};
/* `all`: how many there are.  The callback may take a job, by setting it NULL. */
typedef void (*store_letters_fn)(void *arg, const struct err *err, struct store_letter *l, size_t count,
                                 size_t all);
/* The newest first. */
void store_dead_list(struct store *s, const char *tenant, size_t offset, size_t max, store_letters_fn done,
                     void *arg);
/* One, or ERR_NOT_FOUND. */
void store_dead_get(struct store *s, const char *tenant, const char *token, store_letters_fn done, void *arg);
/* Takes it off the list; one that is not there is fine. */
void store_dead_drop(struct store *s, const char *tenant, const char *token, store_done_fn done, void *arg);

#define STORE_WARM_MAX 16 /* languages of a worker with warm runtimes; more are not told of */
#define STORE_WARM_WAYS 4 /* room for what warm.h counts */
#define STORE_WARM_MISSES 12
struct store_warm { /* a worker's warm runtimes of one language */
    int32_t language_id;
    uint32_t booting, idle, busy;
    uint64_t memory_bytes;
    uint64_t steps[STORE_WARM_WAYS], misses[STORE_WARM_MISSES]; /* since its start */
};
struct store_worker {           /* heartbeat; kept for 3 beats */
    char id[STORE_WORKER_SIZE]; /* host:pid:random */
    uint32_t slots, running;
    double cpu_ratio;      /* of the host's cores' time used by its cells and itself since the last beat */
    uint64_t memory_bytes; /* of its cells and itself */
    uint64_t started_ms, seen_ms;
    bool draining;
    uint32_t enforced, missing; /* protections, as of jail.h */
    struct store_warm warm[STORE_WARM_MAX];
    size_t warm_count;
    uint32_t cores;      /* of its host; 0: an older execd's, which did not tell */
    uint64_t memory_max; /* of its host, bytes */
    uint32_t held;       /* jobs that it has claimed and not yet recorded or handed back */
    bool drained;        /* it drains, and holds nothing */
};
/* leave: a scaler wants the worker to claim no more, until a heartbeat says otherwise. */
typedef void (*store_beat_fn)(void *arg, const struct err *err, bool leave);
void store_heartbeat(struct store *s, const struct store_worker *w, uint64_t ttl_ms, store_beat_fn done,
                     void *arg);
void store_worker_gone(struct store *s, const char *id, store_done_fn done, void *arg);
/* What a worker found out about a language ("71" -> "Python (3.11.2)"); workers put, again and again, apis
 * get what was put within ten minutes.  Of a store with one shard what was put last holds while no worker is
 * there (lua/languages.lua). */
struct store_language {
    int32_t id;
    char version[96];
};
void store_languages_put(struct store *s, const struct store_language *l, size_t count, store_done_fn done,
                         void *arg);
typedef void (*store_languages_fn)(void *arg, const struct err *err, const struct store_language *l,
                                   size_t count);
void store_languages_get(struct store *s, store_languages_fn done, void *arg);

/* ---- a scaler's side (store_scale.c) ----------------------------------------------------------
 *
 * Of all scalers one leads, for a time that each step renews.  Whatever it writes carries the epoch of its
 * leadership and is refused (ERR_CONFLICT) when that is over.  A step is one script, so of a store with
 * several shards it sees the first alone: such a store has no scaler (app_scaler.c refuses it). */

#define STORE_DECISIONS_MAX 1000 /* that are kept */
struct store_decision {          /* what was seen, and what was made of it */
    uint64_t at_ms, interval_ms; /* Unix ms of Redis; since the one before */
    uint64_t queued[JOB_PRIORITY_COUNT], running, oldest_wait_ms;
    /* Within the interval; those that a worker ended, and the ms that they were its. */
    uint64_t arrived, finished, service_ms;
    uint64_t accepted, served, held;   /* the same since the beginning, for the next one */
    uint32_t workers, slots, draining; /* that were seen; of one on average */
    uint32_t cpu_permille;             /* of those, on average */
    uint32_t replicas, wanted, target; /* there were; before any holding up; what is to be */
    bool blind;                        /* something was not seen, so nothing went down */
    char reason[192];
};
struct store_scene { /* what a leader sees; lists are borrowed for the callback */
    bool leads;
    uint64_t epoch;
    char who[STORE_WORKER_SIZE]; /* the leader, "" if there is none */
    uint64_t left_ms;            /* of its time */
    uint64_t now_ms;             /* Unix ms of Redis; this and what follows: of a leader alone */
    uint64_t queued[JOB_PRIORITY_COUNT], running, oldest_wait_ms;
    uint64_t accepted, served, held; /* since the beginning */
    const struct store_worker *workers;
    size_t worker_count;
    char *const *leaving; /* workers that are to claim no more */
    size_t leaving_count;
    const struct store_decision *decisions; /* the latest first */
    size_t decision_count;
};
typedef void (*store_scene_fn)(void *arg, const struct err *err, const struct store_scene *scene);
/* Leads for lease_ms from now on if nobody else does; whole: with the decisions that there were. */
void store_scale_step(struct store *s, const char *id, uint64_t lease_ms, bool whole, store_scene_fn done,
                      void *arg);
struct store_order {
    const char *worker;
    bool leave; /* false: it may claim again */
};
/* Writes down a decision with the orders that it takes. */
void store_scale_decide(struct store *s, const char *id, uint64_t epoch, const struct store_decision *d,
                        const struct store_order *orders, size_t order_count, store_done_fn done, void *arg);
/* It leads no longer. */
void store_scale_yield(struct store *s, const char *id, store_done_fn done, void *arg);
/* For whoever asks: the leader, what drains and the latest decisions; the numbers are in those. */
void store_scale_view(struct store *s, size_t max, store_scene_fn done, void *arg);

/* ---- results that wait for Redis, on the disk (store_spool.c) --------------------------------- */

struct store_spool;
#define STORE_SPOOL_OLD_MAX 100000 /* files of workers before us that one start looks at */
struct store_spool_options {
    struct loop *loop;
    struct store *store;
    int folder_fd;      /* of nobody else's; the caller's, until store_spool_free() */
    uint64_t bytes_max; /* on the disk */
};
/* Reads what a worker before us has left; blocks for that. */
int store_spool_open(const struct store_spool_options *o, struct store_spool **ret,
                     struct err *reterr) NODISCARD;
/* Writes and syncs it, by a helper; at most once for each token and epoch.  Failures are logged: the caller
 * has it in memory, and goes on offering it.  loop_free() waits for what is not written yet. */
void store_spool_keep(struct store_spool *sp, const char *worker, const char *token, uint32_t epoch,
                      const struct job_result *result);
void store_spool_drop(struct store_spool *sp, const char *token, uint32_t epoch); /* Redis has decided */
/* Offers what a worker before us has left: to be called when the store has connected. */
void store_spool_offer(struct store_spool *sp);
/* Stop: after store_free() and before loop_free().  Free: after loop_free(), because of its helpers.  NULL is
 * fine for all of these. */
void store_spool_stop(struct store_spool *sp);
void store_spool_free(struct store_spool *sp);

/* ---- outbox (store_outbox.c) ------------------------------------------------------------------
 *
 * Deliveries wait in one queue for each endpoint (host and port of the callback) of each tenant, and what is
 * known of it is in Redis, so that all senders keep to it together. */

struct store_outbox_rules {
    uint64_t lease_ms;              /* a claim's; longer than any attempt takes */
    uint64_t per_endpoint;          /* deliveries under way to one, by all senders */
    uint64_t window_ms;             /* the last attempt begins by then */
    uint64_t grace_ms;              /* what has not had it by then is given up unasked */
    uint64_t pause_after, pause_ms; /* failures in a row (0: never), and how long it is then left alone */
    uint64_t claim_bytes;           /* of results, at which a claim ends; 0: any number.  One may be more */
};
/* Of the sender that claims: who has its places.  A tenant may hold three times as many as are free. */
struct store_holder {
    const char *tenant;
    size_t count;
};
struct store_places {
    size_t free; /* not 0 */
    const struct store_holder *holders;
    size_t holder_count;
};
struct store_delivery { /* due now, leased to us for lease_ms */
    char token[UUID_SIZE];
    uint32_t attempt;       /* numbers all that there were; names this one */
    uint32_t tries;         /* those since the job ended or was redelivered; 1 for the first */
    struct store_view view; /* owned by the delivery until the callback returns */
    char *url;
};
/* next_ms: until an endpoint's turn comes; UINT64_MAX if nothing waits. */
typedef void (*store_delivery_fn)(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                                  uint64_t next_ms);
/* At most `max`; tenants take turns, and the endpoints of each do.  places NULL: a tenant may hold all. */
void store_outbox_claim(struct store *s, const struct store_outbox_rules *r,
                        const struct store_places *places, size_t max, store_delivery_fn done, void *arg);
enum store_outcome {
    STORE_DELIVERED,
    STORE_FAILED,   /* tried again after retry_ms, if the window is not over */
    STORE_GIVEN_UP, /* never tried again, unless somebody asks for it */
};
enum store_health {             /* of the endpoint, as this attempt shows it */
                    STORE_WELL, /* it answers for itself */
                    STORE_ILL,
                    STORE_UNKNOWN, /* the attempt says nothing about it */
};
struct store_settlement {
    const char *token;
    uint32_t attempt;
    enum store_outcome outcome;
    enum store_health health;
    uint64_t retry_ms, took_ms;
    int status;         /* of the answer; 0: there was none */
    const char *reason; /* for the log that clients see; cut to its first line */
};
/* paused_ms: for so long the endpoint is left alone from now on; 0: nothing changed. */
typedef void (*store_settled_fn)(void *arg, const struct err *err, uint64_t paused_ms);
/* One of another attempt than the latest changes nothing. */
void store_outbox_settle(struct store *s, const struct store_outbox_rules *r,
                         const struct store_settlement *settlement, store_settled_fn done, void *arg);
/* fn is called (a hint, coalesced) when something became due. */
void store_on_outbox(struct store *s, loop_fn fn, void *arg);

enum store_delivery_state {
    STORE_NO_DELIVERY,      /* the job has no callback */
    STORE_DELIVERY_WAITS,   /* for the job's end */
    STORE_DELIVERY_PENDING, /* for next_ms */
    STORE_DELIVERY_SENDING,
    STORE_DELIVERY_DONE,
    STORE_DELIVERY_GIVEN_UP,
    STORE_DELIVERY_STATES
};
#define STORE_ATTEMPTS_MAX 100 /* of one job that are remembered: the latest */
struct store_attempt {
    uint32_t attempt;
    uint64_t began_ms, took_ms; /* Unix ms; ms */
    int status;                 /* 0: no answer */
    enum store_outcome outcome;
    uint64_t next_ms; /* when the next was due, Unix ms; 0: never */
    char reason[160];
};
struct store_deliveries {
    enum store_delivery_state state;
    uint32_t attempts; /* in all */
    uint64_t next_ms;  /* Unix ms; 0 if not pending */
    struct store_attempt *log;
    size_t log_count;
};
typedef void (*store_deliveries_fn)(void *arg, const struct err *err, const struct store_deliveries *d);
/* What became of a job's webhook; borrowed for the callback.  ERR_NOT_FOUND if unknown or expired. */
void store_outbox_view(struct store *s, const char *token, store_deliveries_fn done, void *arg);
/* Delivers it anew: due now, and in its queue as any other.  It counts as a job by the rate in `admission`,
 * of whose rest nothing is asked.  A pause of its endpoint ends for it, if none did so in the last pause_ms.
 * ERR_NOT_FOUND; ERR_CONFLICT with the reason: no callback, not ended, under way at this moment; ERR_FULL
 * with STORE_RATE_EXCEEDED. */
void store_outbox_again(struct store *s, const char *token, const struct store_admission *admission,
                        uint64_t pause_ms, store_submitted_fn done, void *arg);

/* ---- numbers --------------------------------------------------------------------------------- */

#define STORE_BUCKETS 17 /* upper bounds in seconds: store_bucket_seconds(); the last is +Inf */
double store_bucket_seconds(unsigned i);
struct store_language_stats {
    int32_t language_id;
    uint64_t by_status[JOB_STATUS_COUNT]; /* terminal ones */
    uint64_t run_buckets[STORE_BUCKETS];  /* cumulative counts of execution time */
    double run_seconds_sum;
    uint64_t run_count;
    uint64_t by_cache[JOB_CACHE_COUNT]; /* compile steps: from the cache, or not in it */
};
struct store_stats {
    uint64_t queued[JOB_PRIORITY_COUNT], running, outbox, outbox_dead;
    uint64_t queued_bytes, oldest_queued_ms;                         /* Unix ms, 0 if none */
    uint64_t accepted, recovered, webhook_delivered, webhook_failed; /* since the beginning */
    uint64_t late, dead; /* results of workers that were given up; jobs that cost too many workers */
    uint64_t scale_epoch, scale_replicas, scale_wanted, scale_decisions; /* epoch 0: no scaler ever led */
    struct store_worker *workers;
    size_t worker_count;
    struct store_language_stats *languages;
    size_t language_count;
};
typedef void (*store_stats_fn)(void *arg, const struct err *err, const struct store_stats *stats);
void store_stats(struct store *s, store_stats_fn done, void *arg);
void store_ping(struct store *s, store_done_fn done, void *arg);

#endif
