/* job.c - jobs, results and their names. */
#include "job.h"

static const char *const status_names[JOB_STATUS_COUNT] = {
    [JOB_QUEUED] = "queued",
    [JOB_RUNNING] = "running",
    [JOB_COMPLETED] = "completed",
    [JOB_COMPILE_ERROR] = "compile_error",
    [JOB_RUNTIME_ERROR] = "runtime_error",
    [JOB_TIME_LIMIT_EXCEEDED] = "time_limit_exceeded",
    [JOB_MEMORY_LIMIT_EXCEEDED] = "memory_limit_exceeded",
    [JOB_OUTPUT_LIMIT_EXCEEDED] = "output_limit_exceeded",
    [JOB_WRONG_ANSWER] = "wrong_answer",
    [JOB_CANCELLED] = "cancelled",
    [JOB_INTERNAL_ERROR] = "internal_error",
};
static const char *const priority_names[JOB_PRIORITY_COUNT] = {"high", "normal", "low"};

const char *job_status_name(enum job_status s)
{
    return (unsigned)s < JOB_STATUS_COUNT ? status_names[s] : "unknown";
}

static int find(const char *const *names, int count, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -EINVAL;
}

int job_status_parse(const char *name, enum job_status *ret)
{
    int i = find(status_names, JOB_STATUS_COUNT, name);

    if (i < 0)
        return i;
    *ret = (enum job_status)i;
    return 0;
}

bool job_status_terminal(enum job_status s)
{
    return s > JOB_RUNNING && s < JOB_STATUS_COUNT;
}

bool job_status_may(enum job_status from, enum job_status to)
{
    switch (from) {
    case JOB_QUEUED:
        return to == JOB_RUNNING || to == JOB_CANCELLED || to == JOB_INTERNAL_ERROR;
    case JOB_RUNNING:
        return to == JOB_QUEUED || job_status_terminal(to);
    default:
        return false;
    }
}

const char *job_priority_name(enum job_priority p)
{
    return (unsigned)p < JOB_PRIORITY_COUNT ? priority_names[p] : "unknown";
}

int job_priority_parse(const char *name, enum job_priority *ret)
{
    int i = find(priority_names, JOB_PRIORITY_COUNT, name);

    if (i < 0)
        return i;
    *ret = (enum job_priority)i;
    return 0;
}

const char *job_limit_hit_name(enum job_limit_hit h)
{
    static const char *const names[] = {"", "cpu_time", "wall_time", "memory", "output"};

    return (unsigned)h < COUNT_OF(names) ? names[h] : "";
}

const char *job_cache_name(enum job_cache c)
{
    static const char *const names[] = {"", "hit", "miss"};

    return (unsigned)c < COUNT_OF(names) ? names[c] : "";
}

/* ---- jobs ------------------------------------------------------------------- */

struct job *job_new(void)
{
    struct job *job = NEW(struct job);

    job->args = mem_zero(1, sizeof(char *));
    job->priority = JOB_PRIORITY_NORMAL;
    return job;
}

struct job *job_free(struct job *job)
{
    if (job == NULL)
        return NULL;
    buf_done(&job->source);
    for (size_t i = 0; i < job->arg_count; i++)
        free(job->args[i]);
    free(job->args);
    for (size_t i = 0; i < job->test_count; i++) {
        buf_done(&job->tests[i].stdin_data);
        buf_done(&job->tests[i].expected);
    }
    free(job->tests);
    free(job->problem_id);
    free(job->callback_url);
    free(job->tenant);
    free(job);
    return NULL;
}

void job_freep(struct job **job)
{
    *job = job_free(*job);
}

int job_tests_add(struct job *job, struct bytes stdin_data, const struct bytes *expected)
{
    struct job_test test = {0};
    struct job_test *grown;
    int rc = buf_add(&test.stdin_data, stdin_data.ptr, stdin_data.len);

    if (rc == 0 && expected != NULL) {
        test.has_expected = true;
        rc = buf_add(&test.expected, expected->ptr, expected->len);
    }
    grown = rc == 0 ? reallocarray(job->tests, job->test_count + 1, sizeof(*grown)) : NULL;
    if (grown == NULL) {
        buf_done(&test.stdin_data);
        buf_done(&test.expected);
        return rc != 0 ? rc : -ENOMEM;
    }
    job->tests = grown;
    job->tests[job->test_count++] = test;
    return 0;
}

int job_args_add(struct job *job, struct bytes arg)
{
    char **grown = reallocarray(job->args, job->arg_count + 2, sizeof(*grown));
    char *copy;

    if (grown == NULL)
        return -ENOMEM;
    job->args = grown;
    copy = malloc(arg.len + 1);
    if (copy == NULL)
        return -ENOMEM;
    if (arg.len > 0)
        memcpy(copy, arg.ptr, arg.len);
    copy[arg.len] = '\0';
    job->args[job->arg_count++] = copy;
    job->args[job->arg_count] = NULL;
    return 0;
}

/* ---- results ---------------------------------------------------------------- */

void job_result_done(struct job_result *r)
{
    buf_done(&r->compile.bytes);
    for (size_t i = 0; i < r->test_count; i++) {
        buf_done(&r->tests[i].out.bytes);
        buf_done(&r->tests[i].err.bytes);
    }
    free(r->tests);
    free(r->message);
    *r = (struct job_result){0};
}

struct job_test_result *job_result_add(struct job_result *r)
{
    struct job_test_result *grown = reallocarray(r->tests, r->test_count + 1, sizeof(*grown));

    if (grown == NULL)
        abort(); /* as mem_zero(): a struct of fixed size */
    r->tests = grown;
    grown = &r->tests[r->test_count++];
    *grown = (struct job_test_result){0};
    return grown;
}
