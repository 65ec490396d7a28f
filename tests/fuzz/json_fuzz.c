/* json_fuzz.c - a request's body: the checker against a second reader and cJSON, the submissions in it, round
 * trips. */
#include <cjson/cJSON.h>

#include "fuzz.h"
#include "json_second.h"
#include "wire_internal.h"

#define VALUES_MAX 2000

/* What a client's 4xx says must itself be JSON, and must say it in one line. */
static void problem_hold(const struct wire_problem *p)
{
    CLEAN_BUF struct buf json = {0};
    CLEAN_BUF struct buf line = {0};

    FUZZ_CHECK((p->status >= 400 && p->status < 500) || p->status == 503);
    FUZZ_CHECK(wire_problem_json(p, &json) == 0);
    FUZZ_CHECK(json_second(json.data, json.len) == JSON_GOOD);
    FUZZ_CHECK(wire_problem_text((struct bytes){json.data, json.len}, &line) == 0);
    FUZZ_CHECK(line.len > 0 && memchr(line.data, '\n', line.len) == NULL);
}

/* ---- the checker ---------------------------------------------------------------------- */

/* cJSON takes more than the grammar, and must take all of it. */
static void cjson_holds(const char *text, size_t len)
{
    const char *end = NULL;
    cJSON *tree = cJSON_ParseWithLengthOpts(text, len, &end, false);

    FUZZ_CHECK(tree != NULL);
    while (end < text + len && strchr(" \t\r\n", *end) != NULL && *end != '\0')
        end++;
    FUZZ_CHECK(end == text + len);
    cJSON_Delete(tree);
}

/* Every string decodes, and is the same after another trip. */
static void string_holds(struct bytes raw)
{
    CLEAN_BUF struct buf once = {0};
    CLEAN_BUF struct buf twice = {0};
    CLEAN_BUF struct buf json = {0};
    struct wire_put w;

    FUZZ_CHECK(wire_string_decode(raw, &once) == 0);
    FUZZ_CHECK(json_second_utf8(once.data, once.len));
    wire_put_begin(&w, &json);
    wire_put_string(&w, (struct bytes){once.data, once.len});
    FUZZ_CHECK(wire_put_end(&w) == 0);
    FUZZ_CHECK(wire_string_decode((struct bytes){json.data, json.len}, &twice) == 0);
    FUZZ_CHECK(once.len == twice.len && (once.len == 0 || memcmp(once.data, twice.data, once.len) == 0));
}

static void walk_holds(struct bytes value)
{
    struct bytes name = {0}, inner;
    struct wire_walk w;
    double number;

    if (wire_walk_is_string(value)) {
        string_holds(value);
    } else if (wire_walk_into(value, '{', &w)) {
        while (wire_walk_next(&w, &name, &inner)) {
            string_holds(name);
            walk_holds(inner);
        }
    } else if (wire_walk_into(value, '[', &w)) {
        while (wire_walk_next(&w, NULL, &inner))
            walk_holds(inner);
    } else {
        (void)wire_number_read(value, &number);
    }
}

static struct bytes trim(const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
        len--;
    while (len > 0 && strchr(" \t\r\n", text[0]) != NULL) {
        text++;
        len--;
    }
    return (struct bytes){text, len};
}

static void check_holds(const uint8_t *data, size_t size, bool nul_allowed)
{
    const struct wire_text_rules rules = {.nul_allowed = nul_allowed, .values_max = VALUES_MAX};
    char *text = fuzz_copy(data, size);
    enum json_second second = json_second(text, size);
    struct wire_fault fault;

    if (wire_text_check((struct bytes){text, size}, &rules, &fault) == 0) {
        FUZZ_CHECK(second == JSON_GOOD);
        cjson_holds(text, size);
        walk_holds(trim(text, size));
    } else {
        FUZZ_CHECK(fault.offset <= size && fault.line >= 1 && fault.column >= 1 && fault.text != NULL);
        if (fault.kind == WIRE_FAULT_GRAMMAR || fault.kind == WIRE_FAULT_UTF8)
            FUZZ_CHECK(second != JSON_GOOD);
        if (fault.kind == WIRE_FAULT_NUL)
            FUZZ_CHECK(!nul_allowed);
    }
    free(text);
}

/* ---- submissions ------------------------------------------------------------------------ */

static uint64_t memory_min(void *arg, int32_t language_id, bool *ret_known)
{
    (void)arg;
    *ret_known = language_id >= 50 && language_id <= 71;
    return language_id == 62 ? 64u << 20 : 0;
}

static int url_check(const char *url, struct err *reterr)
{
    return strncmp(url, "http", 4) == 0 ? 0 : err_set(reterr, ERR_REQUEST, "no url");
}

