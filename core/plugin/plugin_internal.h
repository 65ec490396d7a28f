/* plugin_internal.h - what the files of plugin/ share. */
#ifndef EXECD_PLUGIN_INTERNAL_H
#define EXECD_PLUGIN_INTERNAL_H

#include "plugin.h"

#include <pthread.h>
#include <sys/queue.h>

#include <execd/plugin.h>

#include "log/log.h"
#include "net/net.h"

enum {
    OPTIONS_MAX = 64,   /* in a table */
    LANGUAGES_MAX = 64, /* of one plugin */
    MOUNTS_MAX = 64,    /* of one language */
    STRIDE_MAX = 4096,
    STOP_MS = 5000, /* for all plugins together */
    SLOW_MS = 10,   /* a callback that blocks the loop longer is named in the log */
};

struct plugin_timer {
    TAILQ_ENTRY(plugin_timer) link;
    struct execd_ctx *ctx;
    struct loop_timer *timer;
    uint64_t id;
    execd_fire_fn fire;
    void *arg;
    execd_drop_fn drop;
};

struct plugin_post {
    TAILQ_ENTRY(plugin_post) link;
    execd_fire_fn fire;
    void *arg;
    execd_drop_fn drop;
};

struct execd_http {
    TAILQ_ENTRY(execd_http) link;
    struct execd_ctx *ctx;
    struct net_exchange *exchange;
    uint64_t retry_after_s;
    bool over; /* done() runs */
    execd_http_fn done;
    void (*piece)(void *arg, struct execd_bytes piece);
    void *arg;
    execd_drop_fn drop;
};

/* One loaded plugin; what it holds of the host is in its ledger and ends with it. */
struct execd_ctx {
    struct plugin_set *set;
    char *file; /* as the configuration names it */
    bool optional;
    bool cold;                /* the operator wants no warm runtimes of it */
    struct execd_plugin desc; /* our copy; what an older plugin lacks reads as zero */
    struct execd_lang_ops lang;
    struct execd_warm_ops warm;
    struct execd_scaler_ops scaler;
    struct execd_option *options; /* desc.option_count of them */
    struct execd_value *values;
    char **strings; /* owns values[].string */
    int fd;         /* the file that was loaded */
    void *self;
    bool created, started, stopped;

    struct loop *loop;     /* NULL before start() */
    pthread_mutex_t mutex; /* of `open`, `posts` and what counts them */
    bool open, inbox_posted;
    TAILQ_HEAD(plugin_posts, plugin_post) posts;
    size_t post_count;
    TAILQ_HEAD(plugin_timers, plugin_timer) timers;
    size_t timer_count;
    uint64_t timer_last_id;
    struct net_client *http_client; /* NULL until the first exchange */
    TAILQ_HEAD(plugin_https, execd_http) https;
    size_t http_count;
    struct plugin_scaler_call *scaler_call; /* the one that is not answered; NULL if none */
};

struct plugin_lang {
    struct execd_ctx *ctx;
    int32_t id;
    char *name, *file_name, *selftest_source, *selftest_output;
    char **mounts; /* NULL-terminated */
    uint64_t memory_min;
    char version[96];
};

struct plugin_set {
    struct execd_ctx **items;
    size_t count;
    struct plugin_lang **langs;
    size_t lang_count;
    char **mounts;
    size_t mount_count;
    char *rootfs; /* "": the machine's files */
    struct job_limits limits_default, limits_compile;
    struct loop *loop;
    const struct plugin_workers *workers; /* NULL: none are lent */
    void *workers_arg;
    /* plugin_stop.c */
    struct loop_timer *stop_timer;
    size_t stop_at; /* items below this one were not asked yet */
    struct execd_ctx *stop_waiting;
    bool stop_late;
    loop_fn stop_fn;
    void *stop_arg;
};

/* ---- plugin_file.c: a file that may be trusted, loaded ------------------------------- */

/* Every refusal here is ERR_CONFIG with "reason; next step". */
int plugin_file_open(const char *path, int *ret_fd, struct err *reterr) NODISCARD;
int plugin_file_load(int fd, const struct execd_plugin **ret, struct err *reterr) NODISCARD;

