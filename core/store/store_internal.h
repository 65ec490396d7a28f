/* store_internal.h - for this folder only. */
#ifndef EXECD_STORE_INTERNAL_H
#define EXECD_STORE_INTERNAL_H

#include <sys/queue.h>

#include <hiredis/async.h>
#include <hiredis/hiredis.h>

#include "store.h"
#include "store_shard.h"

/* ---- scripts (store_scripts.c is made from lua/ at build) ------------------------- */

enum store_script {
    SCRIPT_SUBMIT,
    SCRIPT_CLAIM,
    SCRIPT_EXTEND,
    SCRIPT_FINISH,
    SCRIPT_RELEASE,
    SCRIPT_REAP,
    SCRIPT_CANCEL,
    SCRIPT_OUTBOX_CLAIM,
    SCRIPT_OUTBOX_SETTLE,
    SCRIPT_OUTBOX_VIEW,
    SCRIPT_OUTBOX_AGAIN,
    SCRIPT_STATS,
    SCRIPT_BEAT,
    SCRIPT_LANGUAGES,
    SCRIPT_DEAD_LIST,
    SCRIPT_DEAD_GET,
    SCRIPT_DEAD_DROP,
    SCRIPT_SHARDS,
    SCRIPT_SCALE_STEP,
    SCRIPT_SCALE_DECIDE,
    SCRIPT_SCALE_YIELD,
    SCRIPT_SCALE_VIEW,
    SCRIPT_COUNT
};
extern const char *const store_scripts[SCRIPT_COUNT];

/* ---- addresses (store_url.c) --------------------------------------------------------- */

#define STORE_NODES_MAX 16
struct store_node {
    char host[256]; /* or the socket's path */
    uint16_t port;
};
struct store_address {
    bool is_unix, tls;
    bool sentinel; /* the nodes are sentinels, which know where `master` is */
    bool cluster;  /* the nodes are some of a cluster, which know where each slot is */
    struct store_node nodes[STORE_NODES_MAX]; /* one, unless one of these */
    size_t node_count;
    char master[64];
    int db;
    char *user, *password; /* NULL: none */
};
int store_url_parse(const char *url, struct store_address *ret, struct err *reterr);
void store_address_done(struct store_address *a);

/* ---- TLS (store_tls.c) --------------------------------------------------------------------- */

struct ssl_ctx_st; /* OpenSSL's */
struct store_tls;
/* From store_options.tls_*; ERR_CONFIG with the key's name and why. */
int store_tls_context_new(const struct store_options *o, struct ssl_ctx_st **ret,
                          struct err *reterr) NODISCARD;
void store_tls_context_free(struct ssl_ctx_st *ctx); /* NULL is fine */
/* Puts TLS below `fd`, a TCP socket that is being connected: the number then means what was said in clear.
 * The server must prove to be `name`, a host's or an address.  ready() when it has, failed() once if anything
 * goes wrong (the connection is of no use any more).  NULL: no memory or descriptors, and fd is as it was. */
struct store_tls *store_tls_start(struct loop *loop, struct ssl_ctx_st *ctx, const char *name, int fd,
                                  void (*ready)(void *arg), void (*failed)(void *arg, const char *why),
                                  void *arg);
void store_tls_free(struct store_tls *t); /* NULL is fine; also from inside of ready() and failed() */

/* ---- connections (store_link.c, store_dial.c) ----------------------------------------------- */

struct shard;
struct store_dial; /* a name that is being resolved */
/* One connection that keeps itself up; `ready` runs after AUTH and SELECT, `down` when it is lost; `ping`
 * asks for a sign of life, which store_link_pong() takes. */
struct store_link {
    struct shard *shard;
    redisAsyncContext *ac;
    struct loop_io *io;
    struct store_tls *tls;
    int io_events;
    struct loop_timer *timer; /* next attempt, or the bound of this one, or the watchdog */
    bool up, closing, pinged;
    uint64_t delay_ms;
    struct store_node target; /* whom this attempt is for, or who it was */
    bool found;               /* who was asked has named the target: it is next */
    bool asking;              /* the target is a sentinel, or any node of a cluster */
    size_t turn;              /* which of them is asked next */
    struct store_dial *dial;
    char server[48];     /* the run_id of whom it is connected to; "" if that is not told */
    char trouble[128];   /* why the last attempt failed, or the connection was lost */
    char complaint[128]; /* what was logged of this time without Redis, and when */
    uint64_t complained_ms;
    void (*ready)(struct store_link *l);
    void (*down)(struct store_link *l);
    void (*ping)(struct store_link *l);
};
void store_link_open(struct store_link *l, struct shard *s); /* after the three were set */
void store_link_pong(struct store_link *l);
void store_link_ready(struct store_link *l); /* called by `ready`'s last step: the link is of use now */
void store_link_drop(struct store_link *l, const char *why); /* and tries again */
void store_link_close(struct store_link *l);

