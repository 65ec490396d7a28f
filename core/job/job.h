/* job.h - what a job is, what its limits, measurements and verdicts are.  Pure: no I/O.
 *
 * Theory of operation.  A job is one submission: a source, at most one compile
 * step and one or more tests, each of which runs in a fresh cell.  A job is
 * `queued`, then `running`, then in exactly one terminal state.  Verdicts come
 * from measurements (exit status, cgroup counters, byte counts), never from what
 * a program prints.  Every struct here owns what its pointers point to and is
 * emptied by its *_done function; job_done() and friends accept zeroed structs. */
#ifndef EXECD_JOB_H
#define EXECD_JOB_H

#include "base/base.h"
#include "job_limits.h"

enum job_status {
    JOB_QUEUED,
    JOB_RUNNING,
    /* terminal from here on */
    JOB_COMPLETED, /* exit code 0, and the expected output if one was given */
    JOB_COMPILE_ERROR,
    JOB_RUNTIME_ERROR, /* exit code other than 0, or died by a signal */
    JOB_TIME_LIMIT_EXCEEDED,
    JOB_MEMORY_LIMIT_EXCEEDED,
    JOB_OUTPUT_LIMIT_EXCEEDED,
    JOB_WRONG_ANSWER,
    JOB_CANCELLED,
    JOB_INTERNAL_ERROR, /* our fault, never the program's */
    JOB_STATUS_COUNT
};
const char *job_status_name(enum job_status s);               /* "time_limit_exceeded" */
int job_status_parse(const char *name, enum job_status *ret); /* 0 or -EINVAL */
bool job_status_terminal(enum job_status s);
/* Is from -> to a legal change?  running -> queued is a hand-back. */
bool job_status_may(enum job_status from, enum job_status to);

enum job_priority { JOB_PRIORITY_HIGH, JOB_PRIORITY_NORMAL, JOB_PRIORITY_LOW, JOB_PRIORITY_COUNT };
const char *job_priority_name(enum job_priority p); /* "high" "normal" "low" */
int job_priority_parse(const char *name, enum job_priority *ret);

const char *
job_limit_hit_name(enum job_limit_hit h); /* "cpu_time" "wall_time" "memory" "output"; "" for none */

struct job_test {
    struct buf stdin_data;
    struct buf expected; /* meaningful if has_expected */
    bool has_expected;
};

struct job {
    char token[UUID_SIZE];
    int32_t language_id;
    struct buf source;
    char **args; /* of the run step; NULL-terminated */
    size_t arg_count;
    struct job_test *tests; /* at least one */
    size_t test_count;
    struct job_limits limits;
    char *problem_id;   /* NULL if none */
    char *callback_url; /* NULL if none */
    char *tenant;       /* API key's name; "" without keys */
    enum job_priority priority;
    uint64_t created_ms; /* Unix time */
};
struct job *job_new(void);
struct job *job_free(struct job *job); /* returns NULL */
void job_freep(struct job **job);
int job_tests_add(struct job *job, struct bytes stdin_data, const struct bytes *expected);
int job_args_add(struct job *job, struct bytes arg);

struct job_output {
    struct buf bytes;
    bool truncated;
};

struct job_test_result {
    enum job_status status;
    struct job_output out, err;
    struct job_measure measure;
};

/* Where its compiled output came from */
enum job_cache { JOB_CACHE_NONE, JOB_CACHE_HIT, JOB_CACHE_MISS, JOB_CACHE_COUNT };
const char *job_cache_name(enum job_cache c); /* "hit" "miss"; "" for none */

struct job_result {
    enum job_status status;    /* of the whole: the first test that did not complete */
    struct job_output compile; /* stdout and stderr of the compile step, as they came */
    struct job_measure compile_measure;
    enum job_cache compile_cache;  /* counted when the result is recorded, and not kept with it */
    struct job_test_result *tests; /* as many as were run */
    size_t test_count;
    char *message; /* why, for internal_error and the like; may be NULL */
    uint64_t started_ms, finished_ms;
    uint32_t attempt;
};
void job_result_done(struct job_result *r);
struct job_test_result *job_result_add(struct job_result *r); /* a new zeroed test result */

/* Verdict of one run from its measurement; order of rules: oom, killed-for limit, output cut, signal or
 * exit code, expected output. */
enum job_status job_verdict(const struct job_measure *m, const struct job_test *test,
                            const struct job_output *out);
/* Equal but for blanks at line ends and blank lines at the end. */
bool job_output_matches(struct bytes expected, struct bytes actual);
/* "compile limit" verdicts all fold to compile_error; returns JOB_COMPLETED if it went well. */
enum job_status job_compile_verdict(const struct job_measure *m, bool output_cut);
enum job_status job_result_fold(const struct job_result *r); /* of all tests */

#endif
