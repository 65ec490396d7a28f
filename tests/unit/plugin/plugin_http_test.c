/* plugin_http_test.c - the HTTP that is lent to plugins: answers, pieces, bounds, and the ledger. */
#include "plugin_test.h"

struct heard {
    int done, dropped, pieces;
    int32_t rc, status;
    uint64_t retry_after_s;
    char text[256]; /* of the body, or of all pieces */
    struct execd_http *http;
    bool cancels; /* at its first piece */
};

static struct loop *loop;
static struct net_server *server;
static struct plugin_set set;
static struct execd_ctx *ctx;
static struct net_request *kept; /* one that is not answered */

static void on_request(void *arg, struct net_request *r)
{
    (void)arg;
    if (strcmp(net_request_path(r), "/never") == 0) {
        kept = r;
        loop_stop(loop);
        return;
    }
    if (strcmp(net_request_path(r), "/busy") == 0) {
        net_reply_header(r, "Retry-After", "7");
        net_reply(r, 429, "text/plain", bytes_of("busy"));
        return;
    }
    net_reply(r, 200, "text/plain",
              net_request_body(r).len > 0 ? net_request_body(r) : bytes_of(net_request_method(r)));
}

static int setup(void **state)
{
    const struct net_server_options o = {.address = "127.0.0.1",
                                         .header_max = 8192,
                                         .body_max = 8192,
                                         .connections_max = 100,
                                         .buffers_max = 1 << 20,
                                         .idle_ms = 60000};
    struct err err = {0};

    (void)state;
    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    if (loop_new(&loop, &err) != 0 || net_server_open(loop, &o, on_request, NULL, &server, &err) != 0)
        return -1;
    ctx = NEW(struct execd_ctx);
    ctx->set = &set;
    ctx->fd = -1;
    ctx->desc.name = "actor";
    pthread_mutex_init(&ctx->mutex, NULL);
    TAILQ_INIT(&ctx->posts);
    TAILQ_INIT(&ctx->timers);
    TAILQ_INIT(&ctx->https);
    kept = NULL;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    plugin_ledger_close(ctx);
    plugin_ctx_free(ctx);
    net_server_free(server);
    loop_free(loop);
    return 0;
}

static void on_done(void *arg, int32_t rc, int32_t status, struct execd_bytes body)
{
    struct heard *h = arg;

    h->done++;
    h->rc = rc;
    h->status = status;
    h->retry_after_s = plugin_host.http_retry_after_s(h->http);
    plugin_host.http_cancel(h->http); /* means nothing now */
    snprintf(h->text + strlen(h->text), sizeof(h->text) - strlen(h->text), "%.*s", (int)body.len, body.ptr);
    loop_stop(loop);
}

static void on_piece(void *arg, struct execd_bytes piece)
{
    struct heard *h = arg;

    h->pieces++;
    snprintf(h->text + strlen(h->text), sizeof(h->text) - strlen(h->text), "%.*s|", (int)piece.len,
             piece.ptr);
    if (h->cancels) {
        plugin_host.http_cancel(h->http);
        loop_stop(loop);
    }
}

static void on_drop(void *arg)
{
    ((struct heard *)arg)->dropped++;
}

static struct execd_http_request request(const char *path, char url[64])
{
    snprintf(url, 64, "http://127.0.0.1:%u%s", (unsigned)net_server_port(server), path);
    return (struct execd_http_request){
        .size = sizeof(struct execd_http_request), .method = "GET", .url = url, .deadline_ms = 20000};
}