/* ---- plugin_desc.c: the descriptor ------------------------------------------------------ */

int plugin_desc_take(const struct execd_plugin *theirs, struct execd_ctx *ctx, struct err *reterr) NODISCARD;
const char *plugin_kind_name(uint32_t kind);
/* One line of a plugin's words: no control bytes, never without an end. */
void plugin_text(const char *text, size_t size, char *out, size_t out_size);

/* ---- plugin_option.c: what it declares, what the file says ------------------------------- */

int plugin_options_check(struct execd_ctx *ctx, struct err *reterr) NODISCARD;
int plugin_options_take(struct execd_ctx *ctx, const struct conf_plugin *conf, struct err *reterr) NODISCARD;
const char *plugin_option_type(uint32_t type);

/* ---- plugin_host.c: services and the ledger ------------------------------------------------ */

extern const struct execd_host plugin_host;
void plugin_ledger_open(struct execd_ctx *ctx, struct loop *loop);
void plugin_ledger_close(struct execd_ctx *ctx); /* cancels and drops what is left */
void plugin_slow_check(const struct execd_ctx *ctx, const char *what, uint64_t begun_ns);

/* ---- plugin_http.c: exchanges of a plugin's --------------------------------------------------- */

struct execd_http *plugin_http_start(struct execd_ctx *ctx, const struct execd_http_request *request,
                                     execd_http_fn done, void *arg, execd_drop_fn drop,
                                     struct execd_error *err);
void plugin_http_cancel(struct execd_http *http);
uint64_t plugin_http_retry_after(struct execd_http *http);
void plugin_http_close(struct execd_ctx *ctx); /* cancels all */

/* ---- plugin_plan.c: collecting a plan -------------------------------------------------------- */

struct execd_plan;
struct execd_plan *plugin_plan_begin(char *const *args, size_t arg_count);
/* What the plugin answered becomes ours: a plan or a reason.  Frees `plan`. */
int plugin_plan_end(struct execd_plan *plan, const char *call, int32_t rc, const struct execd_error *error,
                    struct plugin_plan **ret, struct err *reterr) NODISCARD;
int32_t plugin_plan_file(struct execd_plan *plan, uint32_t phases, const char *path, struct execd_bytes body,
                         uint32_t mode);
int32_t plugin_plan_step(struct execd_plan *plan, const struct execd_step *step);
bool plugin_plan_same(const struct plugin_plan *a, const struct plugin_plan *b);
/* An answer that is no success as ours: E_REQUEST keeps the plugin's words alone. */
int plugin_answer(const char *call, int32_t rc, const struct execd_error *error, struct err *reterr);
/* A relative path that stays below where it starts; says what is wrong with it otherwise. */
const char *plugin_path_fault(const char *path);

/* ---- plugin_lang.c: languages ------------------------------------------------------------------ */

/* Asks the plugin for its languages and tries the plans of each self-test. */
int plugin_langs_add(struct execd_ctx *ctx, struct err *reterr) NODISCARD;
void plugin_langs_free(struct plugin_set *set);

/* ---- plugin_warm.c: warm runtimes ------------------------------------------------------------- */

/* The runtimes that these steps ask for are offered, and their plans are possible. */
int plugin_warm_try(struct plugin_lang *l, const struct plugin_plan *plan, struct err *reterr);

/* ---- plugin_scaler.c: the scaler, and the workers that are lent to it --------------------------- */

int plugin_scaler_check(const struct execd_ctx *ctx, struct err *reterr); /* is it the only one? */
int32_t plugin_worker_start(struct execd_ctx *ctx, uint32_t number, execd_fire_fn ended, void *arg,
                            struct execd_error *error);
void plugin_worker_end(struct execd_ctx *ctx, uint32_t number);
int64_t plugin_worker_pid(struct execd_ctx *ctx, uint32_t number);

/* ---- plugin_set.c, plugin_stop.c ----------------------------------------------------------------- */

void plugin_ctx_free(struct execd_ctx *ctx);

#endif
