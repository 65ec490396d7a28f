/* run_internal.h - what the files of run/ share. */
#ifndef EXECD_RUN_INTERNAL_H
#define EXECD_RUN_INTERNAL_H

#include "run.h"

/* ---- run_step.c: one cell ------------------------------------------------------ */

struct run_step;
struct run_step_spec {
    const struct plugin_step *step;
    const struct job_limits *limits;
    const int *bundles; /* stay the caller's until done */
    unsigned bundle_count;
    struct bytes stdin_data;
    bool merge; /* stdout and stderr into one pipe, as they come */
    uint64_t keep_bytes;
};
struct run_step_result {
    struct job_measure measure;
    struct job_output out, err; /* the callback may steal the buffers */
    int kept_fd;                /* the callback's; -1 if none */
};
/* err: as of jail_done_fn. */
typedef void (*run_step_fn)(void *arg, struct run_step_result *result, const struct err *err);
int run_step_start(struct loop *loop, struct jail *jail, const struct run_step_spec *spec, run_step_fn done,
                   void *arg, struct run_step **ret, struct err *reterr) NODISCARD;
/* done() still comes. */
void run_step_kill(struct run_step *step, enum job_limit_hit why);

/* ---- run_job.c: one job --------------------------------------------------------- */

struct run_job;
struct run_job_context {
    struct loop *loop;
    struct jail *jail;
    const struct conf *conf;
};
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
void run_check_free(struct run_check *c);

#endif
