/* api_internal.h - what the files of api/ share. */
#ifndef EXECD_API_INTERNAL_H
#define EXECD_API_INTERNAL_H

#include "api.h"

#include <sys/queue.h>

#include "log/log.h"
#include "net/net.h"
#include "wire/wire.h"

enum {
    API_CALLS_MAX = 8192,    /* unanswered requests, long polls included (api->calls_max) */
    API_CALLS_RESERVE = 128, /* beyond that, for the routes of supervisors (api->calls_reserve) */
    API_CALLS_SHARE = 8,     /* of so many connections one is never a call's: whoever comes finds a place */
    API_REQUEST_ID_MAX = 64,
    API_HASH_SIZE = 65,           /* SHA-256 in hexadecimal */
    API_IDEMPOTENCY_MAX = 255,    /* characters between the quotes */
    API_FLEET_FRESH_MS = 1000,    /* an answer of the store is good for so long */
    API_FLEET_PATIENCE_MS = 2000, /* ... and waited for at most so long */
    API_DRAIN_MS = 5000           /* for answers to be made and written at the end */
};

/* ---- one request (api_call.c) ------------------------------------------------------- */

struct api_route;
struct api_call {
    TAILQ_ENTRY(api_call) link; /* in api->calls while unanswered */
    struct api *api;
    struct net_request *request; /* NULL once answered or gone */
    const struct api_route *route;
    uint64_t begun_ns;
    unsigned refs;
    bool accepted;                   /* what was asked for is under way; what is left is to say so */
    bool batch;                      /* `reply` is for several jobs */
    bool watches;                    /* a supervisor's: counted in api->watch_count */
    char id[API_REQUEST_ID_MAX + 1]; /* X-Request-Id */
    const struct conf_key *key;      /* NULL where no keys are configured */
    const char *tenant;              /* the key's name; NULL as well */
    char idempotency[API_HASH_SIZE], fingerprint[API_HASH_SIZE]; /* "" without an Idempotency-Key */
    TAILQ_ENTRY(api_call) submitting; /* in api->submitting while what became of its key is not known */
    char token[UUID_SIZE];            /* of the path, or of what was submitted */
    char retried[UUID_SIZE];          /* the dead letter that it was submitted from */
    uint64_t wait_ms;
    struct store_wait *wait;
    struct buf reply; /* prepared before the store was asked */
    void (*on_admitted)(struct api_call *call);
};
TAILQ_HEAD(api_calls, api_call);

struct api_call *api_call_new(struct api *api, struct net_request *request);
/* Once at most, before it is handled: it is a supervisor's. */
void api_call_watches(struct api_call *call);
/* Each store call that is under way holds one. */
struct api_call *api_call_ref(struct api_call *call);
void api_call_unref(struct api_call *call);
static inline bool api_call_open(const struct api_call *call)
{
    return call->request != NULL;
}

/* Each answers, so that the request is gone afterwards. */
void api_answer(struct api_call *call, int status, const char *content_type, struct bytes body);
void api_answer_json(struct api_call *call, int status, const struct buf *body);
void api_answer_problem(struct api_call *call, struct wire_problem *problem);
void api_answer_refusal(struct api_call *call, int status, const char *type, const char *fmt, ...)
    PRINTF(4, 5);
/* From a failure of the store or of memory; what is ours is logged and not shown. */
void api_answer_err(struct api_call *call, const struct err *err);
/* Frees it unanswered: for api_free(). */
void api_call_drop(struct api_call *call);

/* ---- routes (api_routes.c) -------------------------------------------------------------- */

struct api_route {
    const char *method, *path; /* "{token}" takes one segment */
    void (*handle)(struct api_call *call);
    unsigned flags;      /* api_routes.c */
    const char *summary; /* for / */
};
void api_route_request(struct api *api, struct net_request *request);

/* ---- keys (api_auth.c) -------------------------------------------------------------------- */

/* Fills call->tenant.  False: no valid key came. */
bool api_auth_check(struct api_call *call);
/* May this caller see the job? */
bool api_auth_owns(const struct api_call *call, const struct job *job);

/* ---- admission (api_admission.c) -------------------------------------------------------------- */

/* The Idempotency-Key, and what came with it; the body must be there still.  False: answered. */
bool api_idempotency_read(struct api_call *call);
struct store_admission api_admission_of(const struct api_call *call); /* borrows from the call */
/* The headers that tell what the key's rate leaves, if it has one; and the answer to what was not admitted.
 */
