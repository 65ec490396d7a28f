/* loop.c - the base: start, run, stop. */
#include "loop_internal.h"

int loop_new(struct loop **ret, struct err *reterr)
{
    struct loop *loop = NEW(struct loop);
    struct event_config *config = event_config_new();
    int rc = 0;

    if (config != NULL) {
        event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER);
        loop->base = event_base_new_with_config(config);
        event_config_free(config);
    }
    if (loop->base == NULL)
        rc = err_set(reterr, ERR_INTERNAL, "libevent gave no event base");
    else
        rc = loop_post_open(loop, reterr);
    if (rc != 0) {
        if (loop->base != NULL)
            event_base_free(loop->base);
        free(loop);
        return rc;
    }
    *ret = loop;
    return 0;
}

void loop_free(struct loop *loop)
{
    if (loop == NULL)
        return;
    loop_post_close(loop);
    event_base_free(loop->base);
    free(loop);
}

void loop_run(struct loop *loop)
{
    event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
    event_base_loopbreak(loop->base);
}

uint64_t loop_now_ms(struct loop *loop)
{
    (void)loop;
    return clock_mono_ns() / 1000000u;
}

struct event_base *loop_event_base(struct loop *loop)
{
    return loop->base;
}

struct event *loop_event_new(struct loop *loop, int fd, short what, event_callback_fn fn, void *arg)
{
    struct event *e = event_new(loop->base, fd, what, fn, arg);

    if (e == NULL)
        abort(); /* as mem_zero(): no memory for a struct */
    return e;
}
