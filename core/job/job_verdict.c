/* job_verdict.c - from measurements to a verdict; what a program prints is never believed. */
#include "job.h"

static enum job_status hit_verdict(enum job_limit_hit hit)
{
    switch (hit) {
    case JOB_HIT_CPU:
    case JOB_HIT_WALL:
        return JOB_TIME_LIMIT_EXCEEDED;
    case JOB_HIT_MEMORY:
        return JOB_MEMORY_LIMIT_EXCEEDED;
    case JOB_HIT_OUTPUT:
        return JOB_OUTPUT_LIMIT_EXCEEDED;
    default:
        return JOB_COMPLETED;
    }
}

enum job_status job_verdict(const struct job_measure *m, const struct job_test *test,
                            const struct job_output *out)
{
    enum job_status s;

    if (!m->ran)
        return JOB_INTERNAL_ERROR;
    if (m->oom)
        return JOB_MEMORY_LIMIT_EXCEEDED;
    if ((s = hit_verdict(m->hit)) != JOB_COMPLETED)
        return s;
    if (out->truncated)
        return JOB_OUTPUT_LIMIT_EXCEEDED;
    /* No signal says that a limit was met: a program may raise each, SIGXCPU, SIGXFSZ and SIGKILL too.  Nor
     * does a peak at the limit of memory: files that were only read get it there, and are given back. */
    if (m->signal != 0 || m->exit_code != 0)
        return JOB_RUNTIME_ERROR;
    if (test->has_expected && !job_output_matches((struct bytes){test->expected.data, test->expected.len},
                                                  (struct bytes){out->bytes.data, out->bytes.len}))
        return JOB_WRONG_ANSWER;
    return JOB_COMPLETED;
}

enum job_status job_compile_verdict(const struct job_measure *m, bool output_cut)
{
    if (!m->ran)
        return JOB_INTERNAL_ERROR;
    if (m->oom || m->hit == JOB_HIT_CPU || m->hit == JOB_HIT_WALL || m->hit == JOB_HIT_MEMORY)
        return JOB_COMPILE_ERROR;
    if (m->hit == JOB_HIT_OUTPUT || output_cut) /* killed by us: there is no result to run */
        return JOB_COMPILE_ERROR;
    return m->signal == 0 && m->exit_code == 0 ? JOB_COMPLETED : JOB_COMPILE_ERROR;
}

enum job_status job_result_fold(const struct job_result *r)
{
    for (size_t i = 0; i < r->test_count; i++)
        if (r->tests[i].status != JOB_COMPLETED)
            return r->tests[i].status;
    return r->test_count > 0 ? JOB_COMPLETED : JOB_INTERNAL_ERROR;
}

/* ---- comparison ------------------------------------------------------------- */

static bool blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v';
}

/* Without the blanks and line ends at the very end. */
static struct bytes trimmed(struct bytes b)
{
    while (b.len > 0 && (blank(b.ptr[b.len - 1]) || b.ptr[b.len - 1] == '\n'))
        b.len--;
    return b;
}

/* Takes one line off `rest`, without its line end and the blanks before it. */
static struct bytes line_take(struct bytes *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    struct bytes line = {rest->ptr, end == NULL ? rest->len : (size_t)(end - rest->ptr)};
    size_t used = MIN(line.len + 1, rest->len);

    rest->ptr += used;
    rest->len -= used;
    while (line.len > 0 && blank(line.ptr[line.len - 1]))
        line.len--;
    return line;
}

bool job_output_matches(struct bytes expected, struct bytes actual)
{
    struct bytes e = trimmed(expected), a = trimmed(actual);

    while (e.len > 0 && a.len > 0) {
        struct bytes x = line_take(&e), y = line_take(&a);

        if (x.len != y.len || (x.len > 0 && memcmp(x.ptr, y.ptr, x.len) != 0))
            return false;
    }
    return e.len == a.len; /* both used up */
}
