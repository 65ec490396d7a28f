/* plugin.h - the host's side of plugins: open, check, configure, start, ask, stop.
 *
 * Theory of operation.  Plugins are named in execd.conf, in order.  Each is opened
 * once (a regular file, owned by root or us, not writable by others; the fd that
 * was checked is the fd that is loaded), its descriptor is checked and copied, its
 * settings are checked against what it declares, create() is called.  A refusal names file,
 * reason and next step.  Plans are collected into plain structs of ours, so nothing
 * of a plugin's memory outlives a call.  A plugin is never dlclose'd.
 *
 * The public contract is core/include/execd/plugin.h.  Thread: the loop's. */
#ifndef EXECD_PLUGIN_ROOM_H
#define EXECD_PLUGIN_ROOM_H

#include "base/base.h"
#include "conf/conf.h"
#include "job/job.h"
#include "loop/loop.h"

struct plugin_set;
struct plugin_lang; /* one language of one plugin; lives as long as the set */

/* Opens and create()s all that the configuration names; still before privileges are dropped
 * (the files may be readable by root alone).  ERR_CONFIG: text is "plugin `file` (conf:line): reason; next
 * step". An optional plugin that is refused is logged and left out. */
int plugin_set_open(const struct conf *conf, const char *plugin_dir, struct plugin_set **ret,
                    struct err *reterr) NODISCARD;
/* start() of each, on the loop. */
int plugin_set_start(struct plugin_set *set, struct loop *loop, struct err *reterr) NODISCARD;
/* stop() in reverse order, then fn (a later turn, at most 5 s). */
void plugin_set_stop(struct plugin_set *set, loop_fn fn, void *arg);
void plugin_set_free(struct plugin_set *set);
/* One file alone, for `execd --check-plugin`: everything up to create(), result as text for a person. */
int plugin_check_file(const char *path, struct buf *out, struct err *reterr) NODISCARD;

size_t plugin_lang_count(const struct plugin_set *set);
struct plugin_lang *plugin_lang_at(const struct plugin_set *set, size_t i);
struct plugin_lang *plugin_lang_find(const struct plugin_set *set, int32_t id); /* NULL if unknown */
int32_t plugin_lang_id(const struct plugin_lang *l);
const char *plugin_lang_name(const struct plugin_lang *l);      /* "Python" */
const char *plugin_lang_file_name(const struct plugin_lang *l); /* "main.py" */
const char *plugin_lang_plugin(const struct plugin_lang *l);    /* "python" */
const char *plugin_lang_plugin_version(const struct plugin_lang *l);
bool plugin_lang_optional(const struct plugin_lang *l);       /* of a plugin marked optional */
uint64_t plugin_lang_memory_min(const struct plugin_lang *l); /* bytes */
/* Every host path any language wants to see: NULL-terminated, lives as long as the set. */
const char *const *plugin_set_mounts(const struct plugin_set *set);

enum { PLUGIN_PHASE_BUILD = 1, PLUGIN_PHASE_RUN = 2 };
struct plugin_file {
    char *path;
    struct buf body;
    uint32_t mode;
    uint32_t phases; /* bits: in whose box */
};
struct plugin_step {
    bool present;
    char **argv, **env, **keep; /* NULL-terminated; keep and env may be NULL */
    uint32_t profile;           /* EXECD_PROFILE_* */
    uint32_t extra_processes;
    uint32_t warm, warm_variant; /* EXECD_WARM_*, and which of its runtimes fits */
};
struct plugin_plan {
    struct plugin_file *files;
    size_t file_count;
    struct plugin_step build, run; /* run is always present */
};
/* Pure.  ERR_REQUEST: the submitter must change something (text says what). */
int plugin_lang_plan(struct plugin_lang *l, const struct job *job, struct plugin_plan **ret,
                     struct err *reterr) NODISCARD;
/* ---- warm runtimes (plugin_warm.c) ---- */

