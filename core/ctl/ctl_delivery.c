/* ctl_delivery.c - a job's webhook from the client's side. */
#include "ctl_internal.h"

enum { DEADLINE_MS = 30000 };
#define PATH_SIZE 96

/* One exchange about the token's deliveries; an answer other than `wanted` is an error. */
static int ask(struct ctl *ctl, const char *method, const char *token, int wanted, struct ctl_answer *ret,
               struct err *reterr)
{
    char path[PATH_SIZE];
    int rc;

    if (!uuid_valid(token))
        return err_set(reterr, ERR_CONFIG, "`%s` is no token of a job", token);
    snprintf(path, sizeof(path), "/v1/jobs/%s/deliveries", token);
    rc = ctl_http(ctl, method, path, (struct bytes){0}, DEADLINE_MS, ret, reterr);
    return rc == 0 && ret->status != wanted ? ctl_http_refusal(ret, reterr) : rc;
}

static int fault(struct ctl *ctl, const struct err *err)
{
    if (ctl->interrupted)
        return CTL_EXIT_INTERRUPTED;
    return ctl_fail(err->code == ERR_CONFIG ? CTL_EXIT_USAGE : CTL_EXIT_FAULT, "%s", err->text);
}

struct printing {
    bool quiet; /* only the state is of interest */
    int status;
};

static void on_state(void *arg, const char *state, uint32_t attempts, const char *next_at)
{
    struct printing *p = arg;

    if (strcmp(state, "delivered") == 0)
        p->status = 0;
    else
        p->status = strcmp(state, "given_up") == 0 || strcmp(state, "none") == 0 ? CTL_EXIT_REFUSED
                                                                                 : CTL_EXIT_PENDING;
    if (!p->quiet)
        printf("%s, attempts: %u%s%s\n", state, attempts, next_at[0] == '\0' ? "" : ", next: ", next_at);
}

static void on_attempt(void *arg, const struct wire_attempt *a, const char *at)
{
    const struct printing *p = arg;
    char status[8] = "-";

    if (a->status != 0)
        snprintf(status, sizeof(status), "%d", a->status);
    if (!p->quiet)
        printf("%-3u %s %6llu ms %-4s%-10s%s\n", a->attempt, at, (unsigned long long)a->took_ms, status,
               a->outcome, a->reason);
}

int ctl_deliveries(struct ctl *ctl)
{
    struct printing p = {.quiet = ctl->o.json};
    const struct wire_delivery_reader reader = {on_state, on_attempt, &p};
    struct ctl_answer a = {0};
    struct err err = {0};
    int rc = ask(ctl, "GET", ctl->o.operands[0], 200, &a, &err);

    if (rc == 0)
        rc = wire_deliveries_read((struct bytes){a.body.data, a.body.len}, &reader, &err);
    if (rc == 0 && ctl->o.json &&
        (ctl_write(stdout, (struct bytes){a.body.data, a.body.len}) != 0 ||
         ctl_write(stdout, bytes_of("\n")) != 0))
        p.status = CTL_EXIT_FAULT;
    ctl_answer_done(&a);
    return rc == 0 ? p.status : fault(ctl, &err);
}

int ctl_redeliver(struct ctl *ctl)
{
    struct ctl_answer a = {0};
    struct err err = {0};
    int status = 0, one;

    for (int i = 0; i < ctl->o.operand_count && !ctl->interrupted; i++) {
        if (ask(ctl, "POST", ctl->o.operands[i], 202, &a, &err) == 0)
            continue;
        err_add(&err, "%s", ctl->o.operands[i]);
        one = fault(ctl, &err);
        status = status == 0 ? one : status;
    }
    ctl_answer_done(&a);
    return status;
}
