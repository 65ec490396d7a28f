/* hook.c - takes what is due, sends it, settles it. */
#include "hook_internal.h"

#include <strings.h>
#include <sys/queue.h>

#include "log/log.h"
#include "net/net.h"
#include "wire/wire.h"

#define POLL_MS 1000         /* retries come due without a hint */
#define POLL_DEFERRED_MS 100 /* while a host has more than its share */
#define DEFER_MS 1000
#define ANSWER_MAX 65536 /* of a receiver's answer, which nobody reads */
#define CLAIM_MAX 16
#define HOST_MAX 128
#define WAITING_FACTOR 3 /* waiting for their turn, for each that may go to a host at once */

struct sending {
    TAILQ_ENTRY(sending) link;
    struct hook *hook;
    struct net_exchange *exchange; /* NULL while it waits for its turn */
    char token[UUID_SIZE];
    uint32_t attempt;
    char host[HOST_MAX]; /* the only part of the URL that is ever logged */
    char *url;
    struct buf body;
    uint64_t turn_by_ms; /* its lease does not allow to begin later */
};
TAILQ_HEAD(sendings, sending);

struct hook {
    struct loop *loop;
    struct store *store;
    const struct conf *conf;
    struct net_client *client;
    struct hook_guard guard;
    struct hook_key key;
    struct loop_timer *timer;
    struct sendings sendings, waiting; /* under way; for their turn, first come first */
    size_t count, asked;               /* of both; of the outbox by the claim under way */
    bool claiming, more, deferred, stopped;
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

static void on_settled(void *arg, const struct err *err)
{
    struct hook *h = arg;

    (void)err; /* the lease runs out and it is tried again */
    h->owed--;
    unref(h);
}

static void settle(struct hook *h, const char *token, uint32_t attempt, enum store_outcome outcome,
                   uint64_t retry_ms, const char *reason)
{
    h->owed++;
    store_outbox_settle(h->store, token, attempt, outcome, retry_ms, reason, on_settled, h);
}

static void settle_tried(struct sending *s, int status, const struct err *err, uint64_t retry_after_s)
{
    struct hook *h = s->hook;
    uint32_t jitter;
    uint64_t retry_ms;
    char reason[160];
    enum hook_next next;

    random_bytes(&jitter, sizeof(jitter));
    next = hook_next(h->conf, s->attempt, status, err != NULL && err->code == ERR_REQUEST, retry_after_s,
                     jitter, &retry_ms);
    if (err != NULL)
        snprintf(reason, sizeof(reason), "%.150s", err->text);
    else
        snprintf(reason, sizeof(reason), "status %d", status);
    if (next == HOOK_DELIVERED)
        LOG_DEBUG("webhook_delivered", F_STR("token", s->token), F_UINT("attempt", s->attempt));
    else
        LOG_WARN(next == HOOK_RETRY ? "webhook_failed" : "webhook_given_up", F_STR("token", s->token),
                 F_STR("host", s->host), F_UINT("attempt", s->attempt), F_STR("reason", reason),
                 F_UINT("retry_ms", retry_ms));
    settle(h, s->token, s->attempt, next == HOOK_DELIVERED ? STORE_DELIVERED : STORE_FAILED, retry_ms,
           reason);
}

static void sending_free(struct sending *s)
{
    TAILQ_REMOVE(s->exchange != NULL ? &s->hook->sendings : &s->hook->waiting, s, link);
    s->hook->count--;
    free(s->url);
    buf_done(&s->body);
    free(s);
}

static void start_waiting(struct hook *h);

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct sending *s = arg;
    struct hook *h = s->hook;

    settle_tried(s, answer == NULL ? 0 : answer->status, err, answer == NULL ? 0 : answer->retry_after_s);
    sending_free(s);
    start_waiting(h);
    if (h->more)
        claim(h);
}

/* ---- an attempt ---------------------------------------------------------------------------- */

static int post(struct sending *s, struct err *reterr)
{
    struct hook *h = s->hook;
    uint64_t now = clock_wall_ms() / 1000;
    CLEAN_BUF struct buf signature = {0};
    CLEAN_FREE char *id = mem_printf("webhook-id: %s", s->token);
    CLEAN_FREE char *at = mem_printf("webhook-timestamp: %llu", (unsigned long long)now);
    const char *headers[] = {"Content-Type: application/json", id, at, NULL, NULL};
    struct net_call call = {.method = "POST",
                            .url = s->url,
                            .headers = headers,
                            .body = {s->body.data, s->body.len},
                            .deadline_ms = h->conf->hook_timeout_ms,
                            .answer_max = ANSWER_MAX};

    if (h->key.len > 0) {
        if (buf_adds(&signature, "webhook-signature: ") != 0 ||
            hook_sign(&h->key, s->token, now, call.body, &signature) != 0)
            return err_set(reterr, ERR_AGAIN, "no memory for a signature");
        headers[3] = signature.data;
    }
    return net_call(h->client, &call, on_answer, s, &s->exchange, reterr);
}

