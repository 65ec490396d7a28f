/* scale.c - one round after the other: see, ask, write down, do (theory of operation: scale.h). */
#include "scale_internal.h"

#include <unistd.h>

#include "log/log.h"

enum {
    LEASE_CHECKS = 3, /* rounds that a leader may miss */
    LEASE_MIN_MS = 5000,
    STUCK_MS = 60000, /* a round that takes longer is told of */
};

struct scale {
    struct scale_options o;
    char id[STORE_WORKER_SIZE];
    uint64_t lease_ms;
    struct loop_timer *timer;
    bool leads, stopped;
    uint64_t epoch;
    uint64_t led_until_ms; /* by our own clock, counted from before Redis was asked */
    struct scale_past past;
    int64_t asked; /* replicas that the backend was last asked for and took; -1: not by us */

    /* the round that is under way */
    bool busy, stuck;
    uint64_t begun_ms;
    struct scale_view view;
    struct store_decision decision;
    struct scale_plan plan;
    char blind[160]; /* why the last round saw nothing; told when it changes */
};

/* ---- the end of a round ------------------------------------------------------------------------ */

static void round_end(struct scale *s)
{
    if (s->stuck)
        LOG_INFO("scaler_goes_on", F_STR("scaler", plugin_scaler_name(s->o.scaler)));
    s->busy = s->stuck = false;
    scale_plan_done(&s->plan);
    scale_view_done(&s->view);
}

static void tell_blind(struct scale *s, const char *what, const struct err *err)
{
    char text[sizeof(s->blind)];

    snprintf(text, sizeof(text), "%s: %.120s", what, err->text);
    if (strcmp(text, s->blind) != 0)
        LOG_WARN("scaler_blind", F_STR("reason", text), F_STR("hint", "meanwhile nothing is taken away"));
    snprintf(s->blind, sizeof(s->blind), "%s", text);
}

static void follow(struct scale *s, const char *leader)
{
    if (s->leads) {
        LOG_WARN("scaler_follows", F_STR("leader", leader), F_UINT("epoch", s->epoch));
        plugin_scaler_retire(s->o.scaler);
    }
    s->leads = false;
    s->asked = -1;
}

/* ---- what is done ---------------------------------------------------------------------------------- */

static void on_changed(void *arg, const struct err *err, uint32_t replicas)
{
    struct scale *s = arg;

    if (err != NULL) {
        LOG_WARN("scaling_failed", F_UINT("replicas", s->plan.replicas), F_STR("reason", err->text));
    } else {
        s->asked = s->plan.replicas;
        LOG_INFO("scaled", F_UINT("replicas", replicas), F_UINT("ended", s->plan.ending_count));
    }
    round_end(s);
}

/* Redis has it in writing that we lead; if that took longer than we lead, another may. */
static void on_decided(void *arg, const struct err *err)
{
    struct scale *s = arg;
    struct execd_change change = {.size = sizeof(change),
                                  .replicas = s->plan.replicas,
                                  .leaving = s->plan.ending,
                                  .leaving_count = (uint32_t)s->plan.ending_count};
    const uint64_t now = loop_now_ms(s->o.loop);
    struct err e = {0};

    if (err != NULL) {
        if (!s->stopped) /* where another leads, the next step says so */
            tell_blind(s, "Redis", err);
        round_end(s);
        return;
    }
    scale_past_add(&s->past, &s->decision);
    if (s->stopped || !s->plan.change || now >= s->led_until_ms) {
        round_end(s);
        return;
    }
    change.within_ms = s->led_until_ms - now;
    if (plugin_scaler_change(s->o.scaler, &change, on_changed, s, &e) != 0)
        on_changed(s, &e, 0);
}

static void tell_decision(const struct scale *s)
{
    const struct store_decision *d = &s->decision;
    const bool news = s->plan.change || s->plan.order_count > 0 || d->target != s->past.last.target;

    LOG_AT(news ? LOG_LEVEL_INFO : LOG_LEVEL_DEBUG, "scaling", F_UINT("replicas", d->replicas),
           F_UINT("wanted", d->wanted), F_UINT("target", d->target), F_UINT("orders", s->plan.order_count),
           F_UINT("ending", s->plan.ending_count), F_UINT("running", d->running),
           F_UINT("oldest_wait_ms", d->oldest_wait_ms), F_UINT("epoch", s->epoch),
           F_STR("reason", d->reason));
}

static void decide(struct scale *s)
{
    const struct scale_view *v = &s->view;

    scale_plan_make(v->planned, v->count, s->decision.replicas, s->decision.target, &s->plan);
    tell_decision(s);
    store_scale_decide(s->o.store, s->id, s->epoch, &s->decision, s->plan.orders, s->plan.order_count,
                       on_decided, s);
}

