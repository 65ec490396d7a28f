/* api_dead.c - dead letters: jobs that cost their worker each time; looked at, and submitted again. */
#include "api_internal.h"

enum {
    LIST_MAX = 1000,
    LIST_DEFAULT = 100,
    OFFSET_MAX = 1000000,
};

static const char *tenant_of(const struct api_call *call)
{
    return call->tenant == NULL ? "" : call->tenant;
}

static struct wire_letter letter_of(const struct store_letter *l)
{
    return (struct wire_letter){
        .job = l->job, .ended_ms = l->ended_ms, .bytes = l->bytes, .attempts = l->attempts};
}

/* ---- the list ---------------------------------------------------------------------- */

static void on_list(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    CLEAN_FREE struct wire_letter *list = mem_zero(MAX(count, (size_t)1), sizeof(*list));
    CLEAN_BUF struct buf body = {0};
    struct api_call *call = arg;

    for (size_t i = 0; i < count; i++)
        list[i] = letter_of(&l[i]);
    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else if (wire_letters_json(list, count, all, &body) != 0)
            api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the dead letters"});
        else
            api_answer_json(call, 200, &body);
    }
    api_call_unref(call);
}

void api_dead_list(struct api_call *call)
{
    uint64_t offset, limit;

    if (api_query_number(call, "offset", OFFSET_MAX, 0, &offset) &&
        api_query_number(call, "limit", LIST_MAX, LIST_DEFAULT, &limit))
        store_dead_list(call->api->o.store, tenant_of(call), offset, limit, on_list, api_call_ref(call));
}

/* ---- one --------------------------------------------------------------------------------- */

static void answer_letter_err(struct api_call *call, const struct err *err)
{
    if (err->code == ERR_NOT_FOUND)
        api_answer_refusal(call, 404, "not-found", "there is no such dead letter, or it is kept no more");
    else
        api_answer_err(call, err);
}

static void on_letter(void *arg, const struct err *err, struct store_letter *l, size_t count, size_t all)
{
    CLEAN_BUF struct buf body = {0};
    struct api_call *call = arg;

    (void)count;
    (void)all;
    if (api_call_open(call)) {
        if (err != NULL) {
            answer_letter_err(call, err);
        } else {
            struct wire_letter w = letter_of(l);

            if (wire_letter_json(&w, &body) != 0)
                api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the dead letter"});
            else
                api_answer_json(call, 200, &body);
        }
    }
    api_call_unref(call);
}

void api_dead_get(struct api_call *call)
{
    store_dead_get(call->api->o.store, tenant_of(call), call->token, on_letter, api_call_ref(call));
}

/* ---- again ---------------------------------------------------------------------------------- */

static void on_dropped(void *arg, const struct err *err)
{
    (void)err; /* it stays on the list, and another retry answers with the same new job */
    api_call_unref(arg);
}

static void on_retried(struct api_call *call)
{
    char location[sizeof("/v1/jobs/") + UUID_SIZE];

    store_dead_drop(call->api->o.store, tenant_of(call), call->retried, on_dropped, api_call_ref(call));
    snprintf(location, sizeof(location), "/v1/jobs/%s", call->token);
    net_reply_header(call->request, "Location", location);
    api_answer_json(call, 202, &call->reply);
}

/* A new job with the old one's program: what has ended stays ended.  The old token is the idempotency key, so
 * that a retry whose answer is lost can be repeated. */
static void retry(struct api_call *call, struct job *job)
{
    memcpy(call->retried, call->token, UUID_SIZE);
    snprintf(call->idempotency, sizeof(call->idempotency), "dead-%s", call->retried);
    snprintf(call->fingerprint, sizeof(call->fingerprint), "%064d", 0);
    uuid_new(job->token);
    api_place(call, &job, 1);
    memcpy(call->token, job->token, UUID_SIZE);
    job->created_ms = clock_wall_ms();
    if (wire_token_json(job, &call->reply) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the answer"});
    else
        api_admit(call, &job, 1, on_retried);
}

static void on_letter_to_retry(void *arg, const struct err *err, struct store_letter *l, size_t count,
                               size_t all)
{
    struct api_call *call = arg;

    (void)count;
    (void)all;
    if (api_call_open(call)) {
        if (err != NULL)
            answer_letter_err(call, err);
        else
            retry(call, l->job);
    }
    api_call_unref(call);
}

void api_dead_retry(struct api_call *call)
{
    if (call->api->paused) {
        net_reply_header(call->request, "Retry-After", "1");
        api_answer_refusal(call, 503, "stopping", "this process is shutting down; nothing was accepted");
        return;
    }
    store_dead_get(call->api->o.store, tenant_of(call), call->token, on_letter_to_retry, api_call_ref(call));
}