/* Between store_link.c and store_dial.c. */
void store_link_begin(struct store_link *l, redisAsyncContext *ac); /* takes ac, which may be NULL */
void store_link_fail(struct store_link *l, const char *why);        /* without a connection: tries again */
void store_link_again(struct store_link *l);                        /* another attempt at once */
void store_dial(struct store_link *l);                              /* picks a target, begins */
void store_dial_stop(struct store_link *l);
void store_dial_ask(struct store_link *l);        /* the target is to be asked, and connected */
bool store_dial_asks(const struct store_link *l); /* somebody has to name the target */

/* ---- a cluster (store_cluster.c) -------------------------------------------------------------- */

/* Asks a node who has the shard's slot: the next target. */
void store_cluster_ask(struct store_link *l);
/* The connection for questions is of no use any more, because of an error, which may name another node. */
void store_cluster_leave(struct shard *s, const char *why);
/* The connection for questions is up: the other one must be to the same node, now or when it comes up. */
void store_cluster_join(struct shard *s);

/* ---- facts (store_facts.c) ------------------------------------------------------------------ */

struct store_told { /* by INFO and CONFIG GET; "" where it was refused */
    char *info;
    char appendfsync[16], no_fsync_on_rewrite[8], save[128];
};
void store_facts_judge(const struct store_told *t, uint32_t accept, struct store_facts *ret);
void store_facts_ask(struct store_link *l); /* may drop the link when the answers come */
/* What INFO answered tells whom the link is connected to. */
void store_facts_server(struct store_link *l, const char *info);
void store_facts_done(struct shard *s);

/* ---- errors (store_error.c) ------------------------------------------------------------------ */

struct shard;
enum store_after { /* what becomes of the connection that told the error */
                   STORE_AFTER_NOTHING,
                   STORE_AFTER_LEAVE, /* the next one may be to a better server, and has the scripts */
};
/* Sets *ret; clients: who asked is a client, to be told that Redis is full. */
enum store_after store_error_judge(struct shard *s, const char *text, bool clients, struct err *ret);
void store_error_say(struct shard *s, const char *word, const char *text); /* word: a literal, told once */

/* ---- a shard ------------------------------------------------------------------------------ */

#define STORE_WAIT_BUCKETS 256
struct store_wait {
    TAILQ_ENTRY(store_wait) link;
    struct shard *shard;
    char token[UUID_SIZE];
    struct loop_timer *timer;
    bool asking, again, late; /* a GET is under way; ask again after it; time is over */
    bool cancelled;
    store_view_fn done;
    void *arg;
};
TAILQ_HEAD(store_waits, store_wait);

struct store_call;
TAILQ_HEAD(store_calls, store_call);

struct shard {
    struct loop *loop;
    struct store_options o; /* strings are ours */
    struct store_address address;
    struct store_node known[STORE_NODES_MAX]; /* other nodes of the cluster, as one has told */
    size_t known_count;
    unsigned slot;          /* of the tag */
    struct ssl_ctx_st *tls; /* NULL: in clear */
    struct store_link command, subscription;
    struct store_told told; /* so far, by the server that is being connected to */
    struct store_facts facts;
    char shas[SCRIPT_COUNT][41];
    unsigned scripts_loaded;
    bool connected, freeing;
    unsigned in_flight, reading; /* reading: with Redis, and their answers may be large */
    size_t read_mean;            /* bytes of such an answer, lately */
    uint64_t unanswered; /* bytes of submissions that Redis has, or will have with the next connection */
    struct store_calls failing; /* answered in the next turn, without Redis */
    struct store_calls unsure;  /* their answers were lost: asked again with the next connection */
    struct store_calls turns;   /* wait until others were read */
    struct store_calls timed;   /* those that clients wait for, by when they must be answered */
    struct loop_timer *fail_timer, *answer_timer;
    const char *said; /* which of Redis' errors was logged last, and when */
    uint64_t said_ms;
    char *tag; /* "{prefix}" */
    loop_fn change_fn, ready_fn, outbox_fn;
    void *change_arg, *ready_arg, *outbox_arg;
    bool ready_posted, outbox_posted;
    struct loop_timer *hint_timer, *change_timer;
    struct store_waits waits[STORE_WAIT_BUCKETS];
    struct buf lost_result, unbegun_result, overdue_result, cancelled_result;
};

/* ---- calls (store_call.c) ------------------------------------------------------------------- */

