/* net_http_test.c - our server and our client against each other and against raw sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/net.h"

#define PATIENCE_MS 20000

static struct loop *loop;
static struct net_server *server;
static struct net_client *client;
static struct net_request *held; /* by /hold */
static unsigned handled, left;
static char refused_address[64];

/* ---- the server's side --------------------------------------------------------------- */

static void on_left(void *arg)
{
    (void)arg;
    left++;
    held = NULL;
    loop_stop(loop);
}

static void on_request(void *arg, struct net_request *r)
{
    CLEAN_BUF struct buf b = {0};
    const char *q = net_request_query(r, "q"), *header = net_request_header(r, "X-Test");

    (void)arg;
    handled++;
    if (strcmp(net_request_path(r), "/hold") == 0) {
        held = r;
        net_request_on_close(r, on_left, NULL);
        loop_stop(loop);
        return;
    }
    if (strcmp(net_request_path(r), "/moved") == 0)
        net_reply_header(r, "Location", "/");
    if (strcmp(net_request_path(r), "/later") == 0)
        net_reply_header(r, "Retry-After", "7");
    if (strcmp(net_request_path(r), "/big") == 0)
        assert_int_equal(buf_reserve(&b, 100000), 0);
    buf_addf(&b, "%s %s q=%s h=%s peer=%s body=%zu", net_request_method(r), net_request_path(r),
             q == NULL ? "-" : q, header == NULL ? "-" : header, net_request_peer(r),
             net_request_body(r).len);
    while (strcmp(net_request_path(r), "/big") == 0 && b.len < 90000)
        buf_adds(&b, "................................................................");
    net_reply(r, strcmp(net_request_path(r), "/moved") == 0 ? 302 : 200, "text/plain",
              (struct bytes){b.data, b.len});
}

static bool may_connect(void *arg, const char *address, uint16_t port)
{
    (void)arg;
    (void)port;
    return strcmp(address, refused_address) != 0;
}

static int setup(void **state)
{
    const struct net_server_options so = {.address = "127.0.0.1",
                                          .header_max = 8192,
                                          .body_max = 65536,
                                          .connections_max = 64,
                                          .idle_ms = 2000};
    const struct net_client_options co = {
        .connections_max = 64, .may_connect = may_connect, .user_agent = "t"};
    struct err err = {0};

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    handled = left = 0;
    refused_address[0] = '\0';
    if (loop_new(&loop, &err) != 0 || net_server_open(loop, &so, on_request, NULL, &server, &err) != 0)
        return -1;
    return net_client_open(loop, &co, &client, &err);
}

static int teardown(void **state)
{
    (void)state;
    net_client_free(client);
    net_server_free(server);
    loop_free(loop);
    return 0;
}

/* ---- the client's side ------------------------------------------------------------------ */

struct got {
    bool over;
    int status;
    uint64_t retry_after;
    bool cut;
    struct err err;
    char body[512];
};

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct got *g = arg;

    assert_false(g->over);
    g->over = true;
    if (err != NULL) {
        g->err = *err;
    } else {
        g->status = answer->status;
        g->retry_after = answer->retry_after_s;
        g->cut = answer->cut;
        snprintf(g->body, sizeof(g->body), "%.*s", (int)MIN(answer->body.len, (size_t)500), answer->body.ptr);
    }
    loop_stop(loop);
}

static void give_up(void *arg)
{
    (void)arg;
    fail_msg("nothing happened within %d ms", PATIENCE_MS);
}

static void until(const bool *flag, const unsigned *count, unsigned want)
{
    struct loop_timer *t = loop_timer_new(loop, give_up, NULL);

    loop_timer_arm(t, PATIENCE_MS);
    while (flag != NULL ? !*flag : *count < want)
        loop_run(loop);
    loop_timer_free(t);
}

