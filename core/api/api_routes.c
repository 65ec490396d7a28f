/* api_routes.c - the one table of routes, and the way from a request to its handler. */
#include "api_internal.h"

enum {
    OPEN = 1 << 0,   /* needs no key */
    WATCHES = 1 << 1 /* looks after this process: answered when there is no room for others */
};

static const struct api_route routes[] = {
    {"GET", "/", api_index, 0, "this list"},
    {"POST", "/submit/batch", api_submit_batch, 0, "submits several programs: {\"submissions\":[...]}"},
    {"POST", "/v1/jobs", api_submit_one, 0, "submits one program; ?wait=SECONDS waits for its result"},
    {"GET", "/v1/jobs/{token}", api_job_get, 0, "a job and its result; ?wait=SECONDS waits for its end"},
    {"DELETE", "/v1/jobs/{token}", api_job_cancel, 0, "cancels a job"},
    {"GET", "/v1/jobs/{token}/deliveries", api_deliveries_list, 0, "what became of its webhook"},
    {"POST", "/v1/jobs/{token}/deliveries", api_delivery_again, 0, "delivers its webhook anew"},
    {"GET", "/v1/dead", api_dead_list, 0,
     "dead letters: jobs that cost their worker each time; ?offset= ?limit="},
    {"GET", "/v1/dead/{token}", api_dead_get, 0, "one of them, with its program"},
    {"POST", "/v1/dead/{token}", api_dead_retry, 0, "submits it again, as a new job"},
    {"GET", "/languages", api_languages_list, 0, "what can be run here"},
    {"GET", "/v1/scaling", api_scaling, 0, "how many workers there are to be, and why; ?limit="},
    {"GET", "/health", api_health, OPEN | WATCHES, "the parts that were checked"},
    {"GET", "/livez", api_livez, OPEN | WATCHES, "this process answers"},
    {"GET", "/readyz", api_readyz, OPEN | WATCHES, "submissions would be accepted"},
    {"GET", "/metrics", api_metrics, WATCHES, "numbers in Prometheus' text format"},
};

/* Does the path fit?  The segment in place of {token} goes to *ret_segment; ptr NULL: there is none. */
static bool path_fits(const char *pattern, const char *path, struct bytes *ret_segment)
{
    size_t fixed = strcspn(pattern, "{");
    struct bytes segment;

    *ret_segment = (struct bytes){0};
    if (pattern[fixed] == '\0')
        return strcmp(pattern, path) == 0;
    if (strncmp(pattern, path, fixed) != 0)
        return false;
    segment = (struct bytes){path + fixed, strcspn(path + fixed, "/")};
    if (segment.len == 0 || strcmp(strchr(pattern, '}') + 1, segment.ptr + segment.len) != 0)
        return false;
    *ret_segment = segment;
    return true;
}

/* HEAD is GET whose answer has no body (api_call.c leaves it out). */
static bool method_fits(const char *wanted, const char *method)
{
    return strcmp(wanted, method) == 0 || (strcmp(wanted, "GET") == 0 && strcmp(method, "HEAD") == 0);
}

/* The route, or NULL with `allow` filled if the path has others ("" if it has none). */
static const struct api_route *route_find(const char *method, const char *path, struct bytes *ret_segment,
                                          char *allow, size_t allow_size)
{
    size_t n = 0;

    allow[0] = '\0';
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (!path_fits(routes[i].path, path, ret_segment))
            continue;
        if (method_fits(routes[i].method, method))
            return &routes[i];
        n += (size_t)snprintf(allow + n, allow_size - n, "%s%s%s", n == 0 ? "" : ", ", routes[i].method,
                              strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

static void refuse_key(struct api_call *call)
{
    LOG_WARN("key_refused", F_STR("id", call->id), F_STR("peer", net_request_peer(call->request)));
    net_reply_header(call->request, "WWW-Authenticate", "Bearer realm=\"execd\"");
    api_answer_refusal(call, 401, "unauthorized",
                       "a valid API key is needed: `Authorization: Bearer KEY` or `X-Auth-Token: KEY`");
}

static void refuse_route(struct api_call *call, const char *allow)
{
    if (allow[0] == '\0') {
        api_answer_refusal(call, 404, "no-such-route",
                           "there is nothing at this path; GET / lists what is there");
        return;
    }
    net_reply_header(call->request, "Allow", allow);
    api_answer_refusal(call, 405, "method-not-allowed", "this path takes %s", allow);
}

static bool token_read(struct api_call *call, struct bytes segment)
{
    if (segment.len != UUID_SIZE - 1)
        return false;
    memcpy(call->token, segment.ptr, segment.len);
    call->token[segment.len] = '\0';
    return uuid_valid(call->token);
}

/* Supervisors' calls take nobody's place as long as the reserve holds them. */
static bool has_place(const struct api_call *call)
{
    const struct api *api = call->api;

    return api->call_count <= api->calls_max + api->calls_reserve &&
           (call->watches || api->call_count - api->watch_count <= api->calls_max);
}

static void dispatch(struct api_call *call)
{
    const char *path = net_request_path(call->request);
    struct bytes segment;
    char allow[64];
    const struct api_route *route =
        route_find(net_request_method(call->request), path, &segment, allow, sizeof(allow));

    if (route != NULL && (route->flags & WATCHES) != 0)
        api_call_watches(call);
    if (!has_place(call)) {
        net_reply_header(call->request, "Retry-After", "1");
        api_answer_refusal(call, 503, "overloaded", "too many requests are waiting here");
    } else if ((route == NULL || (route->flags & OPEN) == 0) && !api_auth_check(call)) {
        refuse_key(call);
    } else if (route == NULL) {
        refuse_route(call, allow);
    } else if (segment.ptr != NULL && !token_read(call, segment)) {
        api_answer_refusal(call, 404, "not-found", "this is no token of a job");
    } else {
        call->route = route;
        route->handle(call);
    }
}

void api_route_request(struct api *api, struct net_request *request)
{
    struct api_call *call = api_call_new(api, request);

    api_call_ref(call); /* it may be answered in there */
    dispatch(call);
    api_call_unref(call);
}

void api_index(struct api_call *call)
{
    static const char *const role_names[] = {"api", "worker", "hook",
                                             "scaler"}; /* in the order of APP_ROLE_* */
    CLEAN_BUF struct buf body = {0};
    int rc = buf_adds(&body, "execd " EXECD_VERSION ", roles in this process:");

    for (size_t i = 0; i < COUNT_OF(role_names); i++) {
        if ((call->api->o.roles & 1U << i) != 0)
            rc |= buf_addf(&body, " %s", role_names[i]);
    }
    rc |= buf_adds(&body, "\n\n");
    for (size_t i = 0; i < COUNT_OF(routes); i++)
        rc |= buf_addf(&body, "%-7s%-27s %s\n", routes[i].method, routes[i].path, routes[i].summary);
    if (rc != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory"});
    else
        api_answer(call, 200, "text/plain; charset=utf-8", (struct bytes){body.data, body.len});
}