/* reply NULL: err is set.  Runs exactly once, from a later turn. */
typedef void (*store_reply_fn)(struct store_call *c, const redisReply *reply, const struct err *err);
struct store_call {
    TAILQ_ENTRY(store_call) link;
    struct shard *shard;
    store_reply_fn fn;
    void (*done)(void); /* the user's callback, cast back by fn */
    void *arg;
    void *extra; /* freed with the call */
    char *again; /* the whole question, for those that may be asked twice, or later; hiredis' to free */
    size_t again_len;
    bool weighed;  /* again_len is part of store.unanswered */
    bool clients;  /* it is bounded, and its asker must know if it is not sure what became of it */
    bool reads;    /* it changes nothing, and its answer may be large: few at a time */
    bool timed;    /* it is answered after answer_ms, by Redis or not */
    bool repeated; /* it will not be asked again */
    enum { STORE_WITH_REDIS, STORE_IN_UNSURE, STORE_IN_TURN, STORE_IN_FAILING } place;
    bool answered; /* without Redis, because it took too long */
    TAILQ_ENTRY(store_call) timed_link;
    uint64_t due_ms; /* 0: whenever it comes */
    struct err err;
};
/* An argument vector that grows; bytes are borrowed unless added by store_args_num. */
struct store_args {
    const char **argv;
    size_t *lens;
    char **owned;
    size_t count, owned_count, cap, owned_cap;
};
void store_args_add(struct store_args *a, const void *bytes, size_t len);
void store_args_str(struct store_args *a, const char *s);
void store_args_num(struct store_args *a, uint64_t n);
void store_args_done(struct store_args *a);
/* Arguments behind the script's name; the tag is put first.  Takes the arguments. */
void store_script_call(struct shard *s, enum store_script script, struct store_args *args, store_reply_fn fn,
                       void (*done)(void), void *arg, void *extra);
/* The same for a script that changes nothing the second time, and whose asker cannot repeat it himself. */
void store_script_call_surely(struct shard *s, enum store_script script, struct store_args *args,
                              store_reply_fn fn, void (*done)(void), void *arg);
void store_plain_call(struct shard *s, struct store_args *args, store_reply_fn fn, void (*done)(void),
                      void *arg, void *extra);
/* What changes nothing and may have a large answer; a few at a time are with Redis. */
void store_read_call(struct shard *s, struct store_args *args, bool timed, store_reply_fn fn,
                     void (*done)(void), void *arg, void *extra);
/* store_get(), which may take as long as Redis does. */
void store_view_ask(struct shard *s, const char *token, bool timed, store_view_fn done, void *arg);
/* Answers without a question. */
void store_refuse(struct shard *s, int code, const char *why, store_reply_fn fn, void (*done)(void),
                  void *arg);
#define STORE_NO_MEMORY ERR_AGAIN, "no memory for a record"
#define STORE_OWES ERR_AGAIN, "Redis has not answered what it was asked before"
void store_calls_fail(struct shard *s);
void store_calls_repeat(struct shard *s);  /* the connection is back */
void store_calls_give_up(struct shard *s); /* it will not be */
void store_calls_late(struct shard *s);    /* answers those whose time is over */
void store_done_reply(struct store_call *c, const redisReply *reply,
                      const struct err *err); /* for store_done_fn */

/* store_submit.c: for store_submitted_fn */
void store_submitted_reply(struct store_call *c, const redisReply *reply, const struct err *err);

/* ---- records (store_codec.c) ------------------------------------------------------------------ */

/* whole: with token, callback, args, source and tests; else what a view shows. */
int store_put_job(const struct job *job, bool whole, struct buf *out);
int store_get_job(struct bytes in, struct job **ret, struct err *reterr);
int store_put_result(const struct job_result *r, struct buf *out);
int store_get_result(struct bytes in, struct job_result *ret, struct err *reterr);
int store_put_worker(const struct store_worker *w, struct buf *out);
int store_get_worker(struct bytes in, struct store_worker *ret, struct err *reterr);
/* store_scale.c: as text; false: not a decision of this version. */
int store_put_decision(const struct store_decision *d, struct buf *out);
bool store_get_decision(const char *text, struct store_decision *ret);

/* store_view.c: builds a view from its fields; the job and the result are the caller's. */
int store_view_fill(struct store_view *v, const char *token, const redisReply *st, const redisReply *meta,
                    const redisReply *res, const redisReply *sa, const redisReply *fa, const redisReply *at,
                    struct err *reterr);
void store_view_done(struct store_view *v);
uint64_t store_reply_u64(const redisReply *r); /* integer or decimal text; else 0 */

/* store_wait.c */
void store_waits_told(struct shard *s, const char *token);
void store_waits_ask_all(struct shard *s);
bool store_waits_drop(struct shard *s); /* false: there was none */

#endif
