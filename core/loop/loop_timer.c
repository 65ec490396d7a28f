/* loop_timer.c - one-shot timers. */
#include "loop_internal.h"

struct loop_timer {
    struct event *event;
    loop_fn fn;
    void *arg;
};

static void on_timeout(evutil_socket_t fd, short what, void *arg)
{
    struct loop_timer *t = arg;

    (void)fd;
    (void)what;
    t->fn(t->arg);
}

struct loop_timer *loop_timer_new(struct loop *loop, loop_fn fn, void *arg)
{
    struct loop_timer *t = NEW(struct loop_timer);

    t->fn = fn;
    t->arg = arg;
    t->event = loop_event_new(loop, -1, 0, on_timeout, t);
    return t;
}

void loop_timer_arm(struct loop_timer *t, uint64_t delay_ms)
{
    struct timeval tv = {.tv_sec = (time_t)MIN(delay_ms / 1000u, (uint64_t)INT32_MAX),
                         .tv_usec = (suseconds_t)(delay_ms % 1000u * 1000u)};

    event_add(t->event, &tv);
}

void loop_timer_cancel(struct loop_timer *t)
{
    event_del(t->event);
}

bool loop_timer_armed(const struct loop_timer *t)
{
    return event_pending(t->event, EV_TIMEOUT, NULL) != 0;
}

void loop_timer_free(struct loop_timer *t)
{
    if (t == NULL)
        return;
    event_free(t->event);
    free(t);
}
