/* api.h - the HTTP surface: routes, keys, submissions, results, health, metrics.
 *
 * Theory of operation.  api_routes.c has the one table of routes.  Each request becomes
 * a `struct api_call` (api_call.c), which is answered exactly once and outlives its client
 * as long as the store still owes it a callback; so a client may leave, and the api may be freed, at
 * any moment.  What the store knows about the fleet is read at most once a second
 * (api_fleet.c) and serves /health, /readyz and /metrics alike; no scraper reaches Redis.
 *
 * With keys configured everything but /health, /livez and /readyz needs one, and a key sees
 * the jobs that were submitted with it and no others.
 *
 * Thread: the loop's. */
#ifndef EXECD_API_H
#define EXECD_API_H

#include "base/base.h"
#include "conf/conf.h"
#include "jail/jail.h"
#include "loop/loop.h"
#include "plugin/plugin.h"
#include "store/store.h"

struct api;

struct api_options {
    struct loop *loop;
    struct store *store;
    const struct conf *conf;
    const struct plugin_set *plugins;    /* NULL: languages are what workers told the store */
    const struct jail_facts *jail_facts; /* NULL without a worker in this process */
    unsigned roles;                      /* APP_ROLE_* bits, for / to show */
};
/* Listens on conf->address and conf->port (0: any free one).  All of `o` must outlive api_free(). */
int api_start(const struct api_options *o, struct api **ret, struct err *reterr) NODISCARD;
uint16_t api_port(const struct api *api);
/* No new connections; submissions are refused, polls answer at once, what waits goes on waiting. */
void api_pause(struct api *api);
/* After api_pause(): what waits is answered with what there is.  fn runs once, when every request was
 * answered and every answer written, or after 5 s. */
void api_drain(struct api *api, loop_fn fn, void *arg);
/* Drops what is still open.  The store may owe callbacks then; store_free() comes after. NULL is fine. */
void api_free(struct api *api);

#endif
