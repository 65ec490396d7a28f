/* ctl_job.c - run, submit, result: jobs from the client's side. */
#include "ctl_internal.h"

enum {
    SUBMIT_DEADLINE_MS = 60000,
    POLL_S = 20, /* of one long poll; a server may answer sooner */
    POLL_DEADLINE_MS = (POLL_S + 60) * 1000,
    PATIENCE_MS = 30000, /* with a server that does not answer, or says 503 */
    RETRY_MS = 500,
    CANCEL_DEADLINE_MS = 3000,
    FILE_MAX = 64 << 20,
};
#define PATH_SIZE 96

static bool come_again(const struct ctl_answer *a)
{
    return a->status == 503 || a->status == 429;
}

static uint64_t pause_ms(const struct ctl_answer *a)
{
    return a->retry_after_s == 0 ? RETRY_MS : MIN(a->retry_after_s, (uint64_t)5) * 1000;
}

/* ---- submitting ------------------------------------------------------------------ */

/* A refusal by 503 or 429 is repeated with the same Idempotency-Key: one of them may say that nobody knows
 * whether it was accepted. */
static int post(struct ctl *ctl, const struct buf *body, struct wire_answer *ret, struct err *reterr)
{
    uint64_t begun = loop_now_ms(ctl->loop);
    struct ctl_answer a = {0};
    char key[UUID_SIZE];
    int rc;

    uuid_new(key);
    snprintf(ctl->header, sizeof(ctl->header), "Idempotency-Key: \"%s\"", key);
    for (;;) {
        rc = ctl_http(ctl, "POST", "/v1/jobs", (struct bytes){body->data, body->len}, SUBMIT_DEADLINE_MS, &a,
                      reterr);
        if (rc != 0 || !come_again(&a) || loop_now_ms(ctl->loop) - begun > PATIENCE_MS)
            break;
        ctl_sleep(ctl, pause_ms(&a));
    }
    ctl->header[0] = '\0';
    if (rc == 0 && a.status / 100 != 2)
        rc = ctl_http_refusal(&a, reterr);
    else if (rc == 0)
        rc = wire_answer_read((struct bytes){a.body.data, a.body.len}, ret, reterr);
    ctl_answer_done(&a);
    return rc;
}

static int submit_file(struct ctl *ctl, const char *file, const struct buf *stdin_data, char token[UUID_SIZE],
                       struct err *reterr)
{
    CLEAN_BUF struct buf source = {0}, body = {0};
    struct wire_answer answer = {0};
    struct wire_request r = {.args = (const char *const *)ctl->o.args,
                             .timeout_ms = ctl->o.timeout_ms,
                             .memory_mb = ctl->o.memory_mb,
                             .stdin_data = {stdin_data->data, stdin_data->len}};
    int rc;

    if ((rc = ctl_language_find(ctl, file, &r.language_id, reterr)) != 0 ||
        (rc = ctl_file_read(file, FILE_MAX, &source, reterr)) != 0)
        return rc;
    r.source = (struct bytes){source.data, source.len};
    if ((rc = wire_request_json(&r, &body)) != 0)
        return err_set(reterr, rc, "%s: %s", file,
                       rc == -EILSEQ ? "an argument is no UTF-8 text" : "no memory for the request");
    ctl_progress("%s: submitting", file);
    if (post(ctl, &body, &answer, reterr) != 0)
        return err_add(reterr, "%s", file);
    memcpy(token, answer.token, UUID_SIZE);
    wire_answer_done(&answer);
    return 0;
}

typedef char token_text[UUID_SIZE];

/* All files; *ret_count tokens are there even if one of them failed. */
static int submit_files(struct ctl *ctl, token_text *tokens, int *ret_count, struct err *reterr)
{
    CLEAN_BUF struct buf stdin_data = {0};
    int rc;

    *ret_count = 0;
    if (ctl->o.stdin_file != NULL &&
        (rc = ctl_file_read(ctl->o.stdin_file, FILE_MAX, &stdin_data, reterr)) != 0)
        return rc;
    for (int i = 0; i < ctl->o.operand_count; i++) {
        if ((rc = submit_file(ctl, ctl->o.operands[i], &stdin_data, tokens[i], reterr)) != 0)
            return rc;
        ++*ret_count;
    }
    ctl_progress(NULL);
    return 0;
}

