/* run_step.h - one step under way: what run_step.c and run_warm.c share. */
#ifndef EXECD_RUN_STEP_H
#define EXECD_RUN_STEP_H

#include "run_internal.h"

struct run_stream {
    struct run_step *step;
    int fd; /* our end, non-blocking; -1 once closed */
    struct loop_io *io;
    struct job_output out;
    uint64_t cap;
    struct run_ends ends; /* instead of `out` until the end, where the step compiles */
};

struct run_step {
    struct run_job_context ctx;
    struct run_step_spec spec;
    int bundles[JAIL_BUNDLES_MAX]; /* of the spec */
    int build_bundle;              /* its own: a build step's files; -1 */
    struct run_stream streams[2];
    struct jail_run *run;    /* a cell of its own; NULL once answered */
    struct warm_ask *ask;    /* it waits for a warm runtime */
    struct warm_runtime *rt; /* it is in one */
    bool over;               /* a cap was passed */
    bool by_service;         /* a compile service has answered */
    bool killed;             /* whatever becomes of it: no second try */
    enum job_limit_hit killed_for;
    struct err err; /* of a cold step that could not be started */
    run_step_fn done;
    void *arg;
};

/* Reads our end of a pipe into the stream from now on. */
void run_stream_open(struct run_stream *s, int fd);
/* More of a compiler's output; false: that is more than is read of it. */
bool run_stream_take_ends(struct run_stream *s, const char *bytes, size_t len);
/* The step is over: the rest of its streams, and done(); frees it. */
void run_step_finish(struct run_step *step, const struct jail_outcome *outcome, const struct err *err);
/* Runs it in a cell of its own, or as a fork of `zygote`. */
int run_step_launch(struct run_step *step, struct jail_run *zygote, struct err *reterr) NODISCARD;

/* run_warm.c: whether a warm runtime has it, or will have it or let it run cold. */
bool run_warm_start(struct run_step *step);
/* Its cell, a zygote's fork, did not come to an answer: true if it runs cold now. */
bool run_warm_zygote_end(struct run_step *step, const struct err *err);
void run_warm_kill(struct run_step *step, enum job_limit_hit why);

#endif
