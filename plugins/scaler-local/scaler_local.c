/* scaler_local.c - workers on this machine, as many as the load asks for; also the simplest example of a
 * scaler.
 *
 * A replica is an execd process of the role worker that the host starts and ends (host->worker_*()), by a
 * number from 1 on.  Which of them a worker's heartbeat is from is told by the pid in its name
 * (host:pid:random). */
#include <execd/plugin.h>

#include <limits.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scaler_policy.h"

#define MACHINE_MAX 43u     /* bytes of a machine's name in a worker's */
#define SOON_MS 10000u      /* a worker that ends sooner does not work at all */
#define PAUSE_MS 1000u      /* between attempts then, the first time; twice as long each time after it, */
#define PAUSE_MAX_MS 60000u /* at most */

struct local;

struct replica { /* by its number - 1 */
    struct local *local;
    enum { FREE, RUNS, ENDS } state;
    uint64_t started_ms;
};

struct local {
    const struct execd_host *host;
    struct execd_ctx *ctx;
    char machine[MACHINE_MAX + 1]; /* as workers write it: of a long name the end */
    struct replica replicas[EXECD_WORKERS_MAX];
    uint64_t not_before_ms, pause_ms; /* after a start that came to nothing */
};

struct answer { /* what is told in a later turn */
    execd_apply_fn done;
    void *arg;
    int32_t rc;
    uint32_t replicas;
    char why[160];
};

static uint32_t number_of(const struct replica *r)
{
    return (uint32_t)(r - r->local->replicas) + 1;
}

static uint32_t count(const struct local *l)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < EXECD_WORKERS_MAX; i++)
        n += l->replicas[i].state == RUNS;
    return n;
}

/* ---- answers in a later turn --------------------------------------------------------------- */

static void fire(void *arg)
{
    struct answer *a = arg;

    a->done(a->arg, a->rc, a->replicas, a->rc == EXECD_OK ? NULL : a->why);
}

static int32_t answer_later(struct local *l, const char *why, execd_apply_fn done, void *arg,
                            struct execd_error *err)
{
    struct answer *a = calloc(1, sizeof(*a));

    if (a == NULL)
        return l->host->fail(err, EXECD_E_AGAIN, "no memory for an answer");
    a->done = done;
    a->arg = arg;
    a->rc = why == NULL ? EXECD_OK : EXECD_E_AGAIN;
    a->replicas = count(l);
    snprintf(a->why, sizeof(a->why), "%s", why == NULL ? "" : why);
    if (l->host->post(l->ctx, fire, a, free) != EXECD_OK) /* which has freed it */
        return l->host->fail(err, EXECD_E_AGAIN, "this plugin is stopping");
    return EXECD_OK;
}

/* ---- replicas ---------------------------------------------------------------------------------- */

static void on_ended(void *arg)
{
    struct replica *r = arg;
    struct local *l = r->local;
    const uint64_t now = l->host->now_ms(l->ctx);

    if (r->state == RUNS)
        l->host->log(l->ctx, EXECD_LOG_WARN, "worker %u ended unasked", (unsigned)number_of(r));
    if (now - r->started_ms >= SOON_MS) {
        l->pause_ms = 0; /* they do work: what was wrong is over */
    } else if (r->state == RUNS) {
        l->pause_ms = l->pause_ms == 0                 ? PAUSE_MS
                      : l->pause_ms * 2 < PAUSE_MAX_MS ? l->pause_ms * 2
                                                       : PAUSE_MAX_MS;
        l->not_before_ms = now + l->pause_ms;
    }
    r->state = FREE;
}

static void end(struct replica *r)
{
    if (r->state != RUNS)
        return;
    r->state = ENDS;
    r->local->host->worker_end(r->local->ctx, number_of(r));
}

static struct replica *find(struct local *l, const char *worker)
{
    const size_t len = strlen(l->machine);
    long long pid;

    if (strncmp(worker, l->machine, len) != 0 || worker[len] != ':')
        return NULL;
    pid = strtoll(worker + len + 1, NULL, 10);
    for (uint32_t i = 0; i < EXECD_WORKERS_MAX && pid > 0; i++)
        if (l->replicas[i].state == RUNS && l->host->worker_pid(l->ctx, i + 1) == pid)
            return &l->replicas[i];
    return NULL;
}

