/* run_internal.h - what the files of run/ share. */
#ifndef EXECD_RUN_INTERNAL_H
#define EXECD_RUN_INTERNAL_H

#include "run.h"
#include "warm/warm.h"

#include "cache/cache.h"

/* ---- run_ends.c: the beginning and the end of an output ------------------------- */

struct run_ends { /* zeroed but for cap, at least 2 */
    size_t cap;
    uint64_t seen;         /* bytes that were added */
    struct buf head, ring; /* the first half of the cap, and the last bytes of what followed */
    size_t oldest;         /* where in the ring the oldest byte is, once it is full */
};
int run_ends_add(struct run_ends *e, const char *bytes, size_t len) NODISCARD; /* buf errors */
bool run_ends_cut(const struct run_ends *e);                                   /* more than cap came */
/* All of it, or both ends with a line between them; e is empty then. */
int run_ends_take(struct run_ends *e, struct buf *ret) NODISCARD;
void run_ends_done(struct run_ends *e);

/* ---- run_step.c: one cell ------------------------------------------------------ */

struct run_job_context {
    struct loop *loop;
    struct jail *jail;
    const struct conf *conf;
    struct run_cache *cache;       /* NULL: none */
    struct warm *warm;             /* NULL: every step is a cold one */
    const struct warm_pool *proof; /* the self-test of this pool; NULL for all other jobs */
    bool *proved;                  /* set when a step of it has gone through that pool */
};

struct run_step;
struct run_step_spec { /* what it points to stays until done, but for the spec itself and its list of bundles
                        */
    struct plugin_lang *lang;
    const struct plugin_plan *plan;
    const struct plugin_step *step; /* of the plan */
    const struct job_limits *limits;
    const int *bundles; /* beside a build step's own files */
    unsigned bundle_count;
    struct bytes stdin_data;
    bool compile; /* stdout and stderr into one pipe, as they come; too much of it is cut in its middle */
    uint64_t keep_bytes;
};
struct run_step_result {
    struct job_measure measure;
    struct job_output out, err; /* the callback may steal the buffers */
    int kept_fd;                /* the callback's; -1 if none */
    bool by_service;            /* a compile service has it from many jobs, so it is this one's alone */
};
/* err: as of jail_done_fn. */
typedef void (*run_step_fn)(void *arg, struct run_step_result *result, const struct err *err);
int run_step_start(const struct run_job_context *ctx, const struct run_step_spec *spec, run_step_fn done,
                   void *arg, struct run_step **ret, struct err *reterr) NODISCARD;
/* done() still comes. */
void run_step_kill(struct run_step *step, enum job_limit_hit why);

/* ---- run_cache.c: what was compiled before ------------------------------------------ */

struct run_cache_key {
    unsigned char bytes[CACHE_KEY_SIZE];
};
/* False: this is compiled, and not kept.  rc may be NULL. */
bool run_cache_key(struct run_cache *rc, struct run_cache_key *key, struct plugin_lang *lang,
                   const struct plugin_plan *plan, const struct conf *conf, const char *tenant);
/* The bundle that the compile step would leave behind, the caller's, with its output and measure in `result`;
 * -1: there is none. */
int run_cache_get(struct run_cache *rc, const struct run_cache_key *key, struct job_result *result);
/* fn whenever files that cells show are found to have changed, at the same time as the keys change; NULL: no
 * more.  rc may be NULL. */
void run_cache_on_changed(struct run_cache *rc, loop_fn fn, void *arg);
/* Of a compile step that went well. */
void run_cache_put(struct run_cache *rc, const struct run_cache_key *key, const struct job_result *result,
                   int kept_fd);

/* ---- run_why.c: what to tell of a failed compile step ------------------------------ */

/* One line, the caller's; NULL where the compiler's own words say all. */
char *run_why(const struct job_measure *m, const struct job_limits *limits, struct bytes output);

/* ---- run_job.c: one job --------------------------------------------------------- */

struct run_job;
/* result: the callback may take it whole (it is zeroed after).  err: our fault, ERR_AGAIN where the jailer
 * was lost. */
typedef void (*run_job_fn)(void *arg, struct job_result *result, const struct err *err);
/* `job` stays the caller's until done(), which comes once and from a later turn. */
struct run_job *run_job_start(const struct run_job_context *ctx, struct plugin_lang *lang,
                              const struct job *job, run_job_fn done, void *arg);
/* Kills what runs; done() still comes, with status JOB_CANCELLED. */
void run_job_cancel(struct run_job *rj);
/* The step that prints a language's version: done's result has it as stdout of one test. */
struct run_job *run_job_probe(const struct run_job_context *ctx, struct plugin_lang *lang, run_job_fn done,
                              void *arg);

/* ---- run_check.c: probe and self-test of every language --------------------------- */

struct run_check;
/* served[i] tells which languages work.  Owns itself until done, which comes once. */
typedef void (*run_check_fn)(void *arg, const struct err *err);
struct run_check *run_check_start(const struct run_job_context *ctx, struct plugin_set *plugins,
                                  unsigned parallel, run_check_fn done, void *arg);
bool run_check_serves(const struct run_check *c, int32_t language_id);
/* The self-test of a language, as a job; the caller's. */
struct job *run_check_job(const struct plugin_lang *lang, const struct job_limits *limits,
                          struct err *reterr);
/* What it was found to print, cold; NULL where it was not run. */
struct run_said {
    struct buf out, err;
};
const struct run_said *run_check_said(const struct run_check *c, int32_t language_id);
void run_check_free(struct run_check *c);

/* ---- run_prove.c: the self-test through warm runtimes ----------------------------------- */

struct run_prove;
struct run_prove *run_prove_new(const struct run_job_context *ctx, const struct run_check *check);
/* Asks for the runtimes of every language that works, and has each go through its self-test. */
void run_prove_start(struct run_prove *p, struct warm *warm, struct plugin_set *plugins);
void run_prove_pool(void *prove, struct warm_pool *pool, struct plugin_lang *lang,
                    const struct job_limits *limits); /* warm_options.prove */
/* Kills the self-tests that run; fn once, when none does. */
void run_prove_stop(struct run_prove *p, loop_fn fn, void *arg);
void run_prove_free(struct run_prove *p);

#endif
