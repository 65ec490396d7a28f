/* test_lang.h - what the plugins with the tests' own languages share: an instance that knows its host, steps
 * of one command, a version that nobody asks a program for. */
#ifndef EXECD_TESTS_TEST_LANG_H
#define EXECD_TESTS_TEST_LANG_H

#include <execd/plugin.h>

#include <stdlib.h>
#include <string.h>

struct test_lang {
    const struct execd_host *host;
    const char *option; /* the plugin's own */
};

static inline int32_t test_lang_create(const struct execd_host *host, const char *option, void **ret_self,
                                       struct execd_error *err)
{
    struct test_lang *l = (struct test_lang *)calloc(1, sizeof(*l));

    if (l == NULL)
        return host->fail(err, EXECD_E_INTERNAL, "no memory");
    l->host = host;
    l->option = option;
    *ret_self = l;
    return EXECD_OK;
}

static inline void test_lang_destroy(void *self)
{
    free(self);
}

/* A run step of `argv`, with `body` as its file, unless that has no name. */
static inline int32_t test_lang_plan(const struct test_lang *l, const char *const *argv,
                                     const char *const *env, const char *file, struct execd_bytes body,
                                     struct execd_plan *plan, struct execd_error *err)
{
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = env,
        .profile = EXECD_PROFILE_STRICT,
    };

    if ((file != NULL && l->host->plan_file(plan, EXECD_PHASE_RUN, file, body, 0444) != EXECD_OK) ||
        l->host->plan_step(plan, &step) != EXECD_OK)
        return l->host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

/* `shown` is the version, whatever was printed. */
static inline int32_t test_lang_version(const char *shown, char *version, uint32_t size)
{
    if (size > strlen(shown))
        strcpy(version, shown);
    return EXECD_OK;
}

#endif
