/* wire_field.c - one submission: each field by its own rule, the first mistake named exactly. */
#include "wire_internal.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>

#define CALLBACK_MAX 2048
#define PROBLEM_ID_MAX 256

enum field {
    FIELD_ENCODING, /* the others lean on it */
    FIELD_SOURCE_CODE,
    FIELD_LANGUAGE_ID,
    FIELD_TIMEOUT,
    FIELD_CPU_TIMEOUT,
    FIELD_MEMORY_LIMIT,
    FIELD_CPU_LIMIT,
    FIELD_PRIORITY,
    FIELD_ARGS,
    FIELD_STDIN,
    FIELD_EXPECTED_OUTPUT,
    FIELD_PROBLEM_ID,
    FIELD_CALLBACK_URL,
    FIELD_COUNT
};
static const char *const field_names[FIELD_COUNT] = {
    "encoding", "source_code", "language_id", "timeout",         "cpu_timeout", "memory_limit", "cpu_limit",
    "priority", "args",        "stdin",       "expected_output", "problem_id",  "callback_url",
};

struct reader {
    const struct wire_rules *rules;
    struct wire_problem *problem;
    int item;
    const cJSON *fields[FIELD_COUNT]; /* NULL: absent, or null */
    struct job *job;
    bool base64;
    uint64_t memory_min; /* of the language */
};

/* ---- refusals ------------------------------------------------------------------- */

void wire_value_text(const struct cJSON *v, char *out, size_t size)
{
    if (cJSON_IsString(v)) {
        CLEAN_FREE char *quoted = NULL;

        if (asprintf(&quoted, "\"%.*s\"", (int)size, v->valuestring) < 0)
            quoted = NULL;
        wire_safe_copy(out, size, bytes_of(quoted));
    } else if (cJSON_IsNumber(v)) {
        bool whole = fabs(v->valuedouble) < 1e18 && v->valuedouble == floor(v->valuedouble);

        if (isfinite(v->valuedouble))
            snprintf(out, size, whole ? "%.0f" : "%.15g", v->valuedouble);
        else
            snprintf(out, size, "a number %s", v->valuedouble > 0 ? "above 1e308" : "below -1e308");
    } else {
        snprintf(out, size, "%s",
                 cJSON_IsNull(v)     ? "null"
                 : cJSON_IsTrue(v)   ? "true"
                 : cJSON_IsFalse(v)  ? "false"
                 : cJSON_IsArray(v)  ? "[...]"
                 : cJSON_IsObject(v) ? "{...}"
                                     : "");
    }
}

/* The common end of all refusals: "submissions[1].timeout: 0 is out of range; allowed: 50..60000 ms". */
static int refuse(struct reader *r, const char *type, const char *field, const char *value, const char *bound,
                  const char *rule)
{
    char where[32] = "";

    if (r->item >= 0)
        snprintf(where, sizeof(where), "submissions[%d]%s", r->item, field[0] != '\0' ? "." : "");
    wire_problem_set(r->problem, 422, type, "%s%s%s%s %s%s%s", where, field, value[0] != '\0' ? ": " : "",
                     value, rule, bound[0] != '\0' ? "; allowed: " : "", bound);
    r->problem->item = r->item;
    wire_safe_copy(r->problem->field, sizeof(r->problem->field), bytes_of(field));
    wire_safe_copy(r->problem->value, sizeof(r->problem->value), bytes_of(value));
    wire_safe_copy(r->problem->bound, sizeof(r->problem->bound), bytes_of(bound));
    return -1;
}

static int refuse_value(struct reader *r, const char *type, enum field f, const char *bound, const char *rule)
{
    char value[96];

    wire_value_text(r->fields[f], value, sizeof(value));
    return refuse(r, type, field_names[f], value, bound, rule);
}

static int refuse_type(struct reader *r, enum field f, const char *wanted)
{
    return refuse_value(r, "wrong-type", f, wanted, "has the wrong type");
}

static int refuse_range(struct reader *r, enum field f, uint64_t min, uint64_t max, const char *unit)
{
    char bound[96];

    snprintf(bound, sizeof(bound), "%" PRIu64 "..%" PRIu64 "%s", min, max, unit);
    return refuse_value(r, "out-of-range", f, bound, "is out of range");
}

/* The text itself may be large or private: its size stands for it. */
static int refuse_size(struct reader *r, const char *field, size_t size, size_t max)
{
    char value[48], bound[64];

    snprintf(value, sizeof(value), "%zu bytes", size);
    snprintf(bound, sizeof(bound), "0..%zu bytes", max);
    return refuse(r, "too-large", field, value, bound, "are too many");
}

