/* hook.c - takes what is due, sends it, settles it. */
#include "hook_internal.h"

#include "log/log.h"
#include "net/net.h"
#include "wire/wire.h"

#define POLL_MS 1000     /* at least so often: what a lost sender had is due when its lease is over */
#define POLL_MIN_MS 10   /* at most so often */
#define ANSWER_MAX 65536 /* of a receiver's answer, which nobody reads */
#define CLAIM_MAX 16
#define CLAIM_BYTES                                                                                          \
    (UINT64_C(1) << 20) /* of results, that one turn of the loop makes bodies of; one may be more */
#define HOST_MAX 128
#define REFUSED "execd does not deliver there: the URL or the address that it leads to is refused"

struct sending {
    TAILQ_ENTRY(sending) link;
    struct hook *hook;
    struct hook_tenant *tenant;
    struct net_exchange *exchange;
    char token[UUID_SIZE];
    uint32_t attempt, tries;
    uint64_t begun_ms;   /* on the loop's clock */
    char host[HOST_MAX]; /* the only part of the URL that is ever logged */
};
TAILQ_HEAD(sendings, sending);

struct hook {
    struct loop *loop;
    struct store *store;
    const struct conf *conf;
    struct store_outbox_rules rules;
    struct net_client *client;
    struct hook_guard guard;
    struct hook_secrets secrets;
    struct loop_timer *timer;
    struct sendings sendings;
    struct hook_tenants tenants;
    size_t count, asked; /* of sendings; of the outbox by the claim under way */
    bool claiming, again, stopped;
    unsigned owed; /* answers of the store that still come */
};

static void claim(struct hook *h);

static void unref(struct hook *h)
{
    if (h->stopped && h->owed == 0 && !h->claiming)
        free(h);
}

static void host_of(const char *url, char out[HOST_MAX])
{
    const char *p = strstr(url, "://");

    p = p == NULL ? url : p + 3;
    snprintf(out, HOST_MAX, "%.*s", (int)MIN(strcspn(p, "/?#"), (size_t)HOST_MAX - 1), p);
}

/* ---- the end of an attempt -------------------------------------------------------------- */

struct settling {
    struct hook *hook;
    char *tenant;
    char host[HOST_MAX];
};

static void on_settled(void *arg, const struct err *err, uint64_t paused_ms)
{
    struct settling *x = arg;
    struct hook *h = x->hook;

    (void)err; /* the lease runs out and it is tried again */
    if (paused_ms > 0)
        LOG_WARN("webhook_endpoint_paused", F_STR("host", x->host), F_STR("tenant", x->tenant),
                 F_UINT("pause_ms", paused_ms));
    free(x->tenant);
    free(x);
    h->owed--;
    if (!h->stopped)
        claim(h); /* its endpoint has room again */
    unref(h);
}

static void settle(struct sending *s, struct store_settlement *settlement)
{
    struct hook *h = s->hook;
    struct settling *x = NEW(struct settling);

    x->hook = h;
    x->tenant = mem_dup(s->tenant->name);
    memcpy(x->host, s->host, sizeof(x->host));
    settlement->token = s->token;
    settlement->attempt = s->attempt;
    settlement->took_ms = loop_now_ms(h->loop) - s->begun_ms;
    h->owed++;
    store_outbox_settle(h->store, &h->rules, settlement, on_settled, x);
}

static void log_attempt(const struct sending *s, const struct store_settlement *t, const char *reason)
{
    static const char *const events[] = {
        [STORE_FAILED] = "webhook_failed", [STORE_GIVEN_UP] = "webhook_given_up"};

    if (t->outcome == STORE_DELIVERED)
        LOG_DEBUG("webhook_delivered", F_STR("token", s->token), F_UINT("attempt", s->attempt));
    else
        LOG_WARN(events[t->outcome], F_STR("token", s->token), F_STR("host", s->host),
                 F_UINT("attempt", s->attempt), F_STR("reason", reason), F_UINT("retry_ms", t->retry_ms));
}

