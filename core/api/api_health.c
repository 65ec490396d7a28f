/* api_health.c - for supervisors: does it live, is it ready, are its parts well? */
#include "api_internal.h"

#include <inttypes.h>

#define CHECKS_MAX 4
#define DETAIL_MAX 800 /* all that Redis can lack, or the names of all protections */

struct report {
    struct wire_check checks[CHECKS_MAX];
    char details[CHECKS_MAX][DETAIL_MAX];
    size_t count;
    bool healthy;
};

static void check(struct report *r, const char *name, bool ok, const char *fmt, ...) PRINTF(4, 5);
static void check(struct report *r, const char *name, bool ok, const char *fmt, ...)
{
    char *detail = r->details[r->count];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(detail, DETAIL_MAX, fmt, ap);
    va_end(ap);
    r->checks[r->count++] = (struct wire_check){.name = name, .ok = ok, .detail = detail};
    r->healthy = r->healthy && ok;
}

static uint64_t queued(const struct store_stats *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < JOB_PRIORITY_COUNT; i++)
        n += s->queued[i];
    return n;
}

static bool queue_full(const struct conf *c, const struct store_stats *s)
{
    return queued(s) >= c->queue_max_jobs || s->queued_bytes >= c->queue_max_bytes;
}

static void check_fleet(struct report *r, const struct conf *c, const struct store_stats *s)
{
    size_t alive = 0;

    for (size_t i = 0; i < s->worker_count; i++)
        alive += s->workers[i].draining ? 0 : 1;
    check(r, "workers", alive > 0, "%zu alive", alive);
    check(r, "queue", !queue_full(c, s), "%" PRIu64 " of %" PRIu64 " jobs, %" PRIu64 " of %" PRIu64 " bytes",
          queued(s), c->queue_max_jobs, s->queued_bytes, c->queue_max_bytes);
}

/* With what it promises less than all, or more than the configuration accepts. */
static void check_redis(struct report *r, const struct store *s, bool answers)
{
    const struct store_facts *f = store_facts(s);
    char text[DETAIL_MAX] = "";
    size_t len = 0;

    if (!answers || f == NULL) {
        check(r, "redis", false, "does not answer");
        return;
    }
    for (int i = 0; i < STORE_CHECK_COUNT && len < sizeof(text); i++)
        if (f->findings[i].grade != STORE_GOOD)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "; %s%s: %s", f->findings[i].name,
                                    f->findings[i].accepted ? " (accepted)" : "", f->findings[i].text);
    check(r, "redis", store_facts_refused(f) == NULL, "answers, version %s%s",
          f->version[0] == '\0' ? "unknown" : f->version, text);
}

static void check_jailer(struct report *r, const struct jail_facts *f)
{
    char names[512] = "";
    size_t len = 0;

    for (int i = 0; i < JAIL_PROTECT_COUNT; i++)
        if ((f->missing & UINT32_C(1) << i) != 0 && len < sizeof(names))
            len += (size_t)snprintf(names + len, sizeof(names) - len, " %s", jail_protect_name(i));
    check(r, "jailer", true, "%d protections in force, %d missing and accepted%s%s, cgroup v%d",
          __builtin_popcount(f->enforced), __builtin_popcount(f->missing), len > 0 ? ":" : "", names,
          f->cgroup_version);
}

static void on_health(struct api_call *call, const struct store_stats *stats)
{
    const struct api_options *o = &call->api->o;
    CLEAN_BUF struct buf body = {0};
    struct report r = {.healthy = true};

    check_redis(&r, o->store, stats != NULL);
    if (stats != NULL)
        check_fleet(&r, o->conf, stats);
    if (o->jail_facts != NULL)
        check_jailer(&r, o->jail_facts);
    if (wire_health_json(r.healthy, r.checks, r.count, &body) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the health report"});
    else
        api_answer_json(call, r.healthy ? 200 : 503, &body);
}

void api_health(struct api_call *call)
{
    api_fleet_ask(call, on_health);
}

void api_livez(struct api_call *call)
{
    api_answer(call, 200, "application/json", bytes_of("{\"status\":\"alive\"}"));
}

static void on_ready(struct api_call *call, const struct store_stats *stats)
{
    if (stats == NULL)
        api_answer_refusal(call, 503, "not-ready", "Redis does not answer");
    else if (queue_full(call->api->o.conf, stats))
        api_answer_refusal(call, 503, "not-ready", "the queue is full");
    else
        api_answer(call, 200, "application/json", bytes_of("{\"status\":\"ready\"}"));
}

/* Workers may come later: what is accepted waits for them. */
void api_readyz(struct api_call *call)
{
    if (call->api->paused)
        api_answer_refusal(call, 503, "not-ready", "this process is shutting down");
    else
        api_fleet_ask(call, on_ready);
}
