/* store_wait.c - waiting for a job's end.
 *
 * A waiter is in a table by token; a message on the `done` channel makes it ask.  It also asks when it
 * begins, when the subscription is back after a loss, and when its time is over, so that a lost message
 * costs time and never an answer.  A question takes as long as Redis does, for only then it is known when to
 * ask again; the last one is waited for as long as any other of a client's. */
#include "log/trace.h"
#include "store_internal.h"

static struct store_waits *bucket(struct shard *s, const char *token)
{
    unsigned h = 5381;

    for (const char *p = token; *p != '\0'; p++)
        h = h * 33 + (unsigned char)*p;
    return &s->waits[h % STORE_WAIT_BUCKETS];
}

static void wait_free(struct store_wait *w)
{
    TAILQ_REMOVE(bucket(w->shard, w->token), w, link);
    loop_timer_free(w->timer);
    free(w);
}

static void ask(struct store_wait *w);

static void on_view(void *arg, const struct err *err, const struct store_view *view)
{
    struct store_wait *w = arg;
    bool over = err == NULL ? job_status_terminal(view->status) : err->code != ERR_AGAIN;

    w->asking = false;
    if (w->cancelled) {
        wait_free(w);
    } else if (over || w->late) {
        store_view_fn done = w->done;
        void *done_arg = w->arg;

        wait_free(w);
        done(done_arg, err, view);
    } else if (w->again) {
        ask(w);
    }
}

static void ask(struct store_wait *w)
{
    if (w->asking) {
        w->again = true;
        return;
    }
    w->asking = true;
    w->again = false;
    store_view_ask(w->shard, w->token, false, on_view, w);
}

/* Freed with the answer. */
static void give_up(struct store_wait *w)
{
    struct err err = {0};

    w->cancelled = true;
    err_set(&err, ERR_AGAIN, "Redis did not answer within %llu ms",
            (unsigned long long)w->shard->o.answer_ms);
    w->done(w->arg, &err, NULL);
}

static void on_time(void *arg)
{
    struct store_wait *w = arg;

    if (w->late) {
        give_up(w);
        return;
    }
    w->late = true;
    loop_timer_arm(w->timer, w->shard->o.answer_ms);
    ask(w);
}

struct store_wait *shard_wait(struct shard *s, const char *token, uint64_t wait_ms, store_view_fn done,
                              void *arg)
{
    struct store_wait *w = NEW(struct store_wait);

    w->shard = s;
    snprintf(w->token, sizeof(w->token), "%s", token);
    w->done = done;
    w->arg = arg;
    w->timer = loop_timer_new(s->loop, on_time, w);
    loop_timer_arm(w->timer, wait_ms);
    TAILQ_INSERT_TAIL(bucket(s, w->token), w, link);
    ask(w);
    return w;
}

void store_wait_cancel(struct store_wait *w)
{
    if (w == NULL)
        return;
    if (w->asking)
        w->cancelled = true; /* freed with the answer */
    else
        wait_free(w);
}

void store_waits_told(struct shard *s, const char *token)
{
    struct store_wait *w;

    TAILQ_FOREACH (w, bucket(s, token), link)
        if (strcmp(w->token, token) == 0) {
            TRACE(token, "told");
            ask(w);
        }
}

void store_waits_ask_all(struct shard *s)
{
    struct store_wait *w;

    for (size_t i = 0; i < STORE_WAIT_BUCKETS; i++)
        TAILQ_FOREACH (w, &s->waits[i], link)
            ask(w);
}

void shard_waits_end(struct shard *s)
{
    struct store_wait *w;

    for (size_t i = 0; i < STORE_WAIT_BUCKETS; i++)
        TAILQ_FOREACH (w, &s->waits[i], link)
            if (!w->late)
                on_time(w);
}

/* The store goes: whoever still waits is told so. */
bool store_waits_drop(struct shard *s)
{
    struct err err = {0};
    bool any = false;
    struct store_wait *w;

    err_set(&err, ERR_AGAIN, "execd is stopping");
    for (size_t i = 0; i < STORE_WAIT_BUCKETS; i++) {
        while ((w = TAILQ_FIRST(&s->waits[i])) != NULL) {
            store_view_fn done = w->cancelled ? NULL : w->done;
            void *arg = w->arg;

            wait_free(w);
            any = true;
            if (done != NULL)
                done(arg, &err, NULL);
        }
    }
    return any;
}
