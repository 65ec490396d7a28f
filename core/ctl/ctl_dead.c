/* ctl_dead.c - dead letters: jobs that cost their worker each time. */
#include "ctl_internal.h"

#define DEAD_DEADLINE_MS 30000
#define PAGE 100

/* Prints an answer that is JSON, with status 2xx; an exit status. */
static int print_json(struct ctl *ctl, const char *path)
{
    struct ctl_answer a = {0};
    struct err err = {0};
    int rc = ctl_http(ctl, "GET", path, (struct bytes){0}, DEAD_DEADLINE_MS, &a, &err), status = 0;

    if (rc == 0 && a.status != 200)
        rc = ctl_http_refusal(&a, &err);
    if (rc != 0)
        status = ctl_fail(CTL_EXIT_FAULT, "%s", err.text);
    else if (ctl_write(stdout, (struct bytes){a.body.data, a.body.len}) != 0 ||
             ctl_write(stdout, bytes_of("\n")) != 0)
        status = CTL_EXIT_FAULT;
    ctl_answer_done(&a);
    return status;
}

/* ---- list --------------------------------------------------------------------------- */

static void print_line(void *arg, const struct wire_letter_line *l)
{
    uint64_t *count = arg;

    ++*count;
    printf("%s  %s  language %d, %llu attempts, %llu bytes\n", l->token, l->ended_at, l->language_id,
           (unsigned long long)l->attempts, (unsigned long long)l->bytes);
}

/* All pages; one that is empty is the last, whatever the total says: letters come and go meanwhile. */
static int list(struct ctl *ctl)
{
    uint64_t shown = 0, before, offset = 0, all = 0;
    struct ctl_answer a = {0};
    struct err err = {0};
    char path[64];
    int rc;

    do {
        before = shown;
        snprintf(path, sizeof(path), "/v1/dead?offset=%llu&limit=%d", (unsigned long long)offset, PAGE);
        rc = ctl_http(ctl, "GET", path, (struct bytes){0}, DEAD_DEADLINE_MS, &a, &err);
        if (rc == 0 && a.status != 200)
            rc = ctl_http_refusal(&a, &err);
        else if (rc == 0)
            rc = wire_letters_read((struct bytes){a.body.data, a.body.len}, print_line, &shown, &all, &err);
        offset += PAGE;
    } while (rc == 0 && shown > before && offset < all);
    ctl_answer_done(&a);
    return rc == 0 ? 0 : ctl_fail(CTL_EXIT_FAULT, "%s", err.text);
}

/* ---- retry ------------------------------------------------------------------------------ */

static int retry_one(struct ctl *ctl, const char *token)
{
    struct wire_answer answer = {0};
    struct ctl_answer a = {0};
    struct err err = {0};
    char path[64];
    int rc;

    snprintf(path, sizeof(path), "/v1/dead/%s", token);
    rc = ctl_http(ctl, "POST", path, (struct bytes){0}, DEAD_DEADLINE_MS, &a, &err);
    if (rc == 0 && a.status / 100 != 2)
        rc = ctl_http_refusal(&a, &err);
    else if (rc == 0)
        rc = wire_answer_read((struct bytes){a.body.data, a.body.len}, &answer, &err);
    if (rc == 0)
        puts(answer.token);
    wire_answer_done(&answer);
    ctl_answer_done(&a);
    return rc == 0 ? 0 : ctl_fail(CTL_EXIT_FAULT, "%s: %s", token, err.text);
}

int ctl_dead(struct ctl *ctl)
{
    const char *what = ctl->o.operands[0];
    char path[64];
    int count = ctl->o.operand_count - 1, status = 0, one;

    if (strcmp(what, "list") != 0 && strcmp(what, "show") != 0 && strcmp(what, "retry") != 0)
        return ctl_fail(CTL_EXIT_USAGE, "dead `%s`: list, show and retry are there; see execctl dead --help",
                        what);
    if (strcmp(what, "list") == 0)
        return count == 0 ? list(ctl) : ctl_fail(CTL_EXIT_USAGE, "dead list takes no operand");
    if (count == 0)
        return ctl_fail(CTL_EXIT_USAGE, "dead %s wants a token", what);
    for (int i = 1; i <= count; i++) {
        if (!uuid_valid(ctl->o.operands[i]))
            return ctl_fail(CTL_EXIT_USAGE, "`%s` is no token of a job", ctl->o.operands[i]);
    }
    for (int i = 1; i <= count; i++) {
        snprintf(path, sizeof(path), "/v1/dead/%s", ctl->o.operands[i]);
        one = what[0] == 's' ? print_json(ctl, path) : retry_one(ctl, ctl->o.operands[i]);
        status = status == 0 ? one : status;
    }
    return status;
}
