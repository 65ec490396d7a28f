/* net_client_test.c - our client against servers that mean harm, and against names that never resolve. */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/net.h"

#define PATIENCE_S 20 /* a loop that is blocked cannot count for itself: SIGALRM does */

static struct loop *loop;
static struct net_client *client;

/* ---- a server that says what it is told to --------------------------------------------- */

struct server {
    int fd, peer;
    uint16_t port;
    struct loop_io *listening, *talking;
    unsigned accepted;
    struct bytes head, again; /* sent once, and then again and again while somebody takes it */
    size_t sent;              /* of `head` */
    bool ends;                /* the connection, after `head` */
    struct buf heard;
};

static void hang_up(struct server *s)
{
    if (s->talking != NULL)
        loop_io_free(s->talking);
    s->talking = NULL;
    if (s->peer >= 0)
        close(s->peer);
    s->peer = -1;
}

static void on_talk(void *arg, int events)
{
    struct server *s = arg;
    char chunk[4096];
    struct bytes next = s->again;
    ssize_t n;

    if ((events & LOOP_READ) != 0) {
        n = recv(s->peer, chunk, sizeof(chunk), MSG_DONTWAIT);
        if (n > 0)
            buf_add(&s->heard, chunk, (size_t)n);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            hang_up(s);
            return;
        }
    }
    if (s->sent < s->head.len)
        next = (struct bytes){s->head.ptr + s->sent, s->head.len - s->sent};
    if (next.len == 0) {
        loop_io_set(s->talking, LOOP_READ);
        return;
    }
    n = send(s->peer, next.ptr, next.len, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0 && s->sent < s->head.len)
        s->sent += (size_t)n;
    if ((n < 0 && errno != EAGAIN) || (s->ends && s->sent == s->head.len))
        hang_up(s);
}

static void on_accept(void *arg, int events)
{
    struct server *s = arg;

    (void)events;
    s->accepted++;
    s->peer = accept(s->fd, NULL, NULL);
    s->sent = 0;
    s->talking = loop_io_new(loop, s->peer, LOOP_READ | LOOP_WRITE, on_talk, s);
}

static void serve(struct server *s, struct bytes head, struct bytes again)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);

    *s = (struct server){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), .peer = -1};
    assert_return_code(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), errno);
    assert_return_code(listen(s->fd, 8), errno);
    assert_return_code(getsockname(s->fd, (struct sockaddr *)&a, &len), errno);
    s->port = ntohs(a.sin_port);
    s->head = head;
    s->again = again;
    s->ends = again.len == 0;
    s->listening = loop_io_new(loop, s->fd, LOOP_READ, on_accept, s);
}

static void server_done(struct server *s)
{
    hang_up(s);
    loop_io_free(s->listening);
    close(s->fd);
    buf_done(&s->heard);
}

/* ---- exchanges ----------------------------------------------------------------------------- */

struct got {
    bool over, cut;
    int status;
    struct buf body;
    struct err err;
};

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct got *g = arg;

    g->over = true;
    if (err != NULL) {
        g->err = *err;
    } else {
        g->status = answer->status;
        g->cut = answer->cut;
        buf_add(&g->body, answer->body.ptr, answer->body.len);
    }
    loop_stop(loop);
}

static void exchange(struct got *g, const char *url, uint64_t deadline_ms)
{
    struct net_call call = {.method = "POST", .url = url, .deadline_ms = deadline_ms, .answer_max = 4096};
    struct net_exchange *x;
    struct err err = {0};

    *g = (struct got){0};
    assert_int_equal(net_call(client, &call, on_answer, g, &x, &err), 0);
    alarm(PATIENCE_S);
    while (!g->over)
        loop_run(loop);
    alarm(0);
}

static void meet(struct got *g, struct server *s, struct bytes head, struct bytes again)
{
    char url[64];

    serve(s, head, again);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)s->port);
    exchange(g, url, PATIENCE_S * 1000);
}

/* ---- tests ----------------------------------------------------------------------------------- */

#define OK "HTTP/1.1 200 OK\r\n"

