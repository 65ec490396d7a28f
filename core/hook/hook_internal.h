/* hook_internal.h - for this folder only. */
#ifndef EXECD_HOOK_INTERNAL_H
#define EXECD_HOOK_INTERNAL_H

#include <sys/queue.h>

#include "hook.h"

/* ---- hook_guard.c: which addresses may be connected to ------------------------------ */

#define HOOK_NETWORKS_MAX 64
struct hook_network {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;             /* 0..128 */
};
struct hook_guard {
    bool allow_private;
    struct hook_network allowed[HOOK_NETWORKS_MAX], denied[HOOK_NETWORKS_MAX];
    size_t allowed_count, denied_count;
};
/* ERR_CONFIG: a network of the file cannot be read, or there are too many. */
int hook_guard_open(struct hook_guard *g, const struct conf *conf, struct err *reterr);
/* `address`: numeric IPv4 or IPv6. */
bool hook_guard_allows(const struct hook_guard *g, const char *address);

/* ---- hook_sign.c ----------------------------------------------------------------------- */

#define HOOK_KEY_MAX 64
struct hook_key {
    unsigned char bytes[HOOK_KEY_MAX];
    size_t len; /* 0: unsigned */
};
/* The secret that is in use, then the one before it, while receivers change over. */
struct hook_keys {
    struct hook_key list[2];
    size_t count;
};
/* "whsec_<base64 of 24 to 64 bytes>"; `name` is the key of the file, for the error. */
int hook_key_read(const char *name, const char *secret, struct hook_key *ret, struct err *reterr);
/* `secret` NULL: none, and then no `previous` either; `whose`: before their names in an error. */
int hook_keys_read(const char *whose, const char *secret, const char *previous, struct hook_keys *ret,
                   struct err *reterr);
/* Those of the section hook, and those of API keys that have their own. */
struct hook_secrets {
    struct hook_keys common;
    struct hook_own {
        char *tenant;
        struct hook_keys keys;
    } * own;
    size_t own_count;
};
int hook_secrets_open(struct hook_secrets *x, const struct conf *conf, struct err *reterr) NODISCARD;
void hook_secrets_close(struct hook_secrets *x); /* nothing of them stays in memory */
const struct hook_keys *hook_secrets_of(const struct hook_secrets *x, const char *tenant);
/* "v1,<base64>" over "id.timestamp.body"; buf errors. */
int hook_sign(const struct hook_key *key, const char *id, uint64_t timestamp, struct bytes body,
              struct buf *out);
/* One for each key, with a blank between them. */
int hook_sign_all(const struct hook_keys *keys, const char *id, uint64_t timestamp, struct bytes body,
                  struct buf *out);

/* ---- hook_tenant.c ----------------------------------------------------------------------- */

struct hook_tenant {
    TAILQ_ENTRY(hook_tenant) link;
    char *name;    /* "" where there are no keys */
    size_t places; /* deliveries under way; never 0 */
};
struct hook_tenants { /* those with something under way */
    TAILQ_HEAD(, hook_tenant) list;
    size_t count;
};
void hook_tenants_open(struct hook_tenants *all);
/* One more place; given back by hook_tenant_give(), with the last of which the tenant is gone. */
struct hook_tenant *hook_tenant_take(struct hook_tenants *all, const char *name);
void hook_tenant_give(struct hook_tenants *all, struct hook_tenant *t);
/* all->count of them; the caller frees the list, names are borrowed. */
struct store_holder *hook_tenants_holders(const struct hook_tenants *all);

/* ---- hook_retry.c ------------------------------------------------------------------------ */

/* How long what we took from the outbox is ours: an attempt, and the time to settle it. */
#define HOOK_LEASE_MS(conf) ((conf)->hook_timeout_ms + 5000)
/* After the window: the last attempt is taken and made in it. */
#define HOOK_GRACE_MS 60000

struct hook_answer { /* what an attempt came to */
    int status;      /* 0: no HTTP answer */
    bool refused;    /* by the guard, or for its url: it would be again */
    bool sent;       /* false: it failed before it was on its way */
    uint64_t retry_after_s;
};
/* What becomes of the delivery; *ret_ms: the pause before the next attempt.  `jitter`: any random number. */
enum store_outcome hook_outcome(const struct conf *conf, uint32_t tries, const struct hook_answer *a,
                                uint32_t jitter, uint64_t *ret_ms);
enum store_health hook_health(const struct hook_answer *a);

#endif
