/* k8s_call.c - one request to the API server: who we are, how long it may take, what the answer means.
 *
 * An answer of 401 has the token's file read at once, and the request repeated if there is another token.  A
 * server that asks for time (Retry-After), fails (5xx) or is not there is left alone for a while, longer each
 * time; what is wanted meanwhile fails with the reason that began it. */
#include "k8s.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODY_MAX (1u << 20)
#define TOKEN_MS 50000u    /* a token's file is read again when it is older */
#define PAUSE_MS 250u      /* after a first failure; twice as long each time, */
#define PAUSE_MAX_MS 8000u /* at most; also after Retry-After: we ask little */

struct k8s_call {
    struct k8s_client *client;
    struct execd_http *http;
    char *method, *path, *content_type, *body;
    uint64_t body_max, deadline_ms, begun_ms;
    uint64_t token; /* which of the tokens it had: client->token_number */
    bool again;     /* it is the second try, with another token */
    void (*piece)(void *arg, struct execd_bytes piece);
    k8s_call_fn fn;
    void *arg;
};

static void call_free(struct k8s_call *call)
{
    free(call->method);
    free(call->path);
    free(call->content_type);
    free(call->body);
    free(call);
}

/* ---- when the server is left alone ------------------------------------------------------------ */

static void failed(struct k8s_client *c, uint64_t retry_after_s, const char *why)
{
    const uint32_t shift = c->failures < 5 ? c->failures : 5;
    uint64_t pause = (uint64_t)PAUSE_MS << shift;

    if (retry_after_s * 1000 > pause)
        pause = retry_after_s * 1000;
    c->failures++;
    c->not_before_ms = c->host->now_ms(c->ctx) + (pause < PAUSE_MAX_MS ? pause : PAUSE_MAX_MS);
    k8s_why(c->last_why, "%s", why);
}

static void worked(struct k8s_client *c)
{
    c->failures = 0;
    c->not_before_ms = 0;
}

/* ---- what an answer means ----------------------------------------------------------------------- */

static enum k8s_fault fault_of(int32_t status)
{
    switch (status) {
    case 200:
    case 201:
        return K8S_FINE;
    case 401:
        return K8S_UNAUTHORIZED;
    case 403:
        return K8S_FORBIDDEN;
    case 404:
        return K8S_MISSING;
    case 409:
        return K8S_CONFLICT;
    case 410:
        return K8S_GONE;
    case 429:
        return K8S_BUSY;
    default:
        return status >= 500 ? K8S_SERVER : K8S_OTHER;
    }
}

static const char *hint_of(enum k8s_fault fault)
{
    return fault == K8S_UNAUTHORIZED ? "the token or certificate is not accepted: "
           : fault == K8S_FORBIDDEN  ? "its role does not allow it: "
                                     : "";
}

/* The Status object says it best; a proxy in between says what it likes. */
static void explain(const struct k8s_call *call, enum k8s_fault fault, int32_t status, const cJSON *json,
                    struct execd_bytes body, char why[K8S_WHY])
{
    const size_t path = strcspn(call->path, "?");
    const char *said = k8s_string(json, "message");
    char plain[81];

    snprintf(plain, sizeof(plain), "%.*s", (int)(body.len < 80 ? body.len : 80),
             body.len == 0 ? "" : body.ptr);
    for (char *p = plain; *p != '\0'; p++)
        *p = (unsigned char)*p < ' ' ? ' ' : *p;
    k8s_why(why, "%s%d to %s %.*s: %s", hint_of(fault), status, call->method, (int)path, call->path,
            said != NULL ? said : plain);
}

/* Fine, unless it is not JSON: of a stream there is no body, and no object. */
static enum k8s_fault judge(const struct k8s_call *call, int32_t status, const cJSON *json,
                            struct execd_bytes body, char why[K8S_WHY])
{
    enum k8s_fault fault = fault_of(status);

    if (fault == K8S_FINE && (call->piece != NULL || cJSON_IsObject(json)))
        return K8S_FINE;
    if (fault == K8S_FINE) {
        k8s_why(why, "%d to %s %.100s: the answer is no JSON object", status, call->method, call->path);
        return K8S_OTHER;
    }
    explain(call, fault, status, json, body, why);
    return fault;
}

/* The server says it in a header, or in the Status object. */
static uint64_t retry_after_s(const struct k8s_call *call, const cJSON *json)
{
    const struct execd_host *host = call->client->host;
    const uint64_t header = host->http_retry_after_s(call->http);
    const int64_t said = k8s_integer(json, "details.retryAfterSeconds", 0);

    return header > 0 ? header : (uint64_t)said;
}

/* ---- the exchange --------------------------------------------------------------------------------- */

static bool begin(struct k8s_call *call, char why[K8S_WHY]);

static void finish(struct k8s_call *call, enum k8s_fault fault, const cJSON *json, const char *why)
{
    call->http = NULL;
    call->fn(call->arg, fault, json, fault == K8S_FINE ? NULL : why);
    call_free(call);
}

static void on_unreached(struct k8s_call *call, struct execd_bytes reason)
{
    struct k8s_config *g = &call->client->config;
    char why[K8S_WHY];

    /* Certificates may have been replaced, the server's or ours: the next try has what is there now. */
    k8s_source_reload(&g->ca, why);
    k8s_source_reload(&g->cert, why);
    k8s_source_reload(&g->key, why);
    k8s_why(why, "the API server %.60s: %.*s", g->server, (int)(reason.len < 120 ? reason.len : 120),
            reason.ptr);
    failed(call->client, 0, why);
    finish(call, K8S_UNREACHED, NULL, why);
}