/* The program that the host starts ahead of time so that it stands in for a step that says so: one run step
 * and its files.  way: EXECD_WARM_*. */
int plugin_lang_warm_plan(struct plugin_lang *l, uint32_t way, uint32_t variant, struct plugin_plan **ret,
                          struct err *reterr) NODISCARD;
const char *plugin_warm_way(uint32_t way); /* "zygote", "preboot", "service" */
/* After how many jobs and at what age the plugin wants a zygote or service replaced; 0: it does not say. */
void plugin_lang_warm_bounds(const struct plugin_lang *l, uint64_t *ret_uses_max, uint64_t *ret_age_max_ms);

/* The step that prints the version, and what to make of its output. */
int plugin_lang_probe_plan(struct plugin_lang *l, struct plugin_plan **ret, struct err *reterr) NODISCARD;
int plugin_lang_probed(struct plugin_lang *l, struct bytes output, char *version, size_t size,
                       struct err *reterr) NODISCARD;
const char *plugin_lang_version(const struct plugin_lang *l); /* "" until probed */
/* A small program and what it must print: the self-test. */
void plugin_lang_selftest(const struct plugin_lang *l, struct bytes *ret_source, struct bytes *ret_output);
void plugin_plan_freep(struct plugin_plan **plan);
/* The plugin may refine what the host derived (a JVM's OutOfMemoryError); host's verdict otherwise.  A
 * compile error may come back as the limit that explains it. */
enum job_status plugin_lang_classify(struct plugin_lang *l, uint32_t phase, const struct job_measure *m,
                                     const struct job_limits *limits, struct bytes stderr_tail,
                                     enum job_status verdict);

/* ---- the scaler (plugin_scaler.c) ---- */

struct execd_ctx;
struct execd_observation;
struct execd_advice;
struct execd_change;
/* Who is to leave first: the higher; 0 if the plugin does not say. */
int64_t plugin_scaler_rank(struct execd_ctx *scaler, const char *worker);
struct execd_ctx *
plugin_set_scaler(const struct plugin_set *set); /* NULL: none; there is never more than one */
const char *plugin_scaler_name(const struct execd_ctx *scaler);
bool plugin_scaler_wants_workers(const struct execd_ctx *scaler); /* of this machine */
/* Pure; the advice's reason is one line then, and `wanted` is set. */
int plugin_scaler_decide(struct execd_ctx *scaler, const struct execd_observation *o,
                         struct execd_advice *ret, struct err *reterr) NODISCARD;
typedef void (*plugin_scaler_fn)(void *arg, const struct err *err, uint32_t replicas);
/* Replicas as the backend has them, and a change of them.  One of these at a time (ERR_AGAIN); 0: fn comes,
 * once and from a later turn.  ERR_NOT_FOUND: this scaler cannot tell. */
int plugin_scaler_current(struct execd_ctx *scaler, plugin_scaler_fn fn, void *arg,
                          struct err *reterr) NODISCARD;
int plugin_scaler_change(struct execd_ctx *scaler, const struct execd_change *change, plugin_scaler_fn fn,
                         void *arg, struct err *reterr) NODISCARD;
void plugin_scaler_forget(struct execd_ctx *scaler); /* fn of what is under way does not come any more */
bool plugin_scaler_owns(struct execd_ctx *scaler,
                        const char *worker);         /* is the worker one of its replicas? */
void plugin_scaler_retire(struct execd_ctx *scaler); /* another execd decides from now on */
/* What the host's worker_*() do; NULL (the default): they are refused.  `ended` once, from a later turn. */
struct plugin_workers {
    int (*start)(void *arg, uint32_t number, loop_fn ended, void *ended_arg, struct err *reterr);
    void (*end)(void *arg, uint32_t number);
    int64_t (*pid)(void *arg, uint32_t number);
};
void plugin_set_workers(struct plugin_set *set, const struct plugin_workers *workers, void *arg);

#endif
