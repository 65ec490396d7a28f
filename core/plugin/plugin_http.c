/* plugin_http.c - HTTP for plugins, by our own client: bounded in time, bytes and number, and gone with the
 * plugin's ledger. */
#include "plugin_internal.h"

#define BODY_MAX (1u << 20) /* of an answer, where the plugin does not say */
#define USER_AGENT "execd"

/* What this host knows of a request; members that an older plugin does not have read as zero. */
static struct execd_http_request request_of(const struct execd_http_request *theirs)
{
    struct execd_http_request r = {0};

    memcpy(&r, theirs, MIN((size_t)theirs->size, sizeof(r)));
    return r;
}

static void http_remove(struct execd_http *h)
{
    TAILQ_REMOVE(&h->ctx->https, h, link);
    h->ctx->http_count--;
}

static void http_free(struct execd_http *h)
{
    if (h->drop != NULL)
        h->drop(h->arg);
    free(h);
}

static void on_piece(void *arg, struct bytes piece)
{
    struct execd_http *h = arg;
    struct execd_ctx *ctx = h->ctx;
    const uint64_t begun = clock_mono_ns();

    h->piece(h->arg, (struct execd_bytes){piece.ptr, piece.len}); /* which may cancel it */
    plugin_slow_check(ctx, "piece", begun);
}

static void on_done(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct execd_http *h = arg;
    const uint64_t begun = clock_mono_ns();
    const char *why = err != NULL ? err->text : "the answer is larger than body_max";

    h->over = true;
    if (err != NULL || answer->cut) {
        h->done(h->arg, EXECD_E_AGAIN, 0, (struct execd_bytes){why, strlen(why)});
    } else {
        h->retry_after_s = answer->retry_after_s;
        h->done(h->arg, EXECD_OK, answer->status, (struct execd_bytes){answer->body.ptr, answer->body.len});
    }
    plugin_slow_check(h->ctx, "http done", begun);
    http_remove(h);
    http_free(h);
}

static int refuse(struct execd_ctx *ctx, const struct execd_http_request *r, struct err *reterr)
{
    if (!ctx->open)
        return err_set(reterr, ERR_AGAIN, "http_start() is for plugins between start() and stop()");
    if (ctx->http_count >= EXECD_HTTP_MAX)
        return err_set(reterr, ERR_AGAIN, "%u exchanges are under way already", EXECD_HTTP_MAX);
    if (r->flags != 0 || r->method == NULL || r->url == NULL || r->deadline_ms == 0)
        return err_set(reterr, ERR_INTERNAL,
                       "a request needs a method, an url and a deadline_ms, and flags that this execd knows");
    return 0;
}

static int client_open(struct execd_ctx *ctx, struct err *reterr)
{
    static const struct net_client_options o = {.connections_max = EXECD_HTTP_MAX, .user_agent = USER_AGENT};

    return ctx->http_client != NULL ? 0 : net_client_open(ctx->loop, &o, &ctx->http_client, reterr);
}

static int begin(struct execd_http *h, const struct execd_http_request *r, struct err *reterr)
{
    const struct net_call call = {.method = r->method,
                                  .url = r->url,
                                  .headers = r->headers,
                                  .body = {r->body.ptr, r->body.len},
                                  .deadline_ms = r->deadline_ms,
                                  .answer_max = r->body_max == 0 ? BODY_MAX : r->body_max,
                                  .ca_file = r->ca_file,
                                  .ca_pem = {r->ca_pem.ptr, r->ca_pem.len},
                                  .cert_pem = {r->cert_pem.ptr, r->cert_pem.len},
                                  .key_pem = {r->key_pem.ptr, r->key_pem.len},
                                  .piece = r->piece == NULL ? NULL : on_piece};
    int rc;

    if ((rc = net_url_check(r->url, reterr)) != 0 || (rc = client_open(h->ctx, reterr)) != 0)
        return rc;
    return net_call(h->ctx->http_client, &call, on_done, h, &h->exchange, reterr);
}

struct execd_http *plugin_http_start(struct execd_ctx *ctx, const struct execd_http_request *request,
                                     execd_http_fn done, void *arg, execd_drop_fn drop,
                                     struct execd_error *error)
{
    const struct execd_http_request r = request_of(request);
    struct execd_http *h = NEW(struct execd_http);
    struct err err = {0};

    *h = (struct execd_http){.ctx = ctx, .done = done, .piece = r.piece, .arg = arg, .drop = drop};
    if (refuse(ctx, &r, &err) != 0 || begin(h, &r, &err) != 0) {
        plugin_host.fail(error, err.code == ERR_AGAIN ? EXECD_E_AGAIN : EXECD_E_INTERNAL, "%s", err.text);
        http_free(h);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&ctx->https, h, link);
    ctx->http_count++;
    return h;
}

void plugin_http_cancel(struct execd_http *h)
{
    if (h == NULL || h->over)
        return;
    net_exchange_cancel(h->exchange);
    http_remove(h);
    http_free(h);
}

uint64_t plugin_http_retry_after(struct execd_http *h)
{
    return h->over ? h->retry_after_s : 0;
}

void plugin_http_close(struct execd_ctx *ctx)
{
    struct execd_http *h;

    while ((h = TAILQ_FIRST(&ctx->https)) != NULL)
        plugin_http_cancel(h);
    net_client_free(ctx->http_client);
    ctx->http_client = NULL;
}
