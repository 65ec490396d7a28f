/* hook_internal.h - for this folder only. */
#ifndef EXECD_HOOK_INTERNAL_H
#define EXECD_HOOK_INTERNAL_H

#include "hook.h"

/* ---- hook_guard.c: which addresses may be connected to ------------------------------ */

#define HOOK_NETWORKS_MAX 64
struct hook_network {
    unsigned char address[16]; /* IPv4 as ::ffff:a.b.c.d */
    unsigned bits;             /* 0..128 */
};
struct hook_guard {
    bool allow_private;
    struct hook_network allowed[HOOK_NETWORKS_MAX];
    size_t allowed_count;
};
int hook_guard_open(struct hook_guard *g, const struct conf *conf, struct err *reterr);
/* `address`: numeric IPv4 or IPv6. */
bool hook_guard_allows(const struct hook_guard *g, const char *address);

/* ---- hook_sign.c ----------------------------------------------------------------------- */

#define HOOK_KEY_MAX 64
struct hook_key {
    unsigned char bytes[HOOK_KEY_MAX];
    size_t len; /* 0: unsigned */
};
/* "whsec_<base64 of 24 to 64 bytes>"; NULL: none. */
int hook_key_read(const char *secret, struct hook_key *ret, struct err *reterr);
/* "v1,<base64>" over "id.timestamp.body"; buf errors. */
int hook_sign(const struct hook_key *key, const char *id, uint64_t timestamp, struct bytes body,
              struct buf *out);

/* How long what we took from the outbox is ours: one deadline to wait for its turn, one to be sent. */
#define HOOK_LEASE_MS(conf) (2 * (conf)->hook_timeout_ms + 1000)

/* ---- hook_retry.c ------------------------------------------------------------------------ */

/* What to do after an attempt: settle as delivered, give up, or try again after *ret_ms. */
enum hook_next { HOOK_DELIVERED, HOOK_GIVE_UP, HOOK_RETRY };
/* status 0: no HTTP answer; `refused`: the guard or the url.  `jitter`: any random number. */
enum hook_next hook_next(const struct conf *conf, uint32_t attempt, int status, bool refused,
                         uint64_t retry_after_s, uint32_t jitter, uint64_t *ret_ms);

#endif