/* One that waited has its turn. */
static void start_one(struct sending *s)
{
    struct hook *h = s->hook;
    struct err err = {0};

    if (post(s, &err) == 0) {
        TAILQ_REMOVE(&h->waiting, s, link);
        TAILQ_INSERT_TAIL(&h->sendings, s, link);
        buf_done(&s->body); /* net/ has its copy */
    } else {
        settle_tried(s, 0, &err, 0);
        sending_free(s);
    }
}

static size_t with_host(const struct sendings *list, const char *host)
{
    const struct sending *s;
    size_t n = 0;

    TAILQ_FOREACH (s, list, link)
        n += strcasecmp(s->host, host) == 0;
    return n;
}

static void start_waiting(struct hook *h)
{
    uint64_t now = loop_now_ms(h->loop);
    struct sending *s = TAILQ_FIRST(&h->waiting), *next;

    for (; s != NULL; s = next) {
        next = TAILQ_NEXT(s, link);
        if (s->turn_by_ms < now) {
            settle(h, s->token, s->attempt, STORE_UNSENT, DEFER_MS, "");
            sending_free(s);
        } else if (with_host(&h->sendings, s->host) < h->conf->hook_per_host) {
            start_one(s);
        }
    }
}

static void take(struct hook *h, const struct store_delivery *d, const char *host)
{
    const struct wire_job shown = {.job = d->view.job,
                                   .status = d->view.status,
                                   .result = d->view.result,
                                   .started_ms = d->view.started_ms,
                                   .attempt = d->view.attempt};
    struct sending *s = NEW(struct sending);
    struct err err = {0};

    s->hook = h;
    s->attempt = d->attempt;
    s->url = mem_dup(d->url);
    s->turn_by_ms = loop_now_ms(h->loop) + h->conf->hook_timeout_ms;
    memcpy(s->token, d->token, sizeof(s->token));
    memcpy(s->host, host, sizeof(s->host));
    TAILQ_INSERT_TAIL(&h->waiting, s, link);
    h->count++;
    if (net_callback_check(d->url, &err) == 0 && wire_job_json(&shown, &s->body) != 0)
        err_set(&err, ERR_AGAIN, "no memory for a webhook's body");
    if (err.code != 0) {
        settle_tried(s, 0, &err, 0);
        sending_free(s);
    }
}

/* ---- what is due ------------------------------------------------------------------------------ */

static void take_or_defer(struct hook *h, const struct store_delivery *d)
{
    char host[HOST_MAX];

    host_of(d->url, host);
    if (with_host(&h->waiting, host) < h->conf->hook_per_host * WAITING_FACTOR) {
        take(h, d, host);
        start_waiting(h);
        return;
    }
    settle(h, d->token, d->attempt, STORE_UNSENT, DEFER_MS, "");
    h->deferred = true;
    loop_timer_arm(h->timer, POLL_DEFERRED_MS);
}

static void on_claimed(void *arg, const struct err *err, struct store_delivery *d, size_t count)
{
    struct hook *h = arg;

    h->claiming = false;
    if (h->stopped) {
        unref(h); /* the leases run out by themselves */
        return;
    }
    h->more = err == NULL && count == h->asked;
    for (size_t i = 0; i < count; i++)
        take_or_defer(h, &d[i]);
    if (h->more)
        claim(h);
}

static void claim(struct hook *h)
{
    size_t places = h->conf->hook_concurrency > h->count ? (size_t)h->conf->hook_concurrency - h->count : 0;

    if (h->stopped || h->claiming || !store_connected(h->store))
        return;
    /* The next answer or the timer comes back here.  After something was deferred most of what is due is
     * probably for the same host, so first what is here has its turn. */
    if (places == 0 || (h->deferred && !TAILQ_EMPTY(&h->waiting))) {
        h->more = true;
        return;
    }
    h->deferred = false;
    h->claiming = true;
    h->asked = MIN(places, (size_t)CLAIM_MAX);
    store_outbox_claim(h->store, h->asked, HOOK_LEASE_MS(h->conf), on_claimed, h);
}

static void on_timer(void *arg)
{
    struct hook *h = arg;

    loop_timer_arm(h->timer, POLL_MS);
    h->deferred = false;
    start_waiting(h);
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
    TAILQ_INIT(&h->sendings);
    TAILQ_INIT(&h->waiting);
    if ((rc = hook_guard_open(&h->guard, conf, reterr)) != 0 ||
        (rc = hook_key_read(conf->hook_secret, &h->key, reterr)) != 0 ||
        (rc = net_client_open(loop, &o, &h->client, reterr)) != 0) {
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
    while ((s = TAILQ_FIRST(&h->waiting)) != NULL) {
        settle(h, s->token, s->attempt, STORE_UNSENT, 1, "");
        sending_free(s);
    }
    while ((s = TAILQ_FIRST(&h->sendings)) != NULL) {
        settle(h, s->token, s->attempt, STORE_FAILED, 1, "execd stopped before the answer");
        sending_free(s);
    }
    net_client_free(h->client);
    explicit_bzero(&h->key, sizeof(h->key));
    h->stopped = true;
    unref(h); /* or with the store's last answer */
}