static const struct wire_rules rules = {
    .batch_max = 4,
    .source_max = 512,
    .stdin_max = 512,
    .expected_max = 512,
    .args_max = 8,
    .args_bytes_max = 256,
    .defaults = {.wall_ms = 1000, .cpu_ms = 1000, .memory_bytes = 128u << 20, .cpu_millis = 500},
    .min = {.wall_ms = 50, .cpu_ms = 50, .memory_bytes = 16u << 20, .cpu_millis = 10},
    .max = {.wall_ms = 60000, .cpu_ms = 60000, .memory_bytes = 512u << 20, .cpu_millis = 4000},
    .language_memory_min = memory_min,
    .callbacks_allowed = true,
    .url_check = url_check,
};

static bool same(const struct buf *a, const struct buf *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void bounds_hold(const struct job *job)
{
    size_t args = 0;

    FUZZ_CHECK(uuid_valid(job->token) && job->test_count >= 1 && job->priority < JOB_PRIORITY_COUNT);
    FUZZ_CHECK(job->source.len <= rules.source_max && job->arg_count <= rules.args_max);
    for (size_t i = 0; i < job->arg_count; i++)
        args += strlen(job->args[i]);
    FUZZ_CHECK(args <= rules.args_bytes_max);
    for (size_t i = 0; i < job->test_count; i++)
        FUZZ_CHECK(job->tests[i].stdin_data.len <= rules.stdin_max &&
                   job->tests[i].expected.len <= rules.expected_max);
    FUZZ_CHECK(job->limits.wall_ms >= rules.min.wall_ms && job->limits.wall_ms <= rules.max.wall_ms);
    FUZZ_CHECK(job->limits.memory_bytes >= rules.min.memory_bytes &&
               job->limits.memory_bytes <= rules.max.memory_bytes);
}

/* What execctl would send for the same job is read as the same job. */
static void request_returns(const struct job *job)
{
    static const char *const none[] = {NULL};
    const struct wire_request request = {
        .language_id = job->language_id,
        .source = {job->source.data, job->source.len},
        .stdin_data = {job->tests[0].stdin_data.data, job->tests[0].stdin_data.len},
        .args = job->args != NULL ? (const char *const *)job->args : none,
        .timeout_ms = job->limits.wall_ms,
    };
    CLEAN_BUF struct buf json = {0};
    CLEAN(job_freep) struct job *again = NULL;
    struct wire_problem problem = {0};

    FUZZ_CHECK(wire_request_json(&request, &json) == 0);
    if (wire_submission_read((struct bytes){json.data, json.len}, &rules, &again, &problem) != 0) {
        fprintf(stderr, "%s: %s\n", problem.detail, json.data);
        FUZZ_CHECK(!"a request that was made from a job is refused");
        return;
    }
    FUZZ_CHECK(same(&job->source, &again->source) && job->language_id == again->language_id);
    FUZZ_CHECK(same(&job->tests[0].stdin_data, &again->tests[0].stdin_data));
    FUZZ_CHECK(job->arg_count == again->arg_count && job->limits.wall_ms == again->limits.wall_ms);
    for (size_t i = 0; i < job->arg_count; i++)
        FUZZ_CHECK(strcmp(job->args[i], again->args[i]) == 0);
}

static void shown_holds(const struct job *job)
{
    const struct wire_job view = {.job = job, .status = JOB_QUEUED};
    CLEAN_BUF struct buf json = {0};

    FUZZ_CHECK(wire_job_json(&view, &json) == 0);
    FUZZ_CHECK(json_second(json.data, json.len) == JSON_GOOD);
}

static void job_holds(const struct job *job)
{
    bounds_hold(job);
    request_returns(job);
    shown_holds(job);
}

static void batch_holds(struct bytes body)
{
    struct wire_problem problem = {0};
    struct job **jobs = NULL;
    size_t count = 0;

    if (wire_batch_read(body, &rules, &jobs, &count, &problem) != 0) {
        problem_hold(&problem);
        return;
    }
    FUZZ_CHECK(count >= 1 && count <= rules.batch_max);
    for (size_t i = 0; i < count; i++) {
        job_holds(jobs[i]);
        job_free(jobs[i]);
    }
    free(jobs);
}

static void submission_holds(struct bytes body)
{
    CLEAN(job_freep) struct job *job = NULL;
    struct wire_problem problem = {0};

    if (wire_submission_read(body, &rules, &job, &problem) != 0)
        problem_hold(&problem);
    else
        job_holds(job);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *body = fuzz_copy(data, size);

    check_holds(data, size, false);
    check_holds(data, size, true);
    check_holds(data, size / 2, false); /* cut anywhere it is still only read as far as it goes */
    check_holds(data + size / 2, size - size / 2, true);
    batch_holds((struct bytes){body, size});
    submission_holds((struct bytes){body, size});
    free(body);
    return 0;
}
