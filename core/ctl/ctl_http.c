/* ctl_http.c - exchanges with the server, one at a time, as calls that block. */
#include "ctl_internal.h"

#include <signal.h>

#define DEFAULT_URL "http://127.0.0.1:2358"
#define KEY_FILE_MAX 4096
#define ANSWER_MAX (1024UL << 20) /* output comes escaped: far more than a server hands out by default */

static void on_signal(void *arg)
{
    struct ctl *ctl = arg;

    ctl->interrupted = true;
    loop_stop(ctl->loop);
}

static int url_make(struct ctl *ctl, struct err *reterr)
{
    const char *url = ctl->o.url != NULL ? ctl->o.url : getenv("EXECD_URL");
    struct err err = {0};

    if (url == NULL || url[0] == '\0')
        url = DEFAULT_URL;
    if (net_url_check(url, &err) != 0)
        return err_set(reterr, ERR_CONFIG, "the server's URL (--url or EXECD_URL): %s", err.text);
    if (buf_adds(&ctl->url, url) != 0)
        return err_set(reterr, -ENOMEM, "no memory");
    while (ctl->url.len > 0 && ctl->url.data[ctl->url.len - 1] == '/')
        ctl->url.data[--ctl->url.len] = '\0';
    return 0;
}

/* The key must fit into a header, and is never shown. */
static int key_check(const char *key, const char *origin, struct err *reterr)
{
    if (key[0] == '\0')
        return err_set(reterr, ERR_CONFIG, "%s: it holds no key", origin);
    for (const char *p = key; *p != '\0'; p++) {
        if (*p <= ' ' || *p > '~')
            return err_set(reterr, ERR_CONFIG, "%s: a key has no blanks, control or non-ASCII characters",
                           origin);
    }
    return 0;
}

static int key_read(struct ctl *ctl, struct err *reterr)
{
    CLEAN_BUF struct buf file = {0};
    const char *key = getenv("EXECD_API_KEY"), *origin = "EXECD_API_KEY";
    int rc;

    if (ctl->o.key_file != NULL) {
        origin = ctl->o.key_file;
        if ((rc = ctl_file_read(origin, KEY_FILE_MAX, &file, reterr)) != 0)
            return rc;
        if (memchr(file.data, '\0', file.len) != NULL)
            return err_set(reterr, ERR_CONFIG, "%s: this is no text file", origin);
        while (file.len > 0 && strchr("\r\n", file.data[file.len - 1]) != NULL)
            file.data[--file.len] = '\0';
        key = file.data;
    } else if (key == NULL || key[0] == '\0') {
        return 0;
    }
    if ((rc = key_check(key, origin, reterr)) != 0)
        return rc;
    if (buf_addf(&ctl->authorization, "Authorization: Bearer %s", key) != 0)
        return err_set(reterr, -ENOMEM, "no memory");
    return 0;
}

int ctl_open(struct ctl *ctl, struct err *reterr)
{
    struct net_client_options co = {.connections_max = 1, .user_agent = "execctl/" EXECD_VERSION};
    int rc;

    if ((rc = url_make(ctl, reterr)) != 0 || (rc = key_read(ctl, reterr)) != 0 ||
        (rc = loop_new(&ctl->loop, reterr)) != 0)
        return rc;
    ctl->signals[0] = loop_signal_new(ctl->loop, SIGINT, on_signal, ctl);
    ctl->signals[1] = loop_signal_new(ctl->loop, SIGTERM, on_signal, ctl);
    return net_client_open(ctl->loop, &co, &ctl->client, reterr);
}

void ctl_close(struct ctl *ctl)
{
    if (ctl->client != NULL)
        net_client_free(ctl->client);
    for (size_t i = 0; i < COUNT_OF(ctl->signals); i++) {
        if (ctl->signals[i] != NULL)
            loop_signal_free(ctl->signals[i]);
    }
    if (ctl->loop != NULL)
        loop_free(ctl->loop);
    buf_done(&ctl->url);
    buf_done(&ctl->authorization);
}

struct exchange {
    struct ctl *ctl;
    struct ctl_answer *answer;
    struct err *reterr;
    bool done;
    int rc;
};

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct exchange *x = arg;

    x->done = true;
    loop_stop(x->ctl->loop);
    if (err != NULL) {
        x->rc = err_set(x->reterr, err->code, "%s: %s", x->ctl->url.data, err->text);
        return;
    }
    if (answer->cut) {
        x->rc = err_set(x->reterr, ERR_AGAIN, "%s: the answer is too large", x->ctl->url.data);
        return;
    }
    x->answer->status = answer->status;
    x->answer->retry_after_s = answer->retry_after_s;
    if (buf_add(&x->answer->body, answer->body.ptr, answer->body.len) != 0)
        x->rc = err_set(x->reterr, -ENOMEM, "no memory for the answer");
}

int ctl_http(struct ctl *ctl, const char *method, const char *path, struct bytes body, uint64_t deadline_ms,
             struct ctl_answer *ret, struct err *reterr)
{
    CLEAN_FREE char *url = mem_printf("%s%s", ctl->url.data, path);
    const char *headers[5] = {"Accept: application/json"};
    size_t n = 1;
    struct exchange x = {.ctl = ctl, .answer = ret, .reterr = reterr};
    struct net_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .body = body,
                            .deadline_ms = deadline_ms,
                            .answer_max = ANSWER_MAX};
    struct net_exchange *exchange = NULL;
    int rc;

    if (body.len > 0)
        headers[n++] = "Content-Type: application/json";
    if (ctl->header[0] != '\0')
        headers[n++] = ctl->header;
    if (ctl->authorization.len > 0)
        headers[n++] = ctl->authorization.data;
    ctl_answer_done(ret);
    if ((rc = net_call(ctl->client, &call, on_answer, &x, &exchange, reterr)) != 0)
        return rc;
    while (!x.done && !ctl->interrupted)
        loop_run(ctl->loop);
    if (!x.done) {
        net_exchange_cancel(exchange);
        return err_set(reterr, -EINTR, "interrupted");
    }
    return x.rc;
}

void ctl_answer_done(struct ctl_answer *a)
{
    buf_done(&a->body);
    *a = (struct ctl_answer){0};
}

int ctl_http_refusal(const struct ctl_answer *a, struct err *reterr)
{
    CLEAN_BUF struct buf text = {0};

    if (a->body.len > 0 && wire_problem_text((struct bytes){a->body.data, a->body.len}, &text) == 0 &&
        text.len > 0)
        return err_set(reterr, ERR_REQUEST, "%s", text.data);
    return err_set(reterr, ERR_REQUEST, "the server answered with status %d", a->status);
}

static void on_slept(void *arg)
{
    struct ctl *ctl = arg;

    loop_stop(ctl->loop);
}

void ctl_sleep(struct ctl *ctl, uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(ctl->loop, on_slept, ctl);

    loop_timer_arm(t, ms);
    while (loop_timer_armed(t) && !ctl->interrupted)
        loop_run(ctl->loop);
    loop_timer_free(t);
}
