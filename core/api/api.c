/* api.c - start, pause and end of the HTTP surface (theory of operation: api.h). */
#include "api_internal.h"

struct api *api_ref(struct api *api)
{
    api->refs++;
    return api;
}

void api_unref(struct api *api)
{
    if (--api->refs == 0)
        free(api);
}

static void on_request(void *arg, struct net_request *request)
{
    api_route_request(arg, request);
}

static void rules_fill(struct api *api)
{
    const struct conf *c = api->o.conf;

    api->rules = (struct wire_rules){
        .batch_max = c->batch_max,
        .source_max = c->source_max,
        .stdin_max = c->stdin_max,
        .expected_max = c->expected_max,
        .args_max = c->args_max,
        .args_bytes_max = c->args_bytes_max,
        .defaults = c->limits_default,
        .cpu_follows_wall = c->cpu_timeout_ms == 0,
        .min = c->limits_min,
        .max = c->limits_max,
        .language_memory_min = api_languages_memory_min,
        .language_arg = api,
        .callbacks_allowed = c->hook_enabled,
        .url_check = net_callback_check,
    };
}

/* A call keeps its connection, and who comes needs one to be told anything, be it that there is no room; the
 * server takes it from those that are no calls. */
static void calls_fill(struct api *api, uint64_t connections)
{
    uint64_t spare = MAX(connections / API_CALLS_SHARE, (uint64_t)2);

    api->calls_max = MIN((size_t)(connections - spare), (size_t)API_CALLS_MAX);
    api->calls_reserve = MIN((size_t)(spare / 2), (size_t)API_CALLS_RESERVE);
}

int api_start(const struct api_options *o, struct api **ret, struct err *reterr)
{
    struct net_server_options so = {
        .address = o->conf->address,
        .port = o->conf->port,
        .header_max = o->conf->header_max,
        .body_max = o->conf->body_max,
        .connections_max = o->conf->connections_max,
        .buffers_max = o->conf->buffers_max,
        .idle_ms = o->conf->idle_ms,
    };
    struct api *api = NEW(struct api);
    int rc;

    api->o = *o;
    api->refs = 1;
    calls_fill(api, o->conf->connections_max);
    TAILQ_INIT(&api->calls);
    TAILQ_INIT(&api->submitting);
    rules_fill(api);
    if ((rc = net_server_open(o->loop, &so, on_request, api, &api->server, reterr)) != 0) {
        api_unref(api);
        return rc;
    }
    api_fleet_start(api);
    api_languages_start(api);
    *ret = api;
    return 0;
}

uint16_t api_port(const struct api *api)
{
    return net_server_port(api->server);
}

void api_pause(struct api *api)
{
    if (!api->paused)
        net_server_pause(api->server);
    api->paused = true;
}

static void on_drained(void *arg)
{
    struct api *api = arg;
    loop_fn fn = api->on_drained;

    loop_timer_cancel(api->drain_timer);
    net_server_on_idle(api->server, NULL, NULL);
    api->on_drained = NULL;
    if (fn != NULL)
        fn(api->drained_arg);
}

void api_drain(struct api *api, loop_fn fn, void *arg)
{
    api->on_drained = fn;
    api->drained_arg = arg;
    api->drain_timer = loop_timer_new(api->o.loop, on_drained, api);
    loop_timer_arm(api->drain_timer, API_DRAIN_MS);
    store_waits_end(api->o.store);
    net_server_on_idle(api->server, on_drained, api);
}

void api_free(struct api *api)
{
    struct api_call *call;

    if (api == NULL)
        return;
    loop_timer_free(api->drain_timer);
    api->closed = api->paused = true;
    while ((call = TAILQ_FIRST(&api->calls)) != NULL)
        api_call_drop(call);
    net_server_free(api->server);
    api->server = NULL;
    api_fleet_done(api);
    api_languages_done(api);
    api_unref(api);
}