void api_rate_show(struct api_call *call, const struct store_submitted *r);
void api_admission_refuse(struct api_call *call, const struct err *err, const struct store_submitted *r);
/* store_place() with what the call's key may: before anybody is told of the tokens. */
void api_place(struct api_call *call, struct job *const *jobs, size_t count);
/* store_submit() with what the call's key may; on_admitted() or a refusal follows, if somebody is there to
 * hear it. */
void api_admit(struct api_call *call, struct job *const *jobs, size_t count,
               void (*on_admitted)(struct api_call *call));

/* ---- handlers -------------------------------------------------------------------------------- */

void api_submit_batch(struct api_call *call); /* api_submit.c */
void api_submit_one(struct api_call *call);
void api_job_get(struct api_call *call); /* api_job.c */
void api_job_cancel(struct api_call *call);
void api_deliveries_list(struct api_call *call); /* api_delivery.c */
void api_delivery_again(struct api_call *call);
void api_languages_list(struct api_call *call); /* api_languages.c */
void api_health(struct api_call *call);         /* api_health.c */
void api_livez(struct api_call *call);
void api_readyz(struct api_call *call);
void api_metrics(struct api_call *call);   /* api_metrics.c */
void api_dead_list(struct api_call *call); /* api_dead.c */
void api_dead_get(struct api_call *call);
void api_dead_retry(struct api_call *call);
void api_scaling(struct api_call *call); /* api_scaling.c */
void api_index(struct api_call *call);   /* api_routes.c */

/* A whole number of the query, or `fallback`; false: answered with a problem. */
bool api_query_number(struct api_call *call, const char *name, uint64_t max, uint64_t fallback,
                      uint64_t *ret);
/* ?wait=SECONDS into call->wait_ms, at most conf->wait_max_ms; false: answered with a problem. */
bool api_wait_read(struct api_call *call);
/* Waits for the end of call->token and answers with the whole job: 200, or `early` if it has not ended. */
void api_job_wait(struct api_call *call);
void api_job_answer(struct api_call *call, int status, const struct store_view *view);

/* ---- what workers offer (api_languages.c) ------------------------------------------------------- */

struct api_languages {
    struct loop_timer *timer;
    struct store_language *served; /* as workers told the store */
    size_t served_count;
};
void api_languages_start(struct api *api);
void api_languages_done(struct api *api);
uint64_t api_languages_memory_min(void *api, int32_t language_id, bool *ret_known); /* for wire_rules */
/* Calls fn for each; strings are borrowed for the call. */
void api_languages_each(struct api *api, void (*fn)(void *arg, const struct wire_language *l), void *arg);

/* ---- the fleet as the store sees it (api_fleet.c) -------------------------------------------------- */

typedef void (*api_fleet_fn)(struct api_call *call,
                             const struct store_stats *stats); /* NULL: Redis does not answer */
struct api_fleet_waiter {
    STAILQ_ENTRY(api_fleet_waiter) link;
    struct api_call *call;
    api_fleet_fn fn;
};
struct api_fleet {
    struct loop_timer *patience;
    bool asking;              /* a call is under way */
    bool known;               /* stats were read once */
    uint64_t read_ms;         /* when, on the loop's clock */
    struct store_stats stats; /* our copy */
    STAILQ_HEAD(api_fleet_waiters, api_fleet_waiter) waiters;
};
void api_fleet_start(struct api *api);
void api_fleet_done(struct api *api);
/* fn runs once if the call is still open then: now, or within API_FLEET_PATIENCE_MS. */
void api_fleet_ask(struct api_call *call, api_fleet_fn fn);

/* ---- the whole ------------------------------------------------------------------------------------------
 */

struct api {
    struct api_options o;
    unsigned refs; /* the owner's, each call's, each refresh' */
    bool paused, closed;
    struct net_server *server;
    struct loop_timer *drain_timer;
    loop_fn on_drained;
    void *drained_arg;
    struct wire_rules rules;
    struct api_calls calls, submitting;
    size_t call_count, watch_count; /* unanswered; those of them that are supervisors' */
    size_t calls_max, calls_reserve;
    uint64_t answered[6]; /* by hundreds of the status */
    struct api_languages languages;
    struct api_fleet fleet;
};
struct api *api_ref(struct api *api);
void api_unref(struct api *api);

#endif