/* ---- waiting ------------------------------------------------------------------------ */

struct patience {
    uint64_t until_ms;  /* for the job's end; UINT64_MAX: for ever */
    uint64_t silent_ms; /* since when the server gives no answer; 0: it does */
    uint64_t begun_ms;
    bool heard; /* the server has answered before: it is worth waiting for */
};

/* Does the server get another chance?  Pauses if so. */
static bool be_patient(struct ctl *ctl, struct patience *p, uint64_t pause)
{
    uint64_t now = loop_now_ms(ctl->loop);

    if (p->silent_ms == 0)
        p->silent_ms = now;
    if (ctl->interrupted || !p->heard || now >= p->until_ms || now - p->silent_ms > PATIENCE_MS)
        return false;
    ctl_sleep(ctl, pause);
    return !ctl->interrupted;
}

static uint64_t poll_seconds(struct ctl *ctl, const struct patience *p)
{
    uint64_t now = loop_now_ms(ctl->loop);

    if (p->until_ms == UINT64_MAX)
        return POLL_S;
    return p->until_ms <= now ? 0 : MIN((p->until_ms - now + 999) / 1000, (uint64_t)POLL_S);
}

/* The job's end, or its state when the patience was over; `raw` is the server's answer. */
static int wait_for(struct ctl *ctl, const char *token, struct patience *p, struct wire_answer *ret,
                    struct ctl_answer *raw, struct err *reterr)
{
    char path[PATH_SIZE];
    uint64_t seconds, asked_ms;
    int rc;

    p->begun_ms = loop_now_ms(ctl->loop);
    for (;;) {
        seconds = poll_seconds(ctl, p);
        asked_ms = loop_now_ms(ctl->loop);
        snprintf(path, sizeof(path), "/v1/jobs/%s?wait=%llu", token, (unsigned long long)seconds);
        rc = ctl_http(ctl, "GET", path, (struct bytes){0}, POLL_DEADLINE_MS, raw, reterr);
        if (rc != 0 ? be_patient(ctl, p, RETRY_MS) : come_again(raw) && be_patient(ctl, p, pause_ms(raw)))
            continue;
        if (rc != 0)
            return rc;
        if (raw->status != 200)
            return ctl_http_refusal(raw, reterr);
        p->silent_ms = 0;
        p->heard = true;
        wire_answer_done(ret);
        if ((rc = wire_answer_read((struct bytes){raw->body.data, raw->body.len}, ret, reterr)) != 0)
            return rc;
        if (job_status_terminal(ret->status) || seconds == 0)
            return 0;
        ctl_progress("%s %s, %llu s", token, job_status_name(ret->status),
                     (unsigned long long)((loop_now_ms(ctl->loop) - p->begun_ms) / 1000));
        if (loop_now_ms(ctl->loop) - asked_ms <
            RETRY_MS) /* a server that does not wait, or is shutting down */
            ctl_sleep(ctl, RETRY_MS);
    }
}

static void cancel(struct ctl *ctl, token_text *tokens, int count)
{
    struct ctl_answer a = {0};
    struct err err = {0};
    char path[PATH_SIZE];

    for (int i = 0; i < count; i++) {
        ctl->interrupted = false; /* a second interrupt ends this exchange */
        snprintf(path, sizeof(path), "/v1/jobs/%s", tokens[i]);
        if (ctl_http(ctl, "DELETE", path, (struct bytes){0}, CANCEL_DEADLINE_MS, &a, &err) != 0)
            break; /* it ends by its own limits */
    }
    ctl_answer_done(&a);
    ctl->interrupted = true;
}

/* ---- printing ------------------------------------------------------------------------- */

