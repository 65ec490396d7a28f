/* api_admission.c - what a key may submit: its bounds, its rate, its Idempotency-Key.
 *
 * The store decides, in the same step as it takes the jobs in; this is its question and its answer in HTTP's
 * words: draft-ietf-httpapi-idempotency-key-header and draft-ietf-httpapi-ratelimit-headers. */
#include "api_internal.h"

#include "cache/cache.h"

/* ---- Idempotency-Key ------------------------------------------------------------------- */

/* A string of RFC 9651 without parameters, in its quotes; false if it is none.  What is between them has one
 * spelling only, so it can be compared as it is. */
static bool key_of(const char *header, struct bytes *ret)
{
    const char *p = header + strspn(header, " \t");
    size_t n = 1;

    if (p[0] != '"')
        return false;
    for (; p[n] != '"'; n++) {
        if (p[n] == '\\' && (p[n + 1] == '"' || p[n + 1] == '\\'))
            n++;
        else if (p[n] == '\\' || p[n] < 0x20 || p[n] > 0x7e)
            return false;
    }
    *ret = (struct bytes){p + 1, n - 1};
    p += n + 1;
    return p[strspn(p, " \t")] == '\0';
}

static bool hash_end(struct cache_hash *h, char out[API_HASH_SIZE])
{
    unsigned char sum[CACHE_KEY_SIZE];

    if (!cache_hash_end(h, sum))
        return false;
    for (size_t i = 0; i < sizeof(sum); i++)
        snprintf(out + 2 * i, 3, "%02x", sum[i]);
    return true;
}

/* How one waits for the answer is no part of what is asked for. */
static bool fingerprint(struct api_call *call, struct bytes key)
{
    struct cache_hash *of_key = cache_hash_new(), *of_request = cache_hash_new();
    struct bytes body = net_request_body(call->request);
    const char *path = net_request_path(call->request);
    bool good;

    cache_hash_add(of_key, key.ptr, key.len);
    cache_hash_add(of_request, path, strlen(path));
    cache_hash_add(of_request, body.ptr, body.len);
    good = hash_end(of_key, call->idempotency);
    return hash_end(of_request, call->fingerprint) && good;
}

static bool is_under_way(const struct api_call *call)
{
    const struct api_call *other;

    TAILQ_FOREACH (other, &call->api->submitting, submitting)
        if (strcmp(other->idempotency, call->idempotency) == 0 && other->key == call->key)
            return true;
    return false;
}

static void refuse_key(struct api_call *call, int status, const char *type, const char *text)
{
    struct wire_problem p = {.item = -1};

    wire_problem_set(&p, status, type, "%s", text);
    snprintf(p.field, sizeof(p.field), "Idempotency-Key");
    api_answer_problem(call, &p);
}

