/* store_shard.h - one shard, as store.c and its neighbours see it; for this folder only.
 *
 * A shard is a whole keyspace under one hash tag, with two connections of its own to the server that has the
 * tag's slot.  What each call means is said in store.h, of the function of the same name. */
#ifndef EXECD_STORE_SHARD_H
#define EXECD_STORE_SHARD_H

#include "store.h"

struct shard;

/* `tag`: "{...}", the beginning of its keys.  Bounds in `o` are the shard's own part. */
int shard_open(struct loop *loop, const struct store_options *o, const char *tag, struct shard **ret,
               struct err *reterr) NODISCARD;
/* In three steps, because who is told of the end may ask another shard: close all, drain all until none had
 * anything to answer, free all. */
void shard_close(struct shard *s);
bool shard_drain(struct shard *s);
void shard_free(struct shard *s);

bool shard_connected(const struct shard *s);
const char *shard_trouble(const struct shard *s);
const struct store_facts *shard_facts(const struct shard *s);
void shard_on_change(struct shard *s, loop_fn fn, void *arg);
void shard_on_ready(struct shard *s, loop_fn fn, void *arg);
void shard_on_outbox(struct shard *s, loop_fn fn, void *arg);
void shard_ping(struct shard *s, store_done_fn done, void *arg);

void shard_submit(struct shard *s, struct job *const *jobs, size_t count,
                  const struct store_admission *admission, store_submitted_fn done, void *arg);
/* Answers that they cannot be submitted as one. */
void shard_submit_apart(struct shard *s, store_submitted_fn done, void *arg);
void shard_get(struct shard *s, const char *token, store_view_fn done, void *arg);
struct store_wait *shard_wait(struct shard *s, const char *token, uint64_t wait_ms, store_view_fn done,
                              void *arg);
void shard_waits_end(struct shard *s);
void shard_cancel(struct shard *s, const char *token, store_done_fn done, void *arg);

void shard_claim(struct shard *s, const char *worker, const int32_t *languages, size_t language_count,
                 size_t max, size_t at_once, store_claim_fn done, void *arg);
/* Answers that it is not asked, because it owes an answer already. */
void shard_claim_not(struct shard *s, store_claim_fn done, void *arg);
void shard_extend(struct shard *s, const char *worker, const struct store_lease *leases, size_t count,
                  store_lease_fn done, void *arg);
void shard_finish(struct shard *s, const char *worker, const char *token, uint32_t epoch,
                  const struct job_result *result, const struct store_lease *begun, size_t begun_count,
                  store_done_fn done, void *arg);
void shard_release(struct shard *s, const char *worker, const char *token, uint32_t epoch, store_done_fn done,
                   void *arg);
void shard_reap(struct shard *s, store_reap_fn done, void *arg);

void shard_dead_list(struct shard *s, const char *tenant, size_t offset, size_t max, store_letters_fn done,
                     void *arg);
void shard_dead_get(struct shard *s, const char *tenant, const char *token, store_letters_fn done, void *arg);
void shard_dead_drop(struct shard *s, const char *tenant, const char *token, store_done_fn done, void *arg);

void shard_heartbeat(struct shard *s, const struct store_worker *w, uint64_t ttl_ms, store_beat_fn done,
                     void *arg);
void shard_worker_gone(struct shard *s, const char *id, store_done_fn done, void *arg);
void shard_languages_put(struct shard *s, const struct store_language *l, size_t count, store_done_fn done,
                         void *arg);
void shard_languages_get(struct shard *s, bool hold, store_languages_fn done, void *arg);
void shard_stats(struct shard *s, store_stats_fn done, void *arg);

void shard_outbox_claim(struct shard *s, const struct store_outbox_rules *r,
                        const struct store_places *places, size_t max, store_delivery_fn done, void *arg);
void shard_outbox_claim_not(struct shard *s, store_delivery_fn done, void *arg); /* as shard_claim_not() */
void shard_outbox_settle(struct shard *s, const struct store_outbox_rules *r,
                         const struct store_settlement *settlement, store_settled_fn done, void *arg);
void shard_outbox_view(struct shard *s, const char *token, store_deliveries_fn done, void *arg);
void shard_outbox_again(struct shard *s, const char *token, const struct store_admission *admission,
                        uint64_t pause_ms, store_submitted_fn done, void *arg);

void shard_scale_step(struct shard *s, const char *id, uint64_t lease_ms, bool whole, store_scene_fn done,
                      void *arg);
void shard_scale_decide(struct shard *s, const char *id, uint64_t epoch, const struct store_decision *d,
                        const struct store_order *orders, size_t order_count, store_done_fn done, void *arg);
void shard_scale_yield(struct shard *s, const char *id, store_done_fn done, void *arg);
void shard_scale_view(struct shard *s, size_t max, store_scene_fn done, void *arg);

/* ---- all shards of a store (store.c) ----------------------------------------------------------- */

struct store_pace {   /* at which walks get their answers from a shard */
    unsigned overdue; /* questions whose walk has gone on without the answer, which has not come yet */
    uint64_t took_ms; /* the last answer */
};
struct store_seat {
    struct store *store;
    struct shard *shard;
    struct store_pace claims, outbox;
    bool hinted;              /* something became ready since a claim asked here last */
    uint64_t dry_until;       /* a claim found nothing: not asked again before, unless hinted */
    struct store_stats stats; /* as it told last, zeroed before; ours, without workers */
};
struct store {
    struct loop *loop;
    unsigned count;
    bool freeing;
    uint64_t answer_ms;
    bool whole; /* all have been connected: their number is the one that Redis holds */
    unsigned place_turn, claim_turn, outbox_turn;
    loop_fn change_fn, ready_fn, outbox_fn;
    void *change_arg, *ready_arg, *outbox_arg;
    struct store_facts facts; /* the worst of all; unused with one shard */
    struct store_seat seats[];
};
struct shard *store_shard_of(const struct store *s, const char *token);
/* One that takes questions, `from` (one of them) or after it; `from` if there is none. */
unsigned store_next_up(const struct store *s, unsigned from);

/* ---- slots and tags (store_slot.c) ---------------------------------------------------------------- */

#define STORE_SLOTS 16384u
unsigned store_slot_of(const char *tag, size_t len); /* of a hash tag without its braces */
/* "{prefix}" for the first, and "{prefix:i:n}" for the others, so that their slots are as far apart as can
 * be: masters that share the slots evenly share the shards evenly. */
char *store_tag_new(const char *prefix, unsigned shard, unsigned count);
unsigned store_token_shard(const char *token, unsigned count);
void store_token_place(char *token, unsigned shard, unsigned count);
/* The shard of whatever must stay together. */
unsigned store_hash_shard(const char *a, const char *b, unsigned count);

#endif