static struct net_exchange *ask(struct got *g, const char *method, const char *path, struct bytes body,
                                uint64_t deadline_ms)
{
    static const char *const headers[] = {"X-Test: yes", NULL};
    char url[256];
    struct net_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .body = body,
                            .deadline_ms = deadline_ms,
                            .answer_max = 4096};
    struct net_exchange *x;
    struct err err = {0};

    *g = (struct got){0};
    snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", (unsigned)net_server_port(server), path);
    assert_int_equal(net_call(client, &call, on_answer, g, &x, &err), 0);
    return x;
}

static void exchange(struct got *g, const char *method, const char *path, struct bytes body)
{
    ask(g, method, path, body, PATIENCE_MS);
    until(&g->over, NULL, 0);
}

static void test_request_as_it_was_sent(void **state)
{
    struct got g;

    (void)state;
    exchange(&g, "POST", "/a%20b?x=1&q=one%26two&q=later", bytes_of("12345"));
    assert_int_equal(g.status, 200);
    assert_string_equal(g.body, "POST /a b q=one&two h=yes peer=127.0.0.1 body=5");
    exchange(&g, "DELETE", "/", bytes_of(NULL));
    assert_string_equal(g.body, "DELETE / q=- h=yes peer=127.0.0.1 body=0");
    exchange(&g, "GET", "/later", bytes_of(NULL));
    assert_int_equal(g.retry_after, 7);
    exchange(&g, "GET", "/moved", bytes_of(NULL)); /* not followed */
    assert_int_equal(g.status, 302);
}

static void test_bounds(void **state)
{
    static char big[200000];
    struct got g;

    (void)state;
    memset(big, 'x', sizeof(big));
    exchange(&g, "POST", "/", (struct bytes){big, 65536});
    assert_int_equal(g.status, 200);
    exchange(&g, "POST", "/", (struct bytes){big, 65537});
    assert_int_equal(g.status, 413);
    assert_non_null(strstr(g.body, "urn:execd:problem:"));
    exchange(&g, "GET", "/big", bytes_of(NULL)); /* our client's bound */
    assert_int_equal(g.status, 200);
    assert_true(g.cut);
    exchange(&g, "GET", "/%00", bytes_of(NULL));
    assert_int_equal(g.status, 400);
    exchange(&g, "GET", "/?q=%00", bytes_of(NULL));
    assert_int_equal(g.status, 400);
    exchange(&g, "GET", "/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q=32&r&s&t&u&v&w&x&y&z&1&2&3&4&5&6",
             bytes_of(NULL));
    assert_int_equal(g.status, 200);
    exchange(&g, "GET", "/?a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q=33&r&s&t&u&v&w&x&y&z&1&2&3&4&5&6&7",
             bytes_of(NULL));
    assert_int_equal(g.status, 400);
}

static void test_deadline_and_cancel(void **state)
{
    struct got g;

    (void)state;
    ask(&g, "GET", "/hold", bytes_of(NULL), 100);
    until(&g.over, NULL, 0);
    assert_int_equal(g.err.code, ERR_AGAIN);
    until(NULL, &left, 1); /* and the server learns that the client is gone */
    net_exchange_cancel(ask(&g, "GET", "/", bytes_of(NULL), PATIENCE_MS));
    assert_false(g.over);
}

static void test_refused_addresses(void **state)
{
    struct got g;

    (void)state;
    snprintf(refused_address, sizeof(refused_address), "127.0.0.1");
    exchange(&g, "GET", "/", bytes_of(NULL));
    assert_int_equal(g.err.code, ERR_REQUEST);
    assert_non_null(strstr(g.err.text, "127.0.0.1"));
    assert_int_equal(handled, 0);
}

