/* hook_retry.c - what to do after an attempt.  Pure. */
#include "hook_internal.h"

static uint64_t longest_delay(const struct conf *c, uint32_t attempt)
{
    uint64_t ms = c->hook_first_retry_ms;

    for (uint32_t i = 1; i < attempt && ms < c->hook_max_retry_ms; i++)
        ms *= 2;
    return MIN(ms, c->hook_max_retry_ms);
}

/* Doubling, bounded, and spread over the upper half so that receivers which fail together are not
 * asked together. */
static uint64_t delay(const struct conf *c, uint32_t attempt, uint32_t jitter)
{
    uint64_t ms = longest_delay(c, attempt);

    return ms - ms / 2 + (uint64_t)jitter % (ms / 2 + 1);
}

enum store_outcome hook_outcome(const struct conf *conf, uint32_t tries, const struct hook_answer *a,
                                uint32_t jitter, uint64_t *ret_ms)
{
    *ret_ms = 0;
    if (a->status >= 200 && a->status < 300)
        return STORE_DELIVERED;
    if (a->refused || a->status == 410 || tries >= conf->hook_attempts)
        return STORE_GIVEN_UP;
    *ret_ms = MAX(delay(conf, tries, jitter), MIN(a->retry_after_s * 1000, conf->hook_max_retry_ms));
    *ret_ms = MAX(*ret_ms, (uint64_t)1);
    return STORE_FAILED;
}

/* A receiver that says no to this delivery is there; one that is silent, overloaded or broken may fail all.
 */
enum store_health hook_health(const struct hook_answer *a)
{
    if (a->refused || !a->sent)
        return STORE_UNKNOWN;
    return a->status == 0 || a->status == 429 || a->status >= 500 ? STORE_ILL : STORE_WELL;
}

/* The window, until its last attempt was settled, or its sender's lease is over and it was given up. */
uint64_t hook_horizon_ms(const struct conf *c)
{
    return c->hook_window_ms + HOOK_GRACE_MS + 2 * HOOK_LEASE_MS(c);
}
