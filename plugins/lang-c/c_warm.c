/* c_warm.c - starts the zygote of the C toolchain, which is described in zygote/toolchain.c.
 *
 * Its cc1 reads a main.c before any source is known.  That is this one, of nothing but lines' ends, and as
 * long as a source may be. */
#include "c_warm.h"

#include <string.h>

#ifdef TOOLCHAIN

#include "embed.h"

EMBED(toolchain, TOOLCHAIN);
EMBED(preload, IMAGE_PRELOAD);

enum { SOURCE_MAX = 64 << 10 };

int c_warm_fits(const struct c_direct *steps, struct execd_bytes source)
{
    return steps->steps != NULL && source.len <= SOURCE_MAX;
}

int32_t c_warm_plan(const struct execd_host *host, const struct c_direct *steps, const char *const *env,
                    uint32_t extra_processes, struct execd_plan *plan, struct execd_error *err)
{
    static char lines[SOURCE_MAX];
    const char *const words = steps->steps == NULL ? "" : steps->steps;
    const char *const argv[] = {"/box/.toolchain", steps->script, steps->rest, NULL};
    const struct execd_step step = {
        .size = sizeof(step),
        .phase = EXECD_PHASE_RUN,
        .argv = argv,
        .env = env,
        .profile = EXECD_PROFILE_COMPILER,
        .extra_processes = extra_processes,
    };
    const struct {
        const char *path;
        struct execd_bytes body;
        uint32_t mode;
    } files[] = {
        {".toolchain", EMBEDDED(toolchain), 0555},
        {".image.so", EMBEDDED(preload), 0555},
        {".steps", {words, strlen(words)}, 0444},
        {"main.c", {lines, sizeof(lines)}, 0444},
    };

    memset(lines, '\n', sizeof(lines));
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        if (host->plan_file(plan, EXECD_PHASE_RUN, files[i].path, files[i].body, files[i].mode) != EXECD_OK)
            return host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    if (host->plan_step(plan, &step) != EXECD_OK)
        return host->fail(err, EXECD_E_INTERNAL, "the host refused the plan");
    return EXECD_OK;
}

#else

int c_warm_fits(const struct c_direct *steps, struct execd_bytes source)
{
    (void)steps;
    (void)source;
    return 0;
}

int32_t c_warm_plan(const struct execd_host *host, const struct c_direct *steps, const char *const *env,
                    uint32_t extra_processes, struct execd_plan *plan, struct execd_error *err)
{
    (void)steps;
    (void)env;
    (void)extra_processes;
    (void)plan;
    return host->fail(err, EXECD_E_INTERNAL, "there is no zygote of the C toolchain for this processor");
}

#endif
