/* hook.h - from the outbox to signed deliveries.
 *
 * Theory of operation.  A result and its webhook are written in one step (store.h); this room takes what is
 * due from that outbox, under a lease, and POSTs it.  2xx ends a delivery; 410 Gone and an address that the
 * guard refuses end it as given up; anything else is tried again after a delay that doubles, with jitter, up
 * to hook.max_retry_ms, or after what the receiver's Retry-After asks for, at most hook.attempts times.  A
 * process that dies in between loses nothing: its lease runs out and another delivers, so a receiver may see
 * one delivery twice and tells by `webhook-id`.
 *
 * At most hook.per_host exchanges go to one host at a time.  A few more wait for their turn here; what is
 * beyond goes back to the outbox for a moment without counting as an attempt, so that a receiver which is
 * slow fills neither the places nor the time of the others.
 *
 * The body is the job as the API shows it.  With hook.secret it is signed by the Standard Webhooks scheme
 * (standardwebhooks.com, symmetric `v1`): HMAC-SHA256 over "id.timestamp.body".
 *
 * The guard (hook_guard.c) is asked about the very address that is connected to, so that no name can be
 * resolved to something else in between; redirects are not followed.
 *
 * Thread: the loop's. */
#ifndef EXECD_HOOK_H
#define EXECD_HOOK_H

#include "base/base.h"
#include "conf/conf.h"
#include "loop/loop.h"
#include "store/store.h"

struct hook;
/* ERR_CONFIG: hook.secret or hook.allow_networks cannot be read. */
int hook_start(struct loop *loop, struct store *store, const struct conf *conf, struct hook **ret,
               struct err *reterr) NODISCARD;
/* How long deliveries of one result may go on in all, ms: it must be kept that long. */
uint64_t hook_horizon_ms(const struct conf *conf);
/* Exchanges in flight are dropped and what was not sent goes back, due at once. */
void hook_stop(struct hook *h);

#endif
