/* wire_read.c - a body to jobs: checked as text, parsed, then read item by item; all of it or nothing. */
#include "wire_internal.h"

#include <cjson/cJSON.h>

#define FIELDS_EACH 16         /* values of a submission beside its args */
#define VALUES_LEAST 65536     /* small bodies get exact answers instead of "too many values" */
#define VALUES_MOST (1u << 22) /* what a tree may cost: about 80 bytes each */

static void cjson_freep(cJSON **node)
{
    cJSON_Delete(*node);
}

static size_t values_max(const struct wire_rules *rules, size_t items)
{
    size_t each = MIN(rules->args_max, (size_t)VALUES_MOST) + FIELDS_EACH;
    size_t all = MIN(items, (size_t)VALUES_MOST) * each;

    return MIN(MAX(all, (size_t)VALUES_LEAST), (size_t)VALUES_MOST);
}

static int body_parse(struct bytes body, const struct wire_rules *rules, size_t items, cJSON **ret,
                      struct wire_problem *problem)
{
    struct wire_text_rules text_rules = {.values_max = values_max(rules, items)};
    struct wire_fault fault;

    if (wire_text_check(body, &text_rules, &fault) != 0) {
        wire_problem_of_fault(problem, &fault);
        return -1;
    }
    *ret = cJSON_ParseWithLength(body.ptr, body.len);
    if (*ret == NULL) /* the text is good: only memory can be short */
        return wire_problem_set(problem, 503, "unavailable",
                                "not enough memory to read this request; try again later");
    return 0;
}

int wire_submission_read(struct bytes body, const struct wire_rules *rules, struct job **ret,
                         struct wire_problem *problem)
{
    CLEAN(cjson_freep) cJSON *root = NULL;

    if (body_parse(body, rules, 1, &root, problem) != 0) {
        problem->item = -1;
        return -1;
    }
    return wire_item_read(root, -1, rules, ret, problem);
}

/* ---- batches ------------------------------------------------------------------------- */

static int refuse(struct wire_problem *p, int status, const char *type, const char *field, const char *value,
                  const char *bound, const char *detail)
{
    wire_problem_set(p, status, type, "%s", detail);
    wire_safe_copy(p->field, sizeof(p->field), bytes_of(field));
    wire_safe_copy(p->value, sizeof(p->value), bytes_of(value));
    wire_safe_copy(p->bound, sizeof(p->bound), bytes_of(bound));
    return -1;
}

/* {"submissions": [...]} and nothing beside it. */
static int submissions_find(const cJSON *root, const struct wire_rules *rules, const cJSON **ret,
                            struct wire_problem *p)
{
    const cJSON *member, *list = NULL;
    char value[32], bound[32];
    size_t count;

    wire_value_text(root, value, sizeof(value));
    if (!cJSON_IsObject(root))
        return refuse(p, 422, "wrong-type", "body", value, "an object",
                      "the body must be {\"submissions\": [...]}");
    cJSON_ArrayForEach(member, root)
    {
        wire_value_text(member, value, sizeof(value));
        if (strcmp(member->string, "submissions") != 0)
            return refuse(p, 422, "unknown-field", member->string, value, "\"submissions\"",
                          "a batch has one field, \"submissions\"; this one is no part of it");
        list = member;
    }
    if (list == NULL || cJSON_IsNull(list))
        return refuse(p, 422, "missing-field", "submissions", "", "", "submissions is required");
    if (!cJSON_IsArray(list))
        return refuse(p, 422, "wrong-type", "submissions", value, "an array", "submissions must be an array");
    count = (size_t)cJSON_GetArraySize(list);
    snprintf(value, sizeof(value), "%zu items", count);
    snprintf(bound, sizeof(bound), "1..%zu items", rules->batch_max);
    if (count == 0)
        return refuse(p, 422, "out-of-range", "submissions", value, bound, "submissions is empty");
    if (count > rules->batch_max)
        return refuse(p, 413, "too-large", "submissions", value, bound,
                      "submissions has too many items for one batch");
    *ret = list;
    return 0;
}

int wire_batch_read(struct bytes body, const struct wire_rules *rules, struct job ***ret_jobs,
                    size_t *ret_count, struct wire_problem *problem)
{
    CLEAN(cjson_freep) cJSON *root = NULL;
    const cJSON *list = NULL, *item;
    struct job **jobs;
    size_t count = 0;

    if (body_parse(body, rules, rules->batch_max, &root, problem) != 0 ||
        submissions_find(root, rules, &list, problem) != 0)
        return -1;
    jobs = mem_zero((size_t)cJSON_GetArraySize(list), sizeof(struct job *));
    cJSON_ArrayForEach(item, list)
    {
        if (wire_item_read(item, (int)count, rules, &jobs[count], problem) != 0) {
            while (count > 0)
                job_free(jobs[--count]);
            free(jobs);
            return -1;
        }
        count++;
    }
    *ret_jobs = jobs;
    *ret_count = count;
    return 0;
}