static int refuse_memory(struct reader *r)
{
    wire_problem_set(r->problem, 503, "unavailable",
                     "not enough memory to read this request; try again later");
    return -1;
}

/* ---- kinds of values ---------------------------------------------------------------- */

/* A whole number in [min, max]; `value` must be there. */
static int whole_read(struct reader *r, enum field f, uint64_t min, uint64_t max, const char *unit,
                      uint64_t *ret)
{
    const cJSON *v = r->fields[f];
    double d = cJSON_IsNumber(v) ? v->valuedouble : 0;

    if (!cJSON_IsNumber(v) || (isfinite(d) && d != floor(d)))
        return refuse_type(r, f, "a whole number");
    if (!(d >= (double)min && d <= (double)max && d <= 9007199254740991.0)) /* above, doubles skip numbers */
        return refuse_range(r, f, min, max, unit);
    *ret = (uint64_t)d;
    return 0;
}

static int string_read(struct reader *r, enum field f, size_t max, struct bytes *ret)
{
    const cJSON *v = r->fields[f];

    if (!cJSON_IsString(v))
        return refuse_type(r, f, "a string");
    *ret = bytes_of(v->valuestring);
    return ret->len > max ? refuse_size(r, field_names[f], ret->len, max) : 0;
}

/* source_code, stdin, expected_output: text, or bytes in base64. */
static int content_read(struct reader *r, enum field f, size_t max, struct buf *out)
{
    const cJSON *v = r->fields[f];
    struct bytes text;
    int rc;

    if (!r->base64) {
        if (string_read(r, f, max, &text) != 0)
            return -1;
        return buf_add(out, text.ptr, text.len) == 0 ? 0 : refuse_memory(r);
    }
    if (!cJSON_IsString(v))
        return refuse_type(r, f, "a string");
    text = bytes_of(v->valuestring);
    if (text.len / 4 * 3 > max + 2)
        return refuse_size(r, field_names[f], text.len / 4 * 3, max);
    rc = base64_decode(out, text.ptr, text.len);
    if (rc == -EINVAL)
        return refuse_value(r, "invalid-base64", f, "RFC 4648 section 4, padded, no line breaks",
                            "is not base64");
    if (rc != 0)
        return refuse_memory(r);
    return out->len > max ? refuse_size(r, field_names[f], out->len, max) : 0;
}

/* ---- fields ---------------------------------------------------------------------------- */

static int encoding_read(struct reader *r)
{
    const cJSON *v = r->fields[FIELD_ENCODING];

    if (v == NULL)
        return 0;
    if (!cJSON_IsString(v))
        return refuse_type(r, FIELD_ENCODING, "\"utf-8\" or \"base64\"");
    r->base64 = strcmp(v->valuestring, "base64") == 0;
    if (!r->base64 && strcmp(v->valuestring, "utf-8") != 0)
        return refuse_value(r, "out-of-range", FIELD_ENCODING, "\"utf-8\" or \"base64\"",
                            "is no such encoding");
    return 0;
}

static int source_read(struct reader *r)
{
    if (r->fields[FIELD_SOURCE_CODE] == NULL)
        return refuse(r, "missing-field", "source_code", "", "", "is required");
    return content_read(r, FIELD_SOURCE_CODE, r->rules->source_max, &r->job->source);
}

static int language_read(struct reader *r)
{
    uint64_t id;
    bool known = false;

    if (r->fields[FIELD_LANGUAGE_ID] == NULL)
        return refuse(r, "missing-field", "language_id", "", "", "is required");
    if (whole_read(r, FIELD_LANGUAGE_ID, 1, INT32_MAX, "", &id) != 0)
        return -1;
    r->memory_min = r->rules->language_memory_min(r->rules->language_arg, (int32_t)id, &known);
    if (!known)
        return refuse_value(r, "unknown-language", FIELD_LANGUAGE_ID, "an id that GET /languages lists",
                            "is no language here");
    r->job->language_id = (int32_t)id;
    return 0;
}

static int timeout_read(struct reader *r)
{
    uint64_t ms;

    if (r->fields[FIELD_TIMEOUT] == NULL)
        return 0;
    if (whole_read(r, FIELD_TIMEOUT, r->rules->min.wall_ms, r->rules->max.wall_ms, " ms", &ms) != 0)
        return -1;
    r->job->limits.wall_ms = ms;
    return 0;
}