/* ---- what is seen ---------------------------------------------------------------------------------- */

/* The backend's answer, or nobody's: then the number is what was decided last, and it does not go down. */
static void on_current(void *arg, const struct err *err, uint32_t replicas)
{
    struct scale *s = arg;
    struct err e = {0};

    if (s->stopped) {
        round_end(s);
        return;
    }
    scale_view_measure(&s->view, &s->past, s->o.conf, err == NULL ? replicas : s->past.last.target,
                       &s->decision);
    if (err == NULL && scale_view_decide(&s->view, &s->past, s->o.conf, s->o.scaler, &s->decision, &e) == 0) {
        s->blind[0] = '\0';
        decide(s);
        return;
    }
    tell_blind(s, err != NULL ? "the backend" : "the policy", err != NULL ? err : &e);
    s->decision.blind = true;
    s->decision.target = s->decision.wanted = s->decision.replicas;
    snprintf(s->decision.reason, sizeof(s->decision.reason), "%.160s", s->blind);
    s->view.count = 0; /* so nobody is told to leave, and nobody is ended */
    decide(s);
}

static void lead(struct scale *s, const struct store_scene *scene)
{
    struct err e = {0};
    int rc;

    if (s->leads &&
        s->epoch != scene->epoch) { /* another led meanwhile: what it decided is asked for first */
        follow(s, "another, meanwhile");
        round_end(s);
        return;
    }
    if (!s->leads) {
        scale_past_load(&s->past, scene->decisions, scene->decision_count);
        LOG_INFO("scaler_leads", F_STR("id", s->id), F_UINT("epoch", scene->epoch),
                 F_UINT("decisions", s->past.count));
    }
    s->leads = true;
    s->epoch = scene->epoch;
    scale_view_take(&s->view, scene, s->o.scaler);
    rc = plugin_scaler_current(s->o.scaler, on_current, s, &e);
    if (rc == ERR_NOT_FOUND) /* it cannot tell */
        on_current(s, NULL, scale_view_replicas(&s->view, &s->past, s->asked));
    else if (rc != 0)
        on_current(s, &e, 0);
}

static void on_scene(void *arg, const struct err *err, const struct store_scene *scene)
{
    struct scale *s = arg;

    if (err != NULL || s->stopped) {
        if (!s->stopped)
            tell_blind(s, "Redis", err);
        round_end(s);
    } else if (scene->leads) {
        s->led_until_ms = s->begun_ms + s->lease_ms;
        lead(s, scene);
    } else {
        follow(s, scene->who);
        round_end(s);
    }
}

static void on_timer(void *arg)
{
    struct scale *s = arg;

    loop_timer_arm(s->timer, s->o.conf->check_interval_ms);
    if (s->busy) {
        if (!s->stuck && loop_now_ms(s->o.loop) - s->begun_ms > STUCK_MS) {
            s->stuck = true;
            LOG_WARN("scaler_waits", F_STR("scaler", plugin_scaler_name(s->o.scaler)),
                     F_STR("hint", "its backend or Redis does not answer"));
        }
        return;
    }
    s->busy = true;
    s->begun_ms = loop_now_ms(s->o.loop);
    store_scale_step(s->o.store, s->id, s->lease_ms, !s->leads, on_scene, s);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static void make_id(struct scale *s)
{
    char host[33] = "";
    uint32_t salt;

    gethostname(host, sizeof(host) - 1);
    random_bytes(&salt, sizeof(salt));
    snprintf(s->id, sizeof(s->id), "%s:%d:%08x", host, (int)getpid(), salt);
}

struct scale *scale_start(const struct scale_options *o)
{
    struct scale *s = NEW(struct scale);

    s->o = *o;
    s->asked = -1;
    make_id(s);
    scale_past_new(&s->past);
    s->lease_ms = MAX(o->conf->check_interval_ms * LEASE_CHECKS, (uint64_t)LEASE_MIN_MS);
    s->timer = loop_timer_new(o->loop, on_timer, s);
    loop_timer_arm(s->timer, 0);
    return s;
}

static void ignore_done(void *arg, const struct err *err)
{
    (void)arg;
    (void)err; /* the lease ends by itself */
}

void scale_stop(struct scale *s)
{
    if (s == NULL || s->stopped)
        return;
    s->stopped = true;
    loop_timer_cancel(s->timer);
    plugin_scaler_forget(s->o.scaler);
    store_scale_yield(s->o.store, s->id, ignore_done, s);
}

void scale_free(struct scale *s)
{
    if (s == NULL)
        return;
    loop_timer_free(s->timer);
    scale_plan_done(&s->plan);
    scale_view_done(&s->view);
    scale_past_done(&s->past);
    free(s);
}
