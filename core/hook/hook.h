/* hook.h - from the outbox to signed deliveries.
 *
 * Theory of operation.  A result and its webhook are written in one step (store.h); this room takes what is
 * due from that outbox, under a lease, and POSTs it.  2xx ends a delivery; 410 Gone and an address that the
 * guard refuses end it as given up; anything else is tried again after a delay that doubles, with jitter, up
 * to hook.max_retry_ms, or after what the receiver's Retry-After asks for, until hook.window_ms is over or
 * hook.attempts were made.  A process that dies in between loses nothing: its lease runs out and another
 * delivers, so a receiver may see one delivery twice and tells by `webhook-id`.
 *
 * The outbox has a queue for each endpoint (host and port) of each tenant (API key), and hands out no more of
 * one than hook.per_host at a time, whoever sends; after hook.breaker_failures failures in a row it hands out
 * none for a while, and then one, to see.  Tenants take turns, and none may hold more than three times the
 * places that this sender has free.  So receivers that are slow or dead, however many a tenant has, fill
 * neither the places nor the time of others.
 *
 * The body is the job as the API shows it.  With hook.secret it is signed by the Standard Webhooks scheme
 * (standardwebhooks.com, symmetric `v1`): HMAC-SHA256 over "id.timestamp.body"; with hook.previous_secret by
 * both, so that receivers can change over one by one.  An API key may have secrets of its own in their place.
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
/* ERR_CONFIG: a secret of the section hook or of a key, or a network, cannot be read. */
int hook_start(struct loop *loop, struct store *store, const struct conf *conf, struct hook **ret,
               struct err *reterr) NODISCARD;
/* How long the delivery of one result may go on, ms, from the job's end: it must be kept that long. */
uint64_t hook_horizon_ms(const struct conf *conf);
/* Exchanges in flight are dropped, and are due again at once. */
void hook_stop(struct hook *h);

#endif
