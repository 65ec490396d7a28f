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

enum hook_next hook_next(const struct conf *conf, uint32_t attempt, int status, bool refused,
                         uint64_t retry_after_s, uint32_t jitter, uint64_t *ret_ms)
{
    *ret_ms = 0;
    if (status >= 200 && status < 300)
        return HOOK_DELIVERED;
    if (refused || status == 410 || attempt >= conf->hook_attempts)
        return HOOK_GIVE_UP;
    *ret_ms = MAX(delay(conf, attempt, jitter), MIN(retry_after_s * 1000, conf->hook_max_retry_ms));
    *ret_ms = MAX(*ret_ms, (uint64_t)1);
    return HOOK_RETRY;
}

/* Each attempt may take its timeout, or be lost with its process and wait for its lease (hook.c) to end, and
 * every pause may be as long as a receiver's Retry-After can make it. */
uint64_t hook_horizon_ms(const struct conf *c)
{
    return c->hook_attempts * (c->hook_max_retry_ms + HOOK_LEASE_MS(c));
}