/* Read after timeout and cpu_limit: more cpu time than they allow could never be used. */
static int cpu_timeout_read(struct reader *r)
{
    struct job_limits *l = &r->job->limits;
    uint64_t cores = MAX((l->cpu_millis + 999) / 1000, UINT64_C(1));
    uint64_t most = MIN(r->rules->max.wall_ms, l->wall_ms * cores);

    if (r->fields[FIELD_CPU_TIMEOUT] != NULL)
        return whole_read(r, FIELD_CPU_TIMEOUT, r->rules->min.wall_ms, most,
                          " ms (timeout, times the cores of cpu_limit)", &l->cpu_ms);
    l->cpu_ms = r->rules->cpu_follows_wall ? l->wall_ms : MIN(r->rules->defaults.cpu_ms, most);
    return 0;
}

#define MIB (UINT64_C(1) << 20)

static int memory_read(struct reader *r)
{
    bool raised = r->memory_min > r->rules->min.memory_bytes;
    uint64_t least = raised ? r->memory_min : r->rules->min.memory_bytes;
    uint64_t min = (least + MIB - 1) / MIB, max = MAX(r->rules->max.memory_bytes / MIB, min), mb;

    if (r->fields[FIELD_MEMORY_LIMIT] == NULL) {
        r->job->limits.memory_bytes = MAX(r->rules->defaults.memory_bytes, r->memory_min);
        return 0;
    }
    if (whole_read(r, FIELD_MEMORY_LIMIT, min, max, raised ? " MB for this language" : " MB", &mb) != 0)
        return -1;
    r->job->limits.memory_bytes = mb * MIB;
    return 0;
}

/* A number of cores has the same meaning as the string of it. */
static int cpu_parse(const cJSON *v, uint64_t *ret)
{
    double millis;

    if (cJSON_IsString(v))
        return num_cpu_millis(v->valuestring, ret);
    millis = ceil(v->valuedouble * 1000 - 1e-6);
    if (!(millis >= 0 && millis <= 1e9))
        return -ERANGE;
    *ret = (uint64_t)millis;
    return 0;
}

static int cpu_read(struct reader *r)
{
    const cJSON *v = r->fields[FIELD_CPU_LIMIT];
    uint64_t min = r->rules->min.cpu_millis, max = r->rules->max.cpu_millis, millis = 0;
    char bound[96];
    int rc;

    if (v == NULL)
        return 0;
    snprintf(bound, sizeof(bound), "%" PRIu64 "m..%" PRIu64 "m", min, max);
    if (!cJSON_IsString(v) && !cJSON_IsNumber(v))
        return refuse_type(r, FIELD_CPU_LIMIT, "a quantity as \"200m\", \"0.5\" or 2");
    rc = cpu_parse(v, &millis);
    if (rc == -EINVAL)
        return refuse_value(r, "out-of-range", FIELD_CPU_LIMIT, bound,
                            "is no quantity as \"200m\", \"0.5\" or 2");
    if (rc != 0 || millis < min || millis > max)
        return refuse_value(r, "out-of-range", FIELD_CPU_LIMIT, bound, "is out of range");
    r->job->limits.cpu_millis = millis;
    return 0;
}

static int priority_read(struct reader *r)
{
    static const char bound[] = "\"high\", \"normal\" or \"low\"";
    const cJSON *v = r->fields[FIELD_PRIORITY];

    if (v == NULL)
        return 0;
    if (!cJSON_IsString(v))
        return refuse_type(r, FIELD_PRIORITY, bound);
    if (job_priority_parse(v->valuestring, &r->job->priority) != 0)
        return refuse_value(r, "out-of-range", FIELD_PRIORITY, bound, "is no such priority");
    return 0;
}

static int args_refuse_count(struct reader *r, size_t count)
{
    char value[32], bound[32];

    snprintf(value, sizeof(value), "%zu items", count);
    snprintf(bound, sizeof(bound), "0..%zu items", r->rules->args_max);
    return refuse(r, "too-large", "args", value, bound, "are too many");
}

