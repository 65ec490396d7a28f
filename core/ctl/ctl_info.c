/* ctl_info.c - what the server says about itself. */
#include "ctl_internal.h"

#define INFO_DEADLINE_MS 30000

static void print_language(void *arg, int32_t id, const char *name, const char *version)
{
    (void)arg;
    printf("%-6d %-16s %s\n", id, name == NULL ? "" : name, version == NULL ? "" : version);
}

int ctl_languages(struct ctl *ctl)
{
    struct ctl_answer a = {0};
    struct err err = {0};
    int rc = ctl_http(ctl, "GET", "/languages", (struct bytes){0}, INFO_DEADLINE_MS, &a, &err);

    if (rc == 0 && a.status != 200)
        rc = ctl_http_refusal(&a, &err);
    else if (rc == 0)
        rc = wire_languages_read((struct bytes){a.body.data, a.body.len}, print_language, NULL, &err);
    ctl_answer_done(&a);
    return rc == 0 ? 0 : ctl_fail(CTL_EXIT_FAULT, "%s", err.text);
}

int ctl_health(struct ctl *ctl)
{
    struct ctl_answer a = {0};
    struct err err = {0};
    int status, rc = ctl_http(ctl, "GET", "/health", (struct bytes){0}, INFO_DEADLINE_MS, &a, &err);

    if (rc != 0) {
        status = ctl_fail(CTL_EXIT_FAULT, "%s", err.text);
    } else {
        status = a.status == 200 ? 0 : CTL_EXIT_REFUSED;
        if (ctl_write(stdout, (struct bytes){a.body.data, a.body.len}) != 0 ||
            ctl_write(stdout, bytes_of("\n")) != 0)
            status = CTL_EXIT_FAULT;
    }
    ctl_answer_done(&a);
    return status;
}