static int connect_raw(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons(net_server_port(server)),
                            .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(connect(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    return fd;
}

static void test_client_that_leaves(void **state)
{
    static const char text[] = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = connect_raw();

    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    until(NULL, &handled, 1);
    assert_non_null(held);
    close(fd);
    until(NULL, &left, 1);
    assert_null(held);
}

/* A second request before the first was answered must neither crash nor be lost. */
static void test_pipelining(void **state)
{
    static const char text[] =
        "GET /hold HTTP/1.1\r\nHost: x\r\n\r\nGET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    int fd = connect_raw();
    char answer[4096];
    size_t got = 0;
    ssize_t n;

    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    until(NULL, &handled, 1);
    net_request_on_close(held, NULL, NULL);
    net_reply(held, 200, "text/plain", bytes_of("first"));
    until(NULL, &handled, 1);
    struct loop_timer *t = loop_timer_new(loop, (loop_fn)loop_stop, loop);
    for (int i = 0; i < 200 && handled < 2; i++) {
        loop_timer_arm(t, 10);
        loop_run(loop);
    }
    loop_timer_arm(t, 50); /* lets the answer be written */
    loop_run(loop);
    loop_timer_free(t);
    assert_int_equal(handled, 2);
    while (got < sizeof(answer) - 1 && (n = read(fd, answer + got, sizeof(answer) - 1 - got)) > 0)
        got += (size_t)n;
    answer[got] = '\0';
    assert_non_null(strstr(answer, "first"));
    assert_non_null(strstr(answer, "GET /next"));
    close(fd);
}

static void test_server_goes_with_open_requests(void **state)
{
    static const char text[] = "GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";
    int fd = connect_raw();

    (void)state;
    assert_int_equal(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
    until(NULL, &handled, 1); /* teardown frees the server now */
    close(fd);
    left = 0;
}

static void test_many_at_once(void **state)
{
    static struct got g[200];
    struct loop_timer *t = loop_timer_new(loop, give_up, NULL);

    (void)state;
    loop_timer_arm(t, PATIENCE_MS);
    for (size_t i = 0; i < COUNT_OF(g); i++)
        ask(&g[i], "GET", "/", bytes_of(NULL), PATIENCE_MS);
    for (size_t i = 0; i < COUNT_OF(g); i++) {
        while (!g[i].over)
            loop_run(loop);
        assert_int_equal(g[i].status, 200);
    }
    loop_timer_free(t);
}

static void test_urls(void **state)
{
    static const char *const good[] = {"http://a", "https://a.b:8443/c?d=e", "http://[::1]/",
                                       "http://1.2.3.4"};
    static const char *const bad[] = {"",
                                      "a",
                                      "/a",
                                      "ftp://a",
                                      "file:///etc/passwd",
                                      "http://",
                                      "http://u@a/",
                                      "http://u:p@a/",
                                      "http://a b/",
                                      "http://a\n/",
                                      "javascript:alert(1)",
                                      "http:///a",
                                      "http://a#@b/",
                                      "http://a\\@b/",
                                      "http://\xef\xbc\x91.1.1.1/",
                                      "http://a:25/",
                                      "https://a:6379/x",
                                      "http://a:0/",
                                      "http://a:65536/",
                                      "gopher://a"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(net_callback_check(good[i], &err), 0);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (net_callback_check(bad[i], &err) != ERR_REQUEST)
            fail_msg("`%s` was accepted", bad[i]);
    assert_int_equal(net_url_check("http://a:25/", &err), 0); /* what the operator names is his to know */
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

static void on_turn(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

/* accept(2) fails for want of descriptors: it pauses, and goes on. */
static void test_out_of_descriptors(void **state)
{
    struct loop_timer *t;
    struct rlimit old, low;
    bool over = false;
    struct got g;
    int fds[20];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        fds[i] = connect_raw();
    t = loop_timer_new(loop, on_turn, &over);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    low = old;
    low.rlim_cur = (rlim_t)fds[COUNT_OF(fds) - 1] + 5;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    loop_timer_arm(t, 250);
    until(&over, NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    exchange(&g, "GET", "/", bytes_of(NULL));
    assert_int_equal(g.status, 200);
    for (size_t i = 0; i < COUNT_OF(fds); i++)
        close(fds[i]);
    loop_timer_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_request_as_it_was_sent),
        T(test_bounds),
        T(test_deadline_and_cancel),
        T(test_refused_addresses),
        T(test_client_that_leaves),
        T(test_pipelining),
        T(test_server_goes_with_open_requests),
        T(test_many_at_once),
        T(test_out_of_descriptors),
        T(test_urls),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
