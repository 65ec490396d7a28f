/* good.h - the parts of a plugin without fault; each file of this folder replaces one of them. */
#ifndef GOOD_H
#define GOOD_H

#include <execd/plugin.h>

static const struct execd_host *good_host;

static inline int32_t good_create(const struct execd_host *host, struct execd_ctx *ctx,
                                  const struct execd_value *values, void **ret_self, struct execd_error *err)
{
    static int instance;

    (void)ctx;
    (void)values;
    (void)err;
    good_host = host;
    *ret_self = &instance;
    return EXECD_OK;
}

static inline void good_destroy(void *self)
{
    (void)self;
}

static inline int32_t good_languages(void *self, const struct execd_language **ret, uint32_t *ret_count,
                                     uint32_t *ret_stride, struct execd_error *err)
{
    static const struct execd_language good_table[] = {
        {1001, 0, "Shell", "main.sh", 0, NULL, "echo well\n", "well\n"}};

    (void)self;
    (void)err;
    *ret = good_table;
    *ret_count = 1;
    *ret_stride = sizeof(good_table[0]);
    return EXECD_OK;
}

static const char *const good_argv[] = {"/bin/sh", "main.sh", NULL};

static inline struct execd_step good_step(void)
{
    struct execd_step step = {0};

    step.size = sizeof(step);
    step.phase = EXECD_PHASE_RUN;
    step.argv = good_argv;
    step.profile = EXECD_PROFILE_STRICT;
    return step;
}

static inline int32_t good_plan(void *self, const struct execd_submission *submission,
                                struct execd_plan *plan, struct execd_error *err)
{
    struct execd_step step = good_step();

    (void)self;
    (void)err;
    good_host->plan_file(plan, EXECD_PHASE_RUN, "main.sh", submission->source, 0444);
    return good_host->plan_step(plan, &step);
}

static inline int32_t good_probe(void *self, int32_t language_id, struct execd_plan *plan,
                                 struct execd_error *err)
{
    static const char *const argv[] = {"/bin/echo", "1.0", NULL};
    struct execd_step step = good_step();

    (void)self;
    (void)language_id;
    (void)err;
    step.argv = argv;
    return good_host->plan_step(plan, &step);
}

static inline int32_t good_probed(void *self, int32_t language_id, struct execd_bytes output, char *version,
                                  uint32_t size, struct execd_error *err)
{
    (void)self;
    (void)language_id;
    (void)err;
    (void)size;
    version[0] = output.len > 0 ? output.ptr[0] : '?';
    version[1] = '\0';
    return EXECD_OK;
}

#endif
