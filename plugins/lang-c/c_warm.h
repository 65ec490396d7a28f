/* c_warm.h - the zygote that may stand in for gcc's steps. */
#ifndef C_WARM_H
#define C_WARM_H

#include "c_direct.h"

/* May this source be compiled there?  0 also where the machine or the linker is none that it knows. */
int c_warm_fits(const struct c_direct *steps, struct execd_bytes source);
/* What starts one (execd/plugin.h), in a compile step's environment. */
int32_t c_warm_plan(const struct execd_host *host, const struct c_direct *steps, const char *const *env,
                    uint32_t extra_processes, struct execd_plan *plan, struct execd_error *err);

#endif