/* Without an answer `err` tells why; `sent`: it was on its way to the receiver. */
static void settle_tried(struct sending *s, const struct net_answer *answer, const struct err *err, bool sent)
{
    struct hook_answer seen = {.refused = err != NULL && err->code == ERR_REQUEST, .sent = sent};
    struct store_settlement t = {0};
    char reason[160];
    uint32_t jitter;

    if (answer != NULL) {
        seen.status = t.status = answer->status;
        seen.retry_after_s = answer->retry_after_s;
    }
    random_bytes(&jitter, sizeof(jitter));
    t.outcome = hook_outcome(s->hook->conf, s->tries, &seen, jitter, &t.retry_ms);
    t.health = hook_health(&seen);
    if (err != NULL)
        snprintf(reason, sizeof(reason), "%.150s", err->text);
    else
        snprintf(reason, sizeof(reason), "status %d", t.status);
    /* The submitter is told no address: names of our own network would be resolved for him. */
    t.reason = seen.refused ? REFUSED : reason;
    log_attempt(s, &t, reason);
    settle(s, &t);
}

static void sending_free(struct sending *s)
{
    TAILQ_REMOVE(&s->hook->sendings, s, link);
    s->hook->count--;
    hook_tenant_give(&s->hook->tenants, s->tenant);
    free(s);
}

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct sending *s = arg;

    settle_tried(s, answer, err, true);
    sending_free(s);
}

/* ---- an attempt ---------------------------------------------------------------------------- */

static int post(struct sending *s, const char *url, struct bytes body, struct err *reterr)
{
    struct hook *h = s->hook;
    const struct hook_keys *keys = hook_secrets_of(&h->secrets, s->tenant->name);
    uint64_t now = clock_wall_ms() / 1000;
    CLEAN_BUF struct buf signatures = {0};
    CLEAN_FREE char *id = mem_printf("webhook-id: %s", s->token);
    CLEAN_FREE char *at = mem_printf("webhook-timestamp: %llu", (unsigned long long)now);
    const char *headers[] = {"Content-Type: application/json", id, at, NULL, NULL};
    struct net_call call = {.method = "POST",
                            .url = url,
                            .headers = headers,
                            .body = body,
                            .deadline_ms = h->conf->hook_timeout_ms,
                            .answer_max = ANSWER_MAX};

    if (keys->count > 0) {
        if (buf_adds(&signatures, "webhook-signature: ") != 0 ||
            hook_sign_all(keys, s->token, now, body, &signatures) != 0)
            return err_set(reterr, ERR_AGAIN, "no memory for a signature");
        headers[3] = signatures.data;
    }
    return net_call(h->client, &call, on_answer, s, &s->exchange, reterr);
}

static void start(struct hook *h, const struct store_delivery *d)
{
    const struct wire_job shown = {.job = d->view.job,
                                   .status = d->view.status,
                                   .result = d->view.result,
                                   .started_ms = d->view.started_ms,
                                   .attempt = d->view.attempt};
    struct sending *s = NEW(struct sending);
    CLEAN_BUF struct buf body = {0};
    struct err err = {0};

    s->hook = h;
    s->tenant = hook_tenant_take(&h->tenants, d->view.job->tenant == NULL ? "" : d->view.job->tenant);
    s->attempt = d->attempt;
    s->tries = d->tries;
    s->begun_ms = loop_now_ms(h->loop);
    memcpy(s->token, d->token, sizeof(s->token));
    host_of(d->url, s->host);
    TAILQ_INSERT_TAIL(&h->sendings, s, link);
    h->count++;
    if (net_callback_check(d->url, &err) == 0 && wire_job_json(&shown, &body) != 0)
        err_set(&err, ERR_AGAIN, "no memory for a webhook's body");
    if (err.code != 0 || post(s, d->url, (struct bytes){body.data, body.len}, &err) != 0) {
        settle_tried(s, NULL, &err, false);
        sending_free(s);
    }
}

/* ---- what is due ------------------------------------------------------------------------------ */