static void test_headers_without_end(void **state)
{
    static const struct {
        const char *head, *again;
    } cases[] = {
        {OK, "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"},
        {"", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"}, /* interim answers */
        {OK "Transfer-Encoding: chunked\r\n\r\n0\r\n", "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct server s;
        struct got g;

        meet(&g, &s, bytes_of(cases[i].head), bytes_of(cases[i].again));
        assert_int_equal(g.err.code, ERR_AGAIN);
        assert_string_equal(g.err.text, "the answer's headers are larger than 65536 bytes");
        buf_done(&g.body);
        server_done(&s);
    }
}

static void test_a_body_without_end(void **state)
{
    struct server s;
    struct got g;

    (void)state;
    meet(&g, &s, bytes_of(OK "\r\n"), bytes_of("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"));
    assert_int_equal(g.status, 200);
    assert_true(g.cut && g.body.len <= 4096);
    buf_done(&g.body);
    server_done(&s);
}

/* 100,000 times x, by gzip. */
static const char bomb[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x31\x01\x00\x00\x00\xc2\xa0\xda\x8b\x6f\x0d\x0f"
    "\xa0\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x80\x57\x03\x71\x11\x07\xfe\xa0\x86\x01\x00";

static void test_nothing_is_unpacked(void **state)
{
    CLEAN_BUF struct buf answer = {0};
    struct server s;
    struct got g;

    (void)state;
    buf_addf(&answer, OK "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", sizeof(bomb) - 1);
    buf_add(&answer, bomb, sizeof(bomb) - 1);
    meet(&g, &s, (struct bytes){answer.data, answer.len}, (struct bytes){0});
    assert_int_equal(g.status, 200);
    assert_int_equal(g.body.len, sizeof(bomb) - 1);
    assert_memory_equal(g.body.data, bomb, sizeof(bomb) - 1);
    assert_null(strcasestr(s.heard.data, "Accept-Encoding"));
    buf_done(&g.body);
    server_done(&s);

    buf_clear(&answer);
    buf_adds(&answer, OK "Transfer-Encoding: gzip \r\nConnection: close\r\n\r\n");
    buf_add(&answer, bomb, sizeof(bomb) - 1);
    meet(&g, &s, (struct bytes){answer.data, answer.len}, (struct bytes){0});
    assert_int_equal(g.err.code, ERR_AGAIN);
    assert_string_equal(g.err.text, "the answer's Transfer-Encoding is not chunked");
    assert_int_equal(g.body.len, 0);
    server_done(&s);
}

static void test_chunks_are_read(void **state)
{
    struct server s;
    struct got g;

    (void)state;
    meet(&g, &s, bytes_of(OK "Transfer-Encoding: Chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), (struct bytes){0});
    assert_int_equal(g.status, 200);
    assert_int_equal(g.body.len, 3);
    buf_done(&g.body);
    server_done(&s);
}

/* Whatever proxy the environment names: nobody asks it. */
static void test_no_proxy(void **state)
{
    static const char *const names[] = {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"};
    struct server proxy, s;
    struct got g;
    char url[64];

    (void)state;
    serve(&proxy, bytes_of(OK "Content-Length: 0\r\n\r\n"), (struct bytes){0});
    snprintf(url, sizeof(url), "http://127.0.0.1:%u", (unsigned)proxy.port);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        setenv(names[i], url, 1);
    meet(&g, &s, bytes_of(OK "Content-Length: 1\r\n\r\nx"), (struct bytes){0});
    assert_int_equal(g.body.len, 1);
    assert_int_equal(proxy.accepted, 0);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        unsetenv(names[i]);
    buf_done(&g.body);
    server_done(&s);
    server_done(&proxy);
}

/* ---- names -------------------------------------------------------------------------------------- */

static sem_t resolver_may_end, resolver_ended;

/* libcurl's calls come here: the program's own symbol is found first. */
int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **res)
{
    static int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

    if (node != NULL && strcmp(node, "never.test") == 0) {
        while (sem_wait(&resolver_may_end) != 0)
            continue;
        sem_post(&resolver_ended);
        return EAI_AGAIN;
    }
    if (real == NULL)
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(node, service, hints, res);
}

/* The deadline ends an exchange whose name is still being looked for, and nobody waits for the looking. */
static void test_a_name_that_takes_for_ever(void **state)
{
    struct got g;

    (void)state;
    sem_init(&resolver_may_end, 0, 0);
    sem_init(&resolver_ended, 0, 0);
    exchange(&g, "http://never.test/", 100);
    assert_int_equal(g.err.code, ERR_AGAIN);
    sem_post(&resolver_may_end); /* only now */
    while (sem_wait(&resolver_ended) != 0)
        continue;
}

/* ---- a stream: far more than may be pending, until its reader has enough ---------------------- */

struct stream {
    size_t pieces, bytes, largest;
    struct net_exchange *x;
    bool over;
};

static void on_stream_piece(void *arg, struct bytes piece)
{
    struct stream *s = arg;

    s->pieces++;
    s->bytes += piece.len;
    s->largest = MAX(s->largest, piece.len);
    if (s->bytes < (4u << 20))
        return;
    net_exchange_cancel(s->x); /* from within */
    loop_stop(loop);
}

static void on_stream_over(void *arg, const struct err *err, const struct net_answer *answer)
{
    (void)err;
    (void)answer;
    ((struct stream *)arg)->over = true;
    loop_stop(loop);
}

static void test_a_stream(void **state)
{
    static char much[8192];
    struct net_call call = {
        .method = "GET", .deadline_ms = PATIENCE_S * 1000, .answer_max = 2u << 20, .piece = on_stream_piece};
    struct stream st = {0};
    struct server s;
    struct err err = {0};
    char url[64];

    (void)state;
    memset(much, 'x', sizeof(much));
    serve(&s, bytes_of(OK "\r\n"), (struct bytes){much, sizeof(much)});
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/", (unsigned)s.port);
    call.url = url;
    assert_int_equal(net_call(client, &call, on_stream_over, &st, &st.x, &err), 0);
    alarm(PATIENCE_S);
    loop_run(loop);
    alarm(0);
    assert_false(st.over);
    assert_true(st.pieces > 1 && st.bytes >= (4u << 20) && st.largest <= (2u << 20));
    server_done(&s);
}

static int setup(void **state)
{
    const struct net_client_options o = {.connections_max = 8, .user_agent = "test"};
    struct err err = {0};

    (void)state;
    return loop_new(&loop, &err) != 0 || net_client_open(loop, &o, &client, &err) != 0 ? -1 : 0;
}

static int teardown(void **state)
{
    (void)state;
    net_client_free(client);
    loop_free(loop);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headers_without_end),
        cmocka_unit_test(test_a_body_without_end),
        cmocka_unit_test(test_nothing_is_unpacked),
        cmocka_unit_test(test_chunks_are_read),
        cmocka_unit_test(test_a_stream),
        cmocka_unit_test(test_no_proxy),
        cmocka_unit_test(test_a_name_that_takes_for_ever),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