static void begin(struct heard *h, const struct execd_http_request *r)
{
    struct execd_error err = {.size = sizeof(err)};

    h->http = plugin_host.http_start(ctx, r, on_done, h, on_drop, &err);
    if (h->http == NULL)
        fail_msg("http_start: %s", err.text);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void test_an_answer(void **state)
{
    struct heard h = {0};
    char url[64];
    struct execd_http_request r = request("/", url);

    (void)state;
    plugin_ledger_open(ctx, loop);
    r.method = "PATCH";
    r.body = (struct execd_bytes){"{}", 2};
    begin(&h, &r);
    loop_run(loop);
    assert_int_equal(h.done, 1);
    assert_int_equal(h.rc, EXECD_OK);
    assert_int_equal(h.status, 200);
    assert_string_equal(h.text, "{}");
    assert_int_equal(h.dropped, 1);
    assert_int_equal(ctx->http_count, 0);
}

static void test_retry_after(void **state)
{
    struct heard h = {0};
    char url[64];
    struct execd_http_request r = request("/busy", url);

    (void)state;
    plugin_ledger_open(ctx, loop);
    r.piece = on_piece; /* of an answer that is not 200 nothing comes in pieces */
    begin(&h, &r);
    loop_run(loop);
    assert_int_equal(h.status, 429);
    assert_int_equal(h.retry_after_s, 7);
    assert_string_equal(h.text, "busy");
    assert_int_equal(h.pieces, 0);
}

static void test_pieces(void **state)
{
    struct heard h = {0}, cancelled = {.cancels = true};
    char url[64];
    struct execd_http_request r = request("/", url);

    (void)state;
    plugin_ledger_open(ctx, loop);
    r.piece = on_piece;
    begin(&h, &r);
    loop_run(loop);
    assert_int_equal(h.done, 1);
    assert_int_equal(h.pieces, 1);
    assert_string_equal(h.text, "GET|"); /* done() has none of it again */
    begin(&cancelled, &r);
    loop_run(loop);
    assert_int_equal(cancelled.pieces, 1);
    assert_int_equal(cancelled.done, 0);
    assert_int_equal(cancelled.dropped, 1);
}

static void test_a_body_beyond_its_bound(void **state)
{
    struct heard h = {0};
    char url[64];
    struct execd_http_request r = request("/", url);

    (void)state;
    plugin_ledger_open(ctx, loop);
    r.body_max = 2;
    begin(&h, &r);
    loop_run(loop);
    assert_int_equal(h.rc, EXECD_E_AGAIN);
    assert_string_equal(h.text, "the answer is larger than body_max");
}

static void test_what_is_left_ends_with_the_ledger(void **state)
{
    struct heard h = {0}, late = {0};
    char url[64];
    struct execd_http_request r = request("/never", url);
    struct execd_error err = {.size = sizeof(err)};

    (void)state;
    assert_null(plugin_host.http_start(ctx, &r, on_done, &late, on_drop, &err)); /* not started yet */
    assert_int_equal(late.dropped, 1);
    plugin_ledger_open(ctx, loop);
    begin(&h, &r);
    loop_run(loop);
    assert_non_null(kept);
    plugin_ledger_close(ctx);
    assert_int_equal(h.done, 0);
    assert_int_equal(h.dropped, 1);
    assert_null(plugin_host.http_start(ctx, &r, on_done, &late, on_drop, &err));
    assert_int_equal(err.code, EXECD_E_AGAIN);
}

static void test_refusals(void **state)
{
    static const char *const urls[] = {"ftp://127.0.0.1/", "file:///etc/passwd", "nothing"};
    struct heard h = {0};
    char url[64];
    struct execd_http_request r = request("/never", url);
    struct execd_error err = {.size = sizeof(err)};
    int begun = 0;

    (void)state;
    plugin_ledger_open(ctx, loop);
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        r.url = urls[i];
        assert_null(plugin_host.http_start(ctx, &r, on_done, &h, on_drop, &err));
    }
    r.url = url;
    r.flags = 1;
    assert_null(plugin_host.http_start(ctx, &r, on_done, &h, on_drop, &err));
    r.flags = 0;
    for (unsigned i = 0; i < EXECD_HTTP_MAX + 5; i++)
        begun += plugin_host.http_start(ctx, &r, on_done, &h, on_drop, &err) != NULL;
    assert_int_equal(begun, EXECD_HTTP_MAX);
    assert_string_equal(err.text, "64 exchanges are under way already");
    assert_int_equal(h.dropped, 4 + 5);
    plugin_ledger_close(ctx);
    assert_int_equal(h.dropped, 4 + 5 + EXECD_HTTP_MAX);
}

/* One that was built before members were appended has no say in them. */
static void test_a_request_of_1_0(void **state)
{
    struct heard h = {0};
    char url[64];
    struct execd_http_request r = request("/", url);

    (void)state;
    plugin_ledger_open(ctx, loop);
    r.size = offsetof(struct execd_http_request, ca_pem);
    r.ca_pem = r.cert_pem = r.key_pem = (struct execd_bytes){(const char *)1, 4096};
    r.piece = on_piece;
    begin(&h, &r);
    loop_run(loop);
    assert_string_equal(h.text, "GET");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_an_answer),
        TEST(test_retry_after),
        TEST(test_pieces),
        TEST(test_a_body_beyond_its_bound),
        TEST(test_what_is_left_ends_with_the_ledger),
        TEST(test_refusals),
        TEST(test_a_request_of_1_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