static int args_read(struct reader *r)
{
    const cJSON *v = r->fields[FIELD_ARGS], *arg;
    size_t count, bytes = 0, i = 0;

    if (v == NULL)
        return 0;
    if (!cJSON_IsArray(v))
        return refuse_type(r, FIELD_ARGS, "an array of strings");
    count = (size_t)cJSON_GetArraySize(v);
    if (count > r->rules->args_max)
        return args_refuse_count(r, count);
    cJSON_ArrayForEach(arg, v)
    {
        char field[32], value[96];

        if (!cJSON_IsString(arg)) {
            snprintf(field, sizeof(field), "args[%zu]", i);
            wire_value_text(arg, value, sizeof(value));
            return refuse(r, "wrong-type", field, value, "a string", "has the wrong type");
        }
        i++;
        bytes += strlen(arg->valuestring) + 1;
        if (bytes <= r->rules->args_bytes_max && job_args_add(r->job, bytes_of(arg->valuestring)) != 0)
            return refuse_memory(r);
    }
    return bytes > r->rules->args_bytes_max ? refuse_size(r, "args", bytes, r->rules->args_bytes_max) : 0;
}

/* stdin and expected_output make the one test. */
static int test_read(struct reader *r)
{
    CLEAN_BUF struct buf input = {0};
    CLEAN_BUF struct buf expected = {0};
    bool has_expected = r->fields[FIELD_EXPECTED_OUTPUT] != NULL;
    struct bytes want;

    if (r->fields[FIELD_STDIN] != NULL && content_read(r, FIELD_STDIN, r->rules->stdin_max, &input) != 0)
        return -1;
    if (has_expected && content_read(r, FIELD_EXPECTED_OUTPUT, r->rules->expected_max, &expected) != 0)
        return -1;
    want = (struct bytes){expected.data, expected.len};
    if (job_tests_add(r->job, (struct bytes){input.data, input.len}, has_expected ? &want : NULL) != 0)
        return refuse_memory(r);
    return 0;
}

static int problem_id_read(struct reader *r)
{
    struct bytes text;

    if (r->fields[FIELD_PROBLEM_ID] == NULL)
        return 0;
    if (string_read(r, FIELD_PROBLEM_ID, PROBLEM_ID_MAX, &text) != 0)
        return -1;
    r->job->problem_id = mem_dup(text.ptr);
    return 0;
}

static int callback_read(struct reader *r)
{
    struct err err = {0};
    struct bytes text;
    char rule[200];

    if (r->fields[FIELD_CALLBACK_URL] == NULL)
        return 0;
    if (!r->rules->callbacks_allowed)
        return refuse_value(r, "not-allowed", FIELD_CALLBACK_URL, "",
                            "asks for a webhook, and this server's configuration switches webhooks off");
    if (string_read(r, FIELD_CALLBACK_URL, CALLBACK_MAX, &text) != 0)
        return -1;
    if (r->rules->url_check(text.ptr, &err) != 0) {
        snprintf(rule, sizeof(rule), "is refused: %.180s", err.text);
        return refuse_value(r, "invalid-url", FIELD_CALLBACK_URL, "an absolute http or https URL", rule);
    }
    r->job->callback_url = mem_dup(text.ptr);
    return 0;
}

/* ---- the whole ----------------------------------------------------------------------------- */

static int fields_find(struct reader *r, const cJSON *node)
{
    const cJSON *member;

    cJSON_ArrayForEach(member, node)
    {
        size_t f = 0;

        while (f < FIELD_COUNT && strcmp(field_names[f], member->string) != 0)
            f++;
        if (f == FIELD_COUNT) {
            char name[64], value[96];

            wire_safe_copy(name, sizeof(name), bytes_of(member->string));
            wire_value_text(member, value, sizeof(value));
            return refuse(r, "unknown-field", name[0] != '\0' ? name : "\"\"", value, "",
                          "is no field of a submission");
        }
        r->fields[f] = cJSON_IsNull(member) ? NULL : member;
    }
    return 0;
}

int wire_item_read(const struct cJSON *node, int item, const struct wire_rules *rules, struct job **ret,
                   struct wire_problem *problem)
{
    static int (*const readers[])(struct reader * r) = {
        encoding_read,    source_read,   language_read, timeout_read, memory_read,     cpu_read,
        cpu_timeout_read, priority_read, args_read,     test_read,    problem_id_read, callback_read,
    };
    CLEAN(job_freep) struct job *job = job_new();
    struct reader r = {.rules = rules, .problem = problem, .item = item, .job = job};

    if (!cJSON_IsObject(node)) {
        char value[96];

        wire_value_text(node, value, sizeof(value));
        return refuse(&r, "wrong-type", item < 0 ? "body" : "", value, "an object", "has the wrong type");
    }
    job->limits = rules->defaults;
    if (fields_find(&r, node) != 0)
        return -1;
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (readers[i](&r) != 0)
            return -1;
    uuid_new(job->token);
    job->created_ms = clock_wall_ms();
    job->tenant = mem_dup("");
    *ret = steal(&job);
    return 0;
}
