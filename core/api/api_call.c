/* api_call.c - one request from its arrival to its answer, whoever leaves first. */
#include "api_internal.h"

#define PROBLEM_TYPE "application/problem+json"
#define JSON_TYPE "application/json"

static bool id_valid(const char *id)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t n;

    if (id == NULL)
        return false;
    n = strlen(id);
    return n > 0 && n <= API_REQUEST_ID_MAX && strspn(id, allowed) == n;
}

/* The call is nobody's request any more. */
static void detach(struct api_call *call)
{
    TAILQ_REMOVE(&call->api->calls, call, link);
    call->api->call_count--;
    if (call->watches)
        call->api->watch_count--;
    call->request = NULL;
    if (call->wait != NULL) {
        store_wait_cancel(call->wait);
        call->wait = NULL;
        api_call_unref(call);
    }
    api_call_unref(call);
}

static void on_close(void *arg)
{
    struct api_call *call = arg;

    LOG_DEBUG("request_left", F_STR("id", call->id),
              F_UINT("ms", (clock_mono_ns() - call->begun_ns) / 1000000));
    detach(call);
}

struct api_call *api_call_new(struct api *api, struct net_request *request)
{
    struct api_call *call = NEW(struct api_call);
    const char *id = net_request_header(request, "X-Request-Id");

    call->api = api_ref(api);
    call->request = request;
    call->refs = 1;
    call->begun_ns = clock_mono_ns();
    if (id_valid(id))
        memcpy(call->id, id, strlen(id) + 1);
    else
        uuid_new(call->id);
    TAILQ_INSERT_TAIL(&api->calls, call, link);
    api->call_count++;
    net_request_on_close(request, on_close, call);
    return call;
}

void api_call_watches(struct api_call *call)
{
    call->watches = true;
    call->api->watch_count++;
}

struct api_call *api_call_ref(struct api_call *call)
{
    call->refs++;
    return call;
}

void api_call_unref(struct api_call *call)
{
    if (--call->refs > 0)
        return;
    buf_done(&call->reply);
    api_unref(call->api);
    free(call);
}

void api_call_drop(struct api_call *call)
{
    /* The request itself goes with its server, which must not call us then. */
    net_request_on_close(call->request, NULL, NULL);
    detach(call);
}

/* HEAD: the length that GET would have, and no body. */
static struct bytes without_body(struct net_request *r, struct bytes body)
{
    char length[24];

    snprintf(length, sizeof(length), "%zu", body.len);
    net_reply_header(r, "Content-Length", length);
    return (struct bytes){0};
}

void api_answer(struct api_call *call, int status, const char *content_type, struct bytes body)
{
    struct net_request *r = call->request;

    call->api->answered[MIN(status / 100, 5)]++;
    LOG_DEBUG("request", F_STR("id", call->id), F_STR("peer", net_request_peer(r)),
              F_STR("method", net_request_method(r)), F_STR("path", net_request_path(r)),
              F_INT("status", status), F_UINT("ms", (clock_mono_ns() - call->begun_ns) / 1000000));
    net_reply_header(r, "X-Request-Id", call->id);
    net_reply_header(r, "X-Content-Type-Options", "nosniff");
    net_reply_header(r, "Cache-Control", "no-store");
    if (call->api->paused)
        net_reply_header(r, "Connection", "close");
    if (strcmp(net_request_method(r), "HEAD") == 0)
        body = without_body(r, body);
    net_reply(r, status, content_type, body);
    detach(call);
}

void api_answer_json(struct api_call *call, int status, const struct buf *body)
{
    api_answer(call, status, JSON_TYPE, (struct bytes){body->data, body->len});
}

void api_answer_problem(struct api_call *call, struct wire_problem *problem)
{
    CLEAN_BUF struct buf body = {0};

    if (wire_problem_json(problem, &body) != 0)
        buf_clear(&body); /* no memory: the status has to do */
    api_answer(call, problem->status, PROBLEM_TYPE, (struct bytes){body.data, body.len});
}

void api_answer_refusal(struct api_call *call, int status, const char *type, const char *fmt, ...)
{
    struct wire_problem p = {.item = -1};
    char text[sizeof(p.detail)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    wire_problem_set(&p, status, type, "%s", text);
    api_answer_problem(call, &p);
}

void api_answer_err(struct api_call *call, const struct err *err)
{
    switch (err->code) {
    case ERR_NOT_FOUND:
        api_answer_refusal(call, 404, "not-found", "there is no such job, or its result has expired");
        break;
    case ERR_CONFLICT:
        api_answer_refusal(call, 409, "conflict", "the job has ended already");
        break;
    case ERR_FULL:
        net_reply_header(call->request, "Retry-After", "5");
        api_answer_refusal(call, 503, "queue-full", "%s", err->text);
        break;
    case ERR_AGAIN:
        net_reply_header(call->request, "Retry-After", "1");
        api_answer_refusal(call, 503, "unavailable",
                           "the queue cannot be reached now; nothing was accepted or changed");
        break;
    case ERR_UNSURE:
        net_reply_header(call->request, "Retry-After", "1");
        api_answer_refusal(call, 503, "unsure",
                           "the connection to the queue was lost; whether it took this is not known");
        break;
    default:
        LOG_ERROR("request_failed", F_STR("id", call->id), F_STR("path", net_request_path(call->request)),
                  F_STR("error", err->text));
        api_answer_refusal(call, 500, "internal", "something went wrong on our side; request id %s",
                           call->id);
        break;
    }
}