static void on_claimed(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                       uint64_t next_ms)
{
    struct hook *h = arg;
    bool more = err == NULL && (count == h->asked || (count > 0 && next_ms == 0) || h->again);

    h->claiming = false;
    if (h->stopped) {
        unref(h); /* the leases run out by themselves */
        return;
    }
    for (size_t i = 0; i < count; i++)
        start(h, &d[i]);
    loop_timer_arm(h->timer, MAX(MIN(next_ms, (uint64_t)POLL_MS), (uint64_t)POLL_MIN_MS));
    if (more)
        claim(h);
}

/* With one key, or none, there is nobody to leave places to. */
static void ask(struct hook *h, size_t free_places)
{
    CLEAN_FREE struct store_holder *holders = hook_tenants_holders(&h->tenants);
    const struct store_places places = {
        .free = free_places, .holders = holders, .holder_count = h->tenants.count};

    h->claiming = true;
    h->asked = MIN(free_places, (size_t)CLAIM_MAX);
    store_outbox_claim(h->store, &h->rules, h->conf->key_count > 1 ? &places : NULL, h->asked, on_claimed, h);
}

static void claim(struct hook *h)
{
    size_t places = h->conf->hook_concurrency > h->count ? (size_t)h->conf->hook_concurrency - h->count : 0;

    h->again = h->claiming; /* what became due meanwhile may not be in its answer */
    if (h->stopped || h->claiming || places == 0 || !store_connected(h->store))
        return; /* the next answer or the timer comes back here */
    ask(h, places);
}

static void on_timer(void *arg)
{
    struct hook *h = arg;

    loop_timer_arm(h->timer, POLL_MS);
    claim(h);
}

static void on_hint(void *arg)
{
    claim(arg);
}

/* ---- life ---------------------------------------------------------------------------------------- */

static bool may_connect(void *arg, const char *address, uint16_t port)
{
    const struct hook *h = arg;

    (void)port;
    return hook_guard_allows(&h->guard, address);
}

int hook_start(struct loop *loop, struct store *store, const struct conf *conf, struct hook **ret,
               struct err *reterr)
{
    struct hook *h = NEW(struct hook);
    const struct net_client_options o = {.connections_max = (unsigned)conf->hook_concurrency,
                                         .may_connect = may_connect,
                                         .may_connect_arg = h,
                                         .user_agent = "execd/" EXECD_VERSION};
    int rc;

    h->loop = loop;
    h->store = store;
    h->conf = conf;
    h->rules = (struct store_outbox_rules){.lease_ms = HOOK_LEASE_MS(conf),
                                           .per_endpoint = conf->hook_per_host,
                                           .window_ms = conf->hook_window_ms,
                                           .grace_ms = HOOK_GRACE_MS,
                                           .pause_after = conf->hook_breaker_failures,
                                           .pause_ms = conf->hook_breaker_pause_ms,
                                           .claim_bytes = CLAIM_BYTES};
    TAILQ_INIT(&h->sendings);
    hook_tenants_open(&h->tenants);
    if ((rc = hook_guard_open(&h->guard, conf, reterr)) != 0 ||
        (rc = hook_secrets_open(&h->secrets, conf, reterr)) != 0 ||
        (rc = net_client_open(loop, &o, &h->client, reterr)) != 0) {
        hook_secrets_close(&h->secrets);
        free(h);
        return rc;
    }
    h->timer = loop_timer_new(loop, on_timer, h);
    store_on_outbox(store, on_hint, h);
    on_timer(h);
    *ret = h;
    return 0;
}

void hook_stop(struct hook *h)
{
    struct sending *s;

    if (h == NULL)
        return;
    store_on_outbox(h->store, NULL, NULL);
    loop_timer_free(h->timer);
    while ((s = TAILQ_FIRST(&h->sendings)) != NULL) {
        struct store_settlement t = {.outcome = STORE_FAILED,
                                     .health = STORE_UNKNOWN,
                                     .retry_ms = 1,
                                     .reason = "execd stopped before the answer"};

        settle(s, &t);
        sending_free(s);
    }
    net_client_free(h->client);
    hook_secrets_close(&h->secrets);
    h->stopped = true;
    unref(h); /* or with the store's last answer */
}
