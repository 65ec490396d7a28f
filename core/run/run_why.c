/* run_why.c - why a compile step failed, for its author.
 *
 * Measurements come first.  A limit of files is not measured, because it kills nothing: a compiler, or the
 * assembler that it runs, is refused a write and says so in the system's words, or one of them dies of
 * SIGXFSZ and the driver says that.  Those words are looked for in the output.  They decide nothing: that the
 * step failed is known, and who makes a compiler print them misleads himself. */
#include "run_internal.h"

#include <inttypes.h>
#include <signal.h>

static bool says(struct bytes output, const char *words)
{
    return output.len > 0 && memmem(output.ptr, output.len, words, strlen(words)) != NULL;
}

char *run_why(const struct job_measure *m, const struct job_limits *l, struct bytes output)
{
    if (m->hit != JOB_HIT_NONE)
        return mem_printf("the compile step passed its limit: %s", job_limit_hit_name(m->hit));
    if (m->oom)
        return mem_printf("the compile step passed its limit: memory");
    if (m->signal == SIGXFSZ || says(output, "File size limit exceeded") || says(output, "File too large"))
        return mem_printf("the compile step passed its limit: file size (%" PRIu64 " bytes)", l->file_bytes);
    if (says(output, "No space left on device"))
        return mem_printf("the compile step passed its limit: files (%" PRIu64 " bytes, %" PRIu64
                          " files and folders)",
                          l->box_bytes, l->box_inodes);
    if (m->signal != 0)
        return mem_printf("the compiler crashed: signal %d (%s)", m->signal, strsignal(m->signal));
    return NULL;
}
