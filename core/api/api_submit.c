/* api_submit.c - submissions in: checked by wire/, stored whole or not at all. */
#include "api_internal.h"

#include <strings.h>

#include "log/trace.h"

/* Absent is fine: not every client sends it. */
static bool is_json(const char *content_type)
{
    static const char json[] = "application/json";
    const char *rest;

    if (content_type == NULL)
        return true;
    if (strncasecmp(content_type, json, strlen(json)) != 0)
        return false;
    rest = content_type + strlen(json);
    rest += strspn(rest, " \t");
    return *rest == '\0' || *rest == ';';
}

/* What is wrong with the request before its body is looked at; false: answered. */
static bool may_submit(struct api_call *call)
{
    if (call->api->paused) {
        net_reply_header(call->request, "Retry-After", "1");
        api_answer_refusal(call, 503, "stopping", "this process is shutting down; nothing was accepted");
        return false;
    }
    if (!is_json(net_request_header(call->request, "Content-Type"))) {
        api_answer_refusal(call, 415, "unsupported-media-type", "the body must be application/json");
        return false;
    }
    return true;
}

static void jobs_free(struct job **jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        job_free(jobs[i]);
    free(jobs);
}

static void on_batch(struct api_call *call)
{
    api_answer_json(call, 202, &call->reply);
}

static void on_one(struct api_call *call)
{
    char location[sizeof("/v1/jobs/") + UUID_SIZE];

    snprintf(location, sizeof(location), "/v1/jobs/%s", call->token);
    net_reply_header(call->request, "Location", location);
    if (call->wait_ms > 0 && !call->api->paused)
        api_job_wait(call);
    else
        api_answer_json(call, 202, &call->reply);
}

/* The answer is made first: once the store has accepted, nothing may fail. */
static void store(struct api_call *call, struct job **jobs, size_t count, int rc,
                  void (*on_admitted)(struct api_call *call))
{
    if (rc != 0) {
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the answer"});
        return;
    }
    for (size_t i = 0; i < count; i++) {
        free(jobs[i]->tenant);
        jobs[i]->tenant = mem_dup(call->tenant == NULL ? "" : call->tenant);
    }
    api_admit(call, jobs, count, on_admitted);
}

void api_submit_batch(struct api_call *call)
{
    struct wire_problem problem = {.item = -1};
    struct job **jobs = NULL;
    size_t count = 0;

    if (!may_submit(call) || !api_idempotency_read(call))
        return;
    if (wire_batch_read(net_request_body(call->request), &call->api->rules, &jobs, &count, &problem) != 0) {
        api_answer_problem(call, &problem);
        return;
    }
    net_request_drop_body(call->request);
    call->batch = true;
    api_place(call, jobs, count);
    store(call, jobs, count, wire_tokens_json(jobs, count, &call->reply), on_batch);
    jobs_free(jobs, count);
}

void api_submit_one(struct api_call *call)
{
    struct wire_problem problem = {.item = -1};
    CLEAN(job_freep) struct job *job = NULL;

    if (!may_submit(call) || !api_wait_read(call) || !api_idempotency_read(call))
        return;
    if (wire_submission_read(net_request_body(call->request), &call->api->rules, &job, &problem) != 0) {
        api_answer_problem(call, &problem);
        return;
    }
    net_request_drop_body(call->request);
    api_place(call, &job, 1);
    memcpy(call->token, job->token, UUID_SIZE);
    TRACE_AT(call->token, "received", call->begun_ns);
    TRACE(call->token, "checked");
    store(call, &job, 1, wire_token_json(job, &call->reply), on_one);
}