/* True: there are as many; else err says why not. */
static int grow(struct local *l, uint32_t replicas, struct execd_error *err)
{
    const uint64_t now = l->host->now_ms(l->ctx);
    uint32_t have = count(l);

    if (have < replicas && now < l->not_before_ms) {
        l->host->fail(err, EXECD_E_AGAIN, "workers end right after their start; the next try is in %u ms",
                      (unsigned)(l->not_before_ms - now));
        return 0;
    }
    for (uint32_t i = 0; i < EXECD_WORKERS_MAX && have < replicas; i++) {
        struct replica *r = &l->replicas[i];

        if (r->state != FREE)
            continue;
        if (l->host->worker_start(l->ctx, i + 1, on_ended, r, err) != EXECD_OK)
            return 0;
        r->state = RUNS;
        r->started_ms = now;
        have++;
    }
    if (have < replicas)
        l->host->fail(err, EXECD_E_AGAIN, "all %u numbers are in use", (unsigned)EXECD_WORKERS_MAX);
    return have >= replicas;
}

/* ---- the operations --------------------------------------------------------------------------------- */

static int32_t decide(void *self, const struct execd_observation *o, struct execd_advice *advice,
                      struct execd_error *err)
{
    (void)self;
    (void)err;
    scaler_policy_decide(o, advice);
    return EXECD_OK;
}

static int32_t change(void *self, const struct execd_change *c, execd_apply_fn done, void *arg,
                      struct execd_error *err)
{
    struct local *l = self;
    struct execd_error why = {.size = sizeof(why)};

    for (uint32_t i = 0; i < c->leaving_count; i++) {
        struct replica *r = find(l, c->leaving[i]);

        if (r != NULL)
            end(r);
    }
    return answer_later(l, grow(l, c->replicas, &why) ? NULL : why.text, done, arg, err);
}

/* Nobody says which, so they are told to finish and go as they come: the host of change() knows better. */
static int32_t apply(void *self, uint32_t replicas, execd_apply_fn done, void *arg, struct execd_error *err)
{
    const struct execd_change c = {.size = sizeof(c), .replicas = replicas};
    struct local *l = self;

    for (uint32_t i = EXECD_WORKERS_MAX; i-- > 0 && count(l) > replicas;)
        end(&l->replicas[i]);
    return change(self, &c, done, arg, err);
}

static int32_t current(void *self, execd_apply_fn done, void *arg, struct execd_error *err)
{
    return answer_later(self, NULL, done, arg, err);
}

static int32_t owns(void *self, const char *worker)
{
    return find(self, worker) != NULL;
}

/* Whoever decides now has its own machine's workers. */
static void retire(void *self)
{
    struct local *l = self;

    for (uint32_t i = 0; i < EXECD_WORKERS_MAX; i++)
        end(&l->replicas[i]);
}

static int32_t create(const struct execd_host *host, struct execd_ctx *ctx, const struct execd_value *values,
                      void **ret_self, struct execd_error *err)
{
    struct local *l = calloc(1, sizeof(*l));
    char name[HOST_NAME_MAX + 1] = "";

    (void)values;
    if (l == NULL)
        return host->fail(err, EXECD_E_AGAIN, "no memory");
    l->host = host;
    l->ctx = ctx;
    gethostname(name, sizeof(name) - 1);
    snprintf(l->machine, sizeof(l->machine), "%.*s", (int)MACHINE_MAX,
             strlen(name) > MACHINE_MAX ? name + strlen(name) - MACHINE_MAX : name);
    for (char *p = l->machine; *p != '\0'; p++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *p) == NULL)
            *p = '_';
    for (uint32_t i = 0; i < EXECD_WORKERS_MAX; i++)
        l->replicas[i].local = l;
    *ret_self = l;
    return EXECD_OK;
}

static void destroy(void *self)
{
    free(self);
}

static const struct execd_scaler_ops ops = {.size = sizeof(ops),
                                            .decide = decide,
                                            .apply = apply,
                                            .current = current,
                                            .change = change,
                                            .owns = owns,
                                            .retire = retire,
                                            .flags = EXECD_SCALER_WORKERS};

static const struct execd_plugin plugin = {EXECD_PLUGIN_HEAD_NEEDS(EXECD_KIND_SCALER, 2u),
                                           .name = "local",
                                           .version = EXECD_VERSION,
                                           .create = create,
                                           .destroy = destroy,
                                           .scaler = &ops};
EXECD_PLUGIN_DEFINE(plugin)
