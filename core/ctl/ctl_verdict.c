/* ctl_verdict.c - a verdict as an exit status and as what a shell would say. */
#include "ctl_internal.h"

int ctl_exit_status(const struct wire_answer *a)
{
    switch (a->status) {
    case JOB_COMPLETED:
        return 0;
    case JOB_COMPILE_ERROR:
    case JOB_WRONG_ANSWER:
        return CTL_EXIT_REFUSED;
    case JOB_RUNTIME_ERROR:
        if (a->signal > 0)
            return MIN(128 + a->signal, 255);
        return a->exit_code > 0 ? MIN(a->exit_code, 255) : 1;
    case JOB_TIME_LIMIT_EXCEEDED:
        return CTL_EXIT_TIME;
    case JOB_MEMORY_LIMIT_EXCEEDED:
        return CTL_EXIT_MEMORY;
    case JOB_OUTPUT_LIMIT_EXCEEDED:
        return CTL_EXIT_OUTPUT;
    case JOB_CANCELLED:
        return CTL_EXIT_INTERRUPTED;
    case JOB_QUEUED:
    case JOB_RUNNING:
        return CTL_EXIT_PENDING;
    default:
        return CTL_EXIT_FAULT;
    }
}

static const char *words(const struct wire_answer *a)
{
    switch (a->status) {
    case JOB_COMPILE_ERROR:
        return "it does not compile";
    case JOB_WRONG_ANSWER:
        return "wrong answer";
    case JOB_TIME_LIMIT_EXCEEDED:
        return "time limit exceeded";
    case JOB_MEMORY_LIMIT_EXCEEDED:
        return "memory limit exceeded";
    case JOB_OUTPUT_LIMIT_EXCEEDED:
        return "output limit exceeded";
    case JOB_CANCELLED:
        return "cancelled";
    case JOB_INTERNAL_ERROR:
        return "internal error of the server";
    case JOB_QUEUED:
        return "it has not begun yet";
    case JOB_RUNNING:
        return "it still runs";
    default:
        return NULL;
    }
}

void ctl_verdict_text(const struct wire_answer *a, char *out, size_t size)
{
    const char *text = words(a);

    out[0] = '\0';
    if (a->status == JOB_RUNTIME_ERROR && a->signal > 0)
        snprintf(out, size, "killed by signal %d (%s)", a->signal, strsignal(a->signal));
    else if (text != NULL)
        snprintf(out, size, "%s%s%s", text, a->message[0] == '\0' ? "" : ": ", a->message);
}