/* What cannot be read is told once: the token that we have may be good for a long time yet. */
static void read_token(struct k8s_client *c)
{
    char why[K8S_WHY] = "";

    c->token_number += k8s_source_reload(&c->config.token, why);
    c->token_read_ms = c->host->now_ms(c->ctx);
    if (why[0] != '\0' && !c->token_told)
        c->host->log(c->ctx, EXECD_LOG_WARN, "the token cannot be read again: %s", why);
    c->token_told = why[0] != '\0';
}

/* Another request may have found it before this one did. */
static bool another_token(const struct k8s_call *call)
{
    read_token(call->client);
    return call->client->token_number != call->token;
}

static void on_done(void *arg, int32_t rc, int32_t status, struct execd_bytes body)
{
    struct k8s_call *call = arg;
    struct k8s_client *c = call->client;
    char why[K8S_WHY] = "";
    enum k8s_fault fault;
    cJSON *json;

    if (rc != EXECD_OK) {
        on_unreached(call, body);
        return;
    }
    if (status == 401 && !call->again && another_token(call)) {
        call->again = true;
        if (begin(call, why))
            return;
    }
    json = cJSON_ParseWithLength(body.len == 0 ? "" : body.ptr, body.len);
    fault = judge(call, status, json, body, why);
    if (fault == K8S_BUSY || fault == K8S_SERVER)
        failed(c, retry_after_s(call, json), why);
    else
        worked(c);
    finish(call, fault, json, why);
    cJSON_Delete(json);
}

static void on_piece(void *arg, struct execd_bytes piece)
{
    struct k8s_call *call = arg;

    call->piece(call->arg, piece);
}

static bool begin(struct k8s_call *call, char why[K8S_WHY])
{
    struct k8s_client *c = call->client;
    const struct k8s_config *g = &c->config;
    struct execd_error err = {.size = sizeof(err)};
    char type[64];
    struct k8s_text auth = {0};
    char *url = k8s_printf("%s%s", g->server, call->path);
    const char *headers[4] = {"Accept: application/json"};
    size_t count = 1;
    const uint64_t spent = c->host->now_ms(c->ctx) - call->begun_ms;
    struct execd_http_request r = {.size = sizeof(r),
                                   .method = call->method,
                                   .url = url,
                                   .headers = headers,
                                   .deadline_ms = call->deadline_ms > spent ? call->deadline_ms - spent : 1,
                                   .body_max = call->body_max,
                                   .ca_pem = {g->ca.text.ptr, g->ca.text.len},
                                   .cert_pem = {g->cert.text.ptr, g->cert.text.len},
                                   .key_pem = {g->key.text.ptr, g->key.text.len},
                                   .piece = call->piece == NULL ? NULL : on_piece};

    call->token = c->token_number;
    if (g->token.text.len > 0) {
        auth.ptr = k8s_printf("Authorization: Bearer %s", g->token.text.ptr);
        auth.len = auth.ptr == NULL ? 0 : strlen(auth.ptr);
        headers[count++] = auth.ptr;
    }
    if (call->body != NULL) {
        snprintf(type, sizeof(type), "Content-Type: %s", call->content_type);
        headers[count++] = type;
        r.body = (struct execd_bytes){call->body, strlen(call->body)};
    }
    if (url == NULL || (g->token.text.len > 0 && auth.ptr == NULL))
        c->host->fail(&err, EXECD_E_AGAIN, "no memory for a request");
    else
        call->http = c->host->http_start(c->ctx, &r, on_done, call, NULL, &err);
    free(url);
    k8s_text_done(&auth);
    if (err.code != EXECD_OK)
        k8s_why(why, "%s", err.text);
    return err.code == EXECD_OK;
}

static char *dup_or_null(const char *text, bool *fine)
{
    char *copy = text == NULL ? NULL : strdup(text);

    *fine = *fine && (text == NULL || copy != NULL);
    return copy;
}

static struct k8s_call *call_new(struct k8s_client *c, const struct k8s_request *r, k8s_call_fn fn, void *arg)
{
    struct k8s_call *call = calloc(1, sizeof(*call));
    bool fine = true;

    if (call == NULL)
        return NULL;
    *call = (struct k8s_call){.client = c,
                              .method = dup_or_null(r->method, &fine),
                              .path = dup_or_null(r->path, &fine),
                              .content_type = dup_or_null(r->content_type, &fine),
                              .body = dup_or_null(r->body, &fine),
                              .body_max = r->body_max == 0 ? BODY_MAX : r->body_max,
                              .deadline_ms = r->deadline_ms == 0 ? c->deadline_ms : r->deadline_ms,
                              .begun_ms = c->host->now_ms(c->ctx),
                              .piece = r->piece,
                              .fn = fn,
                              .arg = arg};
    if (fine)
        return call;
    call_free(call);
    return NULL;
}

struct k8s_call *k8s_call(struct k8s_client *c, const struct k8s_request *r, k8s_call_fn fn, void *arg,
                          char why[K8S_WHY])
{
    const uint64_t now = c->host->now_ms(c->ctx);
    struct k8s_call *call;

    if (now < c->not_before_ms) {
        k8s_why(why, "%.150s; the next try is in %u ms", c->last_why, (unsigned)(c->not_before_ms - now));
        return NULL;
    }
    if (c->token_read_ms == 0 || now - c->token_read_ms >= TOKEN_MS)
        read_token(c);
    call = call_new(c, r, fn, arg);
    if (call == NULL) {
        k8s_why(why, "no memory for a request");
        return NULL;
    }
    if (begin(call, why))
        return call;
    call_free(call);
    return NULL;
}

void k8s_call_cancel(struct k8s_call *call)
{
    if (call == NULL)
        return;
    call->client->host->http_cancel(call->http);
    call_free(call);
}
