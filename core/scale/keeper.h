/* keeper.h - a small process that starts workers of this machine and tells when they end.
 *
 * Theory of operation.  A worker starts its jailer with the privileges that execd was started with; execd has
 * given those up, behind a filter under which it starts no program, before it serves anybody.  So, where a
 * scaler plugin asks for workers (EXECD_SCALER_WORKERS), a process is forked off before that.  It can do two
 * things, for whoever holds the other end of its socket: start one fixed command line with a number in it,
 * and signal what it has started. It reads fixed-size messages from execd and nothing from anybody else.
 *
 * The end of the socket ends the workers gently (SIGTERM: they finish or hand back), and then the keeper.
 * Thread: the loop's. */
#ifndef EXECD_SCALE_KEEPER_H
#define EXECD_SCALE_KEEPER_H

#include "base/base.h"
#include "loop/loop.h"

#define KEEPER_NUMBER_MAX 1024u /* EXECD_WORKERS_MAX of the plugins' contract */
#define KEEPER_IDS 1024u        /* that are one worker's, started as root */
struct keeper;

struct keeper_options {
    const char *program;     /* execd itself */
    const char *config_path; /* NULL: defaults */
    const char *state_dir;   /* each worker has a folder worker-NUMBER in it */
    const char *queue_url;   /* instead of the configured one, which is this process' own; NULL */
    uint64_t uid_base;       /* started as root: worker N has the ids from uid_base + N * KEEPER_IDS on */
};
/* Forks; still with all privileges, while signals are blocked and there is one thread. */
int keeper_spawn(const struct keeper_options *o, struct keeper **ret, struct err *reterr) NODISCARD;
/* From here on its messages are heard; `lost` (once) if it ends unasked. */
void keeper_open(struct keeper *k, struct loop *loop, loop_fn lost, void *arg);
/* `ended` comes once, from a later turn.  ERR_CONFLICT: the number is in use. */
int keeper_start(struct keeper *k, uint32_t number, loop_fn ended, void *arg, struct err *reterr) NODISCARD;
/* SIGTERM; a second one lets its jobs no more time. */
void keeper_end(struct keeper *k, uint32_t number);
int64_t keeper_pid(const struct keeper *k, uint32_t number); /* 0: not known, or not there */
/* SIGTERM to all that were not told yet, SIGKILL after patience_ms; `ended` of none comes, but fn, once all
 * are gone or, some seconds after that, given up. */
void keeper_stop(struct keeper *k, uint64_t patience_ms, loop_fn fn, void *arg);
void keeper_free(struct keeper *k); /* waits some seconds for its end; NULL is fine */

#endif
