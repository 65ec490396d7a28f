/* api_delivery.c - what became of a job's webhook, and its delivery asked for again. */
#include "api_internal.h"

static const char *state_name(enum store_delivery_state s)
{
    static const char *const names[STORE_DELIVERY_STATES] = {
        [STORE_NO_DELIVERY] = "none",         [STORE_DELIVERY_WAITS] = "waiting",
        [STORE_DELIVERY_PENDING] = "pending", [STORE_DELIVERY_SENDING] = "sending",
        [STORE_DELIVERY_DONE] = "delivered",  [STORE_DELIVERY_GIVEN_UP] = "given_up"};

    return names[s];
}

static struct wire_attempt attempt_shown(const struct store_attempt *a)
{
    static const char *const outcomes[] = {
        [STORE_DELIVERED] = "delivered", [STORE_FAILED] = "failed", [STORE_GIVEN_UP] = "given_up"};

    return (struct wire_attempt){.attempt = a->attempt,
                                 .began_ms = a->began_ms,
                                 .took_ms = a->took_ms,
                                 .status = a->status,
                                 .outcome = outcomes[a->outcome],
                                 .reason = a->reason,
                                 .next_ms = a->next_ms};
}

static void answer(struct api_call *call, int status, const struct store_deliveries *d)
{
    CLEAN_FREE struct wire_attempt *log = mem_zero(d->log_count, sizeof(*log));
    const struct wire_deliveries shown = {.token = call->token,
                                          .state = state_name(d->state),
                                          .attempts = d->attempts,
                                          .next_ms = d->next_ms,
                                          .log = log,
                                          .count = d->log_count};
    CLEAN_BUF struct buf body = {0};

    for (size_t i = 0; i < d->log_count; i++)
        log[i] = attempt_shown(&d->log[i]);
    if (wire_deliveries_json(&shown, &body) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the deliveries' answer"});
    else
        api_answer_json(call, status, &body);
}

static void on_listed(void *arg, const struct err *err, const struct store_deliveries *d)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else
            answer(call, call->accepted ? 202 : 200, d);
    }
    api_call_unref(call);
}

static void list(struct api_call *call)
{
    store_outbox_view(call->api->o.store, call->token, on_listed, api_call_ref(call));
}

static void on_again(void *arg, const struct err *err, const struct store_submitted *r)
{
    struct api_call *call = arg;

    if (api_call_open(call)) {
        if (err == NULL) {
            api_rate_show(call, r);
            call->accepted = true;
            list(call);
        } else if (r != NULL) {
            api_admission_refuse(call, err, r);
        } else if (err->code == ERR_CONFLICT) {
            api_answer_refusal(call, 409, "conflict", "%s", err->text);
        } else {
            api_answer_err(call, err);
        }
    }
    api_call_unref(call);
}

static void again(struct api_call *call)
{
    const struct store_admission m = api_admission_of(call);

    store_outbox_again(call->api->o.store, call->token, &m, call->api->o.conf->hook_breaker_pause_ms,
                       on_again, api_call_ref(call));
}

/* ---- whose job is it? ----------------------------------------------------------------- */

static void on_viewed(struct api_call *call, const struct err *err, const struct store_view *view,
                      void (*next)(struct api_call *call))
{
    if (api_call_open(call)) {
        if (err != NULL)
            api_answer_err(call, err);
        else if (!api_auth_owns(call, view->job))
            api_answer_err(call, &(struct err){ERR_NOT_FOUND, ""});
        else
            next(call);
    }
    api_call_unref(call);
}

static void on_list_viewed(void *arg, const struct err *err, const struct store_view *view)
{
    on_viewed(arg, err, view, list);
}

static void on_again_viewed(void *arg, const struct err *err, const struct store_view *view)
{
    on_viewed(arg, err, view, again);
}

void api_deliveries_list(struct api_call *call)
{
    store_get(call->api->o.store, call->token, on_list_viewed, api_call_ref(call));
}

void api_delivery_again(struct api_call *call)
{
    if (call->api->o.conf->hook_enabled)
        store_get(call->api->o.store, call->token, on_again_viewed, api_call_ref(call));
    else
        api_answer_refusal(call, 409, "conflict", "this server's configuration switches webhooks off");
}
