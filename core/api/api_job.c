/* api_job.c - one job: as it is now, at its end, cancelled. */
#include "api_internal.h"

#include "log/trace.h"

/* Seconds, so that the product fits; far above any wait_max_ms. */
#define WAIT_SECONDS_MAX 1000000000

bool api_query_number(struct api_call *call, const char *name, uint64_t max, uint64_t fallback, uint64_t *ret)
{
    const char *text = net_request_query(call->request, name);
    struct wire_problem p = {.item = -1};

    *ret = fallback;
    if (text == NULL || num_u64(text, 0, max, ret) == 0)
        return true;
    wire_problem_set(&p, 422, "out-of-range", "`%s` must be a whole number", name);
    snprintf(p.field, sizeof(p.field), "%s", name);
    snprintf(p.value, sizeof(p.value), "%.*s",
             (int)MIN(utf8_cut(text, MIN(strlen(text), (size_t)64)), (size_t)64), text);
    snprintf(p.bound, sizeof(p.bound), "0..%llu", (unsigned long long)max);
    api_answer_problem(call, &p);
    return false;
}

/* What is longer than the configuration allows is cut, not refused. */
bool api_wait_read(struct api_call *call)
{
    uint64_t seconds;

    if (!api_query_number(call, "wait", WAIT_SECONDS_MAX, 0, &seconds))
        return false;
    call->wait_ms = MIN(seconds * 1000, call->api->o.conf->wait_max_ms);
    return true;
}

void api_job_answer(struct api_call *call, int status, const struct store_view *view)
{
    CLEAN_BUF struct buf body = {0};
    struct wire_job job = {.job = view->job,
                           .status = view->status,
                           .result = view->result,
                           .started_ms = view->started_ms,
                           .attempt = view->attempt};

    if (wire_job_json(&job, &body) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the job's answer"});
    else
        api_answer_json(call, status, &body);
    TRACE(view->job->token, "answered");
}

static bool submitted_here(const struct api_call *call)
{
    return call->reply.len > 0;
}

static void on_waited(void *arg, const struct err *err, const struct store_view *view)
{
    struct api_call *call = arg;

    call->wait = NULL;
    if (api_call_open(call)) {
        if (err == NULL && !api_auth_owns(call, view->job))
            api_answer_err(call, &(struct err){ERR_NOT_FOUND, ""});
        else if (err == NULL)
            api_job_answer(call, submitted_here(call) && !job_status_terminal(view->status) ? 202 : 200,
                           view);
        else if (submitted_here(call)) /* it is accepted, whatever became of the waiting */
            api_answer_json(call, 202, &call->reply);
        else
            api_answer_err(call, err);
    }
    api_call_unref(call);
}

void api_job_wait(struct api_call *call)
{
    call->wait = store_wait(call->api->o.store, call->token, call->wait_ms, on_waited, api_call_ref(call));
}

static void on_viewed(void *arg, const struct err *err, const struct store_view *view)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else if (!api_auth_owns(call, view->job))
            api_answer_err(call, &(struct err){ERR_NOT_FOUND, ""});
        else if (call->wait_ms > 0 && !call->api->paused && !job_status_terminal(view->status))
            api_job_wait(call);
        else
            api_job_answer(call, 200, view);
    }
    api_call_unref(call);
}

/* Looks first and waits then: somebody else's job must not be told from none by how long it takes. */
void api_job_get(struct api_call *call)
{
    if (api_wait_read(call))
        store_get(call->api->o.store, call->token, on_viewed, api_call_ref(call));
}

/* ---- cancel ------------------------------------------------------------------------------ */

static void on_cancelled_viewed(void *arg, const struct err *err, const struct store_view *view)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err != NULL)
            api_answer(call, 202, "application/json", bytes_of("{}"));
        else
            api_job_answer(call, 202, view);
    }
    api_call_unref(call);
}

static void on_cancelled(void *arg, const struct err *err)
{
    struct api_call *call = arg;

    if (!api_call_open(call))
        api_call_unref(call);
    else if (err == NULL) /* our reference goes on */
        store_get(call->api->o.store, call->token, on_cancelled_viewed, call);
    else {
        api_answer_err(call, err);
        api_call_unref(call);
    }
}

static void on_cancel_viewed(void *arg, const struct err *err, const struct store_view *view)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else if (!api_auth_owns(call, view->job))
            api_answer_err(call, &(struct err){ERR_NOT_FOUND, ""});
        else
            store_cancel(call->api->o.store, call->token, on_cancelled, api_call_ref(call));
    }
    api_call_unref(call);
}

void api_job_cancel(struct api_call *call)
{
    if (call->tenant != NULL)
        store_get(call->api->o.store, call->token, on_cancel_viewed, api_call_ref(call));
    else
        store_cancel(call->api->o.store, call->token, on_cancelled, api_call_ref(call));
}