static int print_answer(const struct wire_answer *a)
{
    char text[512];

    ctl_progress(NULL);
    if (ctl_write(stderr, (struct bytes){a->compile.data, a->compile.len}) != 0 ||
        ctl_write(stdout, (struct bytes){a->out.data, a->out.len}) != 0 ||
        ctl_write(stderr, (struct bytes){a->err.data, a->err.len}) != 0)
        return CTL_EXIT_FAULT;
    ctl_verdict_text(a, text, sizeof(text));
    return text[0] == '\0' ? ctl_exit_status(a) : ctl_fail(ctl_exit_status(a), "%s", text);
}

/* Waits for one and prints it; its exit status. */
static int finish_one(struct ctl *ctl, const char *token)
{
    struct patience p = {.until_ms = UINT64_MAX, .heard = true};
    struct wire_answer answer = {0};
    struct ctl_answer raw = {0};
    struct err err = {0};
    int status;

    ctl_progress("%s waiting", token);
    if (wait_for(ctl, token, &p, &answer, &raw, &err) == 0)
        status = print_answer(&answer);
    else if (ctl->interrupted)
        status = CTL_EXIT_INTERRUPTED;
    else
        status = ctl_fail(CTL_EXIT_FAULT, "%s: %s", token, err.text);
    wire_answer_done(&answer);
    ctl_answer_done(&raw);
    return status;
}

int ctl_run(struct ctl *ctl)
{
    CLEAN_FREE token_text *tokens = mem_zero((size_t)ctl->o.operand_count, sizeof(token_text));
    struct err err = {0};
    int count, status = 0, one;

    if (submit_files(ctl, tokens, &count, &err) != 0) {
        cancel(ctl, tokens, count);
        return ctl_fail(err.code == -EINTR ? CTL_EXIT_INTERRUPTED : CTL_EXIT_FAULT, "%s", err.text);
    }
    for (int i = 0; i < count; i++) {
        if (count > 1) {
            ctl_progress(NULL);
            fprintf(stderr, "==> %s <==\n", ctl->o.operands[i]);
        }
        one = finish_one(ctl, tokens[i]);
        status = status == 0 ? one : status;
        if (ctl->interrupted) {
            cancel(ctl, tokens + i, count - i);
            return ctl_fail(CTL_EXIT_INTERRUPTED, "interrupted; cancelled what had not ended");
        }
    }
    return status;
}

int ctl_submit(struct ctl *ctl)
{
    CLEAN_FREE token_text *tokens = mem_zero((size_t)ctl->o.operand_count, sizeof(token_text));
    struct err err = {0};
    int count, rc = submit_files(ctl, tokens, &count, &err);

    for (int i = 0; i < count; i++)
        puts(tokens[i]);
    if (rc != 0)
        return ctl_fail(rc == -EINTR ? CTL_EXIT_INTERRUPTED : CTL_EXIT_FAULT, "%s", err.text);
    return 0;
}

int ctl_result(struct ctl *ctl)
{
    struct patience p = {.until_ms = loop_now_ms(ctl->loop) + ctl->o.wait_s * 1000};
    struct wire_answer answer = {0};
    struct ctl_answer raw = {0};
    struct err err = {0};
    int status;

    if (!uuid_valid(ctl->o.operands[0]))
        return ctl_fail(CTL_EXIT_USAGE, "`%s` is no token of a job", ctl->o.operands[0]);
    if (wait_for(ctl, ctl->o.operands[0], &p, &answer, &raw, &err) != 0) {
        status = ctl_fail(ctl->interrupted ? CTL_EXIT_INTERRUPTED : CTL_EXIT_FAULT, "%s", err.text);
    } else if (ctl->o.json) {
        status = job_status_terminal(answer.status) ? 0 : CTL_EXIT_PENDING;
        ctl_progress(NULL);
        if (ctl_write(stdout, (struct bytes){raw.body.data, raw.body.len}) != 0 ||
            ctl_write(stdout, bytes_of("\n")) != 0)
            status = CTL_EXIT_FAULT;
    } else {
        status = print_answer(&answer);
    }
    wire_answer_done(&answer);
    ctl_answer_done(&raw);
    return status;
}