bool api_idempotency_read(struct api_call *call)
{
    const char *header = net_request_header(call->request, "Idempotency-Key");
    struct bytes key;

    if (header == NULL)
        return true;
    if (!key_of(header, &key) || key.len == 0 || key.len > API_IDEMPOTENCY_MAX) {
        refuse_key(
            call, 400, "invalid-idempotency-key",
            "Idempotency-Key must be one string of 1 to 255 printable ASCII characters in double quotes, as "
            "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"; nothing was accepted");
        return false;
    }
    if (!fingerprint(call, key)) {
        api_answer_err(call, &(struct err){ERR_INTERNAL, "the idempotency key could not be hashed"});
        return false;
    }
    if (is_under_way(call)) {
        net_reply_header(call->request, "Retry-After", "1");
        refuse_key(call, 409, "idempotency-key-in-use",
                   "a request with this Idempotency-Key is under way; ask again when it has been answered");
        return false;
    }
    return true;
}

/* The tokens of the first time, as they were answered then. */
static int reply_again(struct api_call *call, const char *tokens)
{
    size_t count = strlen(tokens) / UUID_SIZE + 1;
    struct job **jobs = mem_zero(count, sizeof(struct job *));
    int rc;

    buf_clear(&call->reply);
    for (size_t i = 0; i < count; i++) {
        jobs[i] = job_new();
        snprintf(jobs[i]->token, UUID_SIZE, "%s", tokens + i * UUID_SIZE);
    }
    memcpy(call->token, jobs[0]->token, UUID_SIZE);
    rc = call->batch ? wire_tokens_json(jobs, count, &call->reply) : wire_token_json(jobs[0], &call->reply);
    for (size_t i = 0; i < count; i++)
        job_free(jobs[i]);
    free(jobs);
    return rc;
}

/* ---- bounds and rates ------------------------------------------------------------------------ */

struct store_admission api_admission_of(const struct api_call *call)
{
    const struct conf *c = call->api->o.conf;
    const struct conf_key *k = call->key;
    struct store_admission m = {.tenant = call->tenant,
                                .weight = k == NULL ? 1 : (uint32_t)k->weight,
                                .max_jobs = k == NULL ? c->key_max_jobs : k->max_jobs,
                                .max_bytes = k == NULL ? c->key_max_bytes : k->max_bytes,
                                .rate = k == NULL ? c->rate_per_minute : k->rate,
                                .burst = k == NULL ? c->rate_burst : k->burst,
                                .idempotency_ttl_ms = c->idempotency_ms};

    if (call->idempotency[0] != '\0') {
        m.idempotency_key = call->idempotency;
        m.fingerprint = call->fingerprint;
    }
    return m;
}

void api_place(struct api_call *call, struct job *const *jobs, size_t count)
{
    struct store_admission m = api_admission_of(call);

    store_place(call->api->o.store, &m, jobs, count);
}

static unsigned long long seconds(uint64_t ms)
{
    return (ms + 999) / 1000;
}

static void put_header(struct api_call *call, const char *name, const char *fmt, ...) PRINTF(3, 4);
static void put_header(struct api_call *call, const char *name, const char *fmt, ...)
{
    char text[128];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    net_reply_header(call->request, name, text);
}

/* A bucket that holds q jobs and is filled within w seconds. */
void api_rate_show(struct api_call *call, const struct store_submitted *r)
{
    struct store_admission m = api_admission_of(call);

    if (m.rate == 0)
        return;
    put_header(call, "RateLimit-Policy", "\"jobs\";q=%llu;w=%llu;qu=\"jobs\"", (unsigned long long)m.burst,
               seconds(m.burst * 60000 / m.rate));
    if (r->metered)
        put_header(call, "RateLimit", "\"jobs\";r=%llu;t=%llu", (unsigned long long)r->left,
                   seconds(r->reset_ms));
}

void api_admission_refuse(struct api_call *call, const struct err *err, const struct store_submitted *r)
{
    switch (r->how) {
    case STORE_KEY_REUSED:
        refuse_key(call, 422, "idempotency-key-reused",
                   "this Idempotency-Key came with another request before; nothing was accepted");
        break;
    case STORE_RATE_EXCEEDED:
        api_rate_show(call, r);
        put_header(call, "Retry-After", "%llu", seconds(r->retry_ms));
        api_answer_refusal(call, 429, "quota-exceeded", "%s (rate_per_minute)", err->text);
        break;
    default:
        put_header(call, "Retry-After", "%llu", seconds(r->retry_ms));
        api_answer_refusal(call, 503, "queue-full", "%s", err->text);
        break;
    }
}

static void on_submitted(void *arg, const struct err *err, const struct store_submitted *r)
{
    struct api_call *call = arg;

    if (call->idempotency[0] != '\0')
        TAILQ_REMOVE(&call->api->submitting, call, submitting);
    if (!api_call_open(call)) {
        /* nobody is there to hear it */
    } else if (err != NULL && r != NULL) {
        api_admission_refuse(call, err, r);
    } else if (err != NULL) {
        api_answer_err(call, err);
    } else if (r->how == STORE_ADMITTED_BEFORE && reply_again(call, r->tokens) != 0) {
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the answer"});
    } else {
        api_rate_show(call, r);
        call->on_admitted(call);
    }
    api_call_unref(call);
}

void api_admit(struct api_call *call, struct job *const *jobs, size_t count,
               void (*on_admitted)(struct api_call *call))
{
    struct store_admission m = api_admission_of(call);

    call->on_admitted = on_admitted;
    if (call->idempotency[0] != '\0')
        TAILQ_INSERT_TAIL(&call->api->submitting, call, submitting);
    store_submit(call->api->o.store, jobs, count, &m, on_submitted, api_call_ref(call));
}
