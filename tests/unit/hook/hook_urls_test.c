/* hook_urls_test.c - a table of URLs that lead somewhere a webhook must not go, however they are written.
 *
 * Each goes through what a callback goes through: the check of its form, and then a real exchange under the
 * real guard.  Names in it need no resolver but the machine's own file of hosts. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "hook_internal.h"
#include "net/net.h"

#define PATIENCE_MS 20000

enum fate {
    BY_FORM,  /* a submission with it is refused */
    BY_GUARD, /* its address is */
    TO_US,    /* the same, and without the guard it would have reached our listener at PORT */
};

static const struct {
    const char *url; /* PORT: of a listener on 127.0.0.1 */
    enum fate fate;
} table[] = {
    /* loopback, in the spellings that inet_aton(3) and URLs know */
    {"http://127.0.0.1:PORT/", TO_US},
    {"http://127.0.0.1:PORT", TO_US},
    {"HTTP://127.0.0.1:PORT/", TO_US},
    {"http://127.0.0.1:PORT?x=http://example.org/", TO_US},
    {"http://localhost:PORT/", TO_US},
    {"http://LOCALHOST:PORT/", TO_US},
    {"http://127.1:PORT/", TO_US},
    {"http://127.0.1:PORT/", TO_US},
    {"http://2130706433:PORT/", TO_US},
    {"http://0x7f000001:PORT/", TO_US},
    {"http://0x7f.1:PORT/", TO_US},
    {"http://0X7F.0.0.1:PORT/", TO_US},
    {"http://0177.0.0.1:PORT/", TO_US},
    {"http://017700000001:PORT/", TO_US},
    {"http://127.0.0.0x1:PORT/", TO_US},
    {"http://%31%32%37.0.0.1:PORT/", BY_FORM},
    {"http://127%2e0%2e0%2e1:PORT/", BY_FORM},
    {"http:/127.0.0.1:PORT/", BY_FORM}, /* one slash: curl takes it */
    {"http://0.0.0.0:PORT/", TO_US},
    {"http://0:PORT/", TO_US},
    {"http://[::ffff:127.0.0.1]:PORT/", TO_US},
    {"http://[::ffff:7f00:1]:PORT/", TO_US},
    {"http://[0:0:0:0:0:ffff:127.0.0.1]:PORT/", TO_US},
    {"http://127.255.255.254/", BY_GUARD},
    {"http://[::1]/", BY_GUARD},
    {"http://[0000:0000:0000:0000:0000:0000:0000:0001]/", BY_GUARD},
    {"http://[::]/", BY_GUARD},
    {"https://127.0.0.1/", BY_GUARD},
    /* IPv4 inside of IPv6 */
    {"http://[::127.0.0.1]/", BY_GUARD},
    {"http://[::ffff:10.0.0.1]/", BY_GUARD},
    {"http://[::ffff:a9fe:a9fe]/", BY_GUARD},
    {"http://[::ffff:0:127.0.0.1]/", BY_GUARD},
    {"http://[64:ff9b::7f00:1]/", BY_GUARD},
    {"http://[64:ff9b::169.254.169.254]/", BY_GUARD},
    {"http://[64:ff9b:1::a00:1]/", BY_GUARD},
    {"http://[2002:7f00:1::]/", BY_GUARD},
    {"http://[2002:a9fe:a9fe::1]/", BY_GUARD},
    {"http://[2001:0:4136:e378:8000:63bf:f5ff:fffe]/", BY_GUARD},
    {"http://[2606:4700::5efe:a00:1]/", BY_GUARD},
    {"http://[2606:4700::200:5efe:192.168.0.1]/", BY_GUARD},
    /* the cloud's metadata */
    {"http://169.254.169.254/latest/meta-data/", BY_GUARD},
    {"http://2852039166/", BY_GUARD},
    {"http://0xa9fea9fe/", BY_GUARD},
    {"http://0251.0376.0251.0376/", BY_GUARD},
    {"http://169.254.43518/", BY_GUARD},
    {"http://169.254.170.2/v2/credentials", BY_GUARD},
    {"http://[fd00:ec2::254]/", BY_GUARD},
    {"http://[fd20:ce::254]/", BY_GUARD},
    {"http://100.100.100.200/", BY_GUARD},
    {"http://192.0.0.192/", BY_GUARD},
    {"http://168.63.129.16/", BY_GUARD},
    /* private and special networks */
    {"http://10.0.0.1/", BY_GUARD},
    {"http://10.1/", BY_GUARD},
    {"http://172.16.0.1/", BY_GUARD},
    {"http://172.31.255.255/", BY_GUARD},
    {"http://192.168.1.1/", BY_GUARD},
    {"http://192.168.257/", BY_GUARD},
    {"http://100.64.0.1/", BY_GUARD},
    {"http://198.18.0.1/", BY_GUARD},
    {"http://192.0.2.1/", BY_GUARD},
    {"http://192.88.99.1/", BY_GUARD},
    {"http://224.0.0.1/", BY_GUARD},
    {"http://240.0.0.1/", BY_GUARD},
    {"http://255.255.255.255/", BY_GUARD},
    {"http://[fc00::1]/", BY_GUARD},
    {"http://[fe80::1]/", BY_GUARD},
    {"http://[fec0::1]/", BY_GUARD},
    {"http://[ff02::1]/", BY_GUARD},
    {"http://[2001:db8::1]/", BY_GUARD},
    {"http://[3fff::1]/", BY_GUARD},
    {"http://[100::1]/", BY_GUARD},
    /* what is no callback at all */
    {"file:///etc/passwd", BY_FORM},
    {"gopher://127.0.0.1:PORT/_x", BY_FORM},
    {"dict://127.0.0.1:PORT/x", BY_FORM},
    {"ftp://127.0.0.1/", BY_FORM},
    {"ldap://127.0.0.1/", BY_FORM},
    {"unix:/run/x.sock", BY_FORM},
    {"javascript:alert(1)", BY_FORM},
    {"//127.0.0.1:PORT/", BY_FORM},
    {"127.0.0.1:PORT/", BY_FORM},
    {"http://", BY_FORM},
    {"http:///127.0.0.1:PORT/", BY_FORM},
    {"http:////127.0.0.1:PORT/", BY_FORM},
    {"http:\\\\127.0.0.1:PORT\\", BY_FORM},
    {"http://example.org\\@127.0.0.1:PORT/", BY_FORM},
    {"http://example.org@127.0.0.1:PORT/", BY_FORM},
    {"http://example.org:80@127.0.0.1:PORT/", BY_FORM},
    {"http://127.0.0.1:PORT#@example.org/", BY_FORM},
    {"http://127.0.0.1:PORT/\r\nHost: x", BY_FORM},
    {"http://127.0.0.1:PORT/ HTTP/1.1", BY_FORM},
    {"http://127.0.0.1\t:PORT/", BY_FORM},
    {"http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1:PORT/", BY_FORM}, /* full-width 127 */
    {"http://\xe2\x91\xa0\xe2\x91\xa1\xe2\x91\xa6.0.0.1:PORT/", BY_FORM}, /* circled 127 */
    {"http://127\xe3\x80\x82"
     "0.0.1:PORT/",
     BY_FORM}, /* an ideographic dot */
    {"http://[::1/", BY_FORM},
    {"http://[127.0.0.1]:PORT/", BY_FORM},
    {"http://127.0.0.1:22/", BY_FORM},
    {"http://127.0.0.1:25/", BY_FORM},
    {"http://127.0.0.1:6379/", BY_FORM},
    {"http://127.0.0.1:11211/", BY_FORM},
    {"http://127.0.0.1:0/", BY_FORM},
    {"http://127.0.0.1:65536/", BY_FORM},
};
_Static_assert(COUNT_OF(table) >= 60, "the table keeps its size");

static struct loop *loop;
static uint16_t port;
static unsigned accepted;
static struct hook_guard guard;

/* ---- where they want to go ------------------------------------------------------------- */

static void on_accept(void *arg, int events)
{
    static const char answer[] = "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    int fd = accept(*(int *)arg, NULL, NULL);

    (void)events;
    assert_int_equal(send(fd, answer, sizeof(answer) - 1, MSG_NOSIGNAL), sizeof(answer) - 1);
    close(fd);
    accepted++;
}

static int listen_here(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_return_code(bind(fd, (struct sockaddr *)&a, sizeof(a)), errno);
    assert_return_code(listen(fd, 64), errno);
    assert_return_code(getsockname(fd, (struct sockaddr *)&a, &len), errno);
    port = ntohs(a.sin_port);
    return fd;
}

/* ---- how they try ------------------------------------------------------------------------ */

struct got {
    bool over;
    struct err err;
};

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct got *g = arg;

    (void)answer;
    g->over = true;
    if (err != NULL)
        g->err = *err;
    loop_stop(loop);
}

static void give_up(void *arg)
{
    fail_msg("%s: nothing happened within %d ms", (const char *)arg, PATIENCE_MS);
}

static void send_to(struct net_client *client, char *url, struct got *g)
{
    struct net_call call = {.method = "POST", .url = url, .deadline_ms = PATIENCE_MS, .answer_max = 1024};
    struct loop_timer *t = loop_timer_new(loop, give_up, url);
    struct net_exchange *x;
    struct err err = {0};

    *g = (struct got){0};
    assert_int_equal(net_call(client, &call, on_answer, g, &x, &err), 0);
    loop_timer_arm(t, 2 * PATIENCE_MS);
    while (!g->over)
        loop_run(loop);
    loop_timer_free(t);
}

static char *with_port(const char *url)
{
    const char *at = strstr(url, "PORT");

    return at == NULL ? mem_dup(url)
                      : mem_printf("%.*s%u%s", (int)(at - url), url, (unsigned)port, at + strlen("PORT"));
}

static bool may_connect(void *arg, const char *address, uint16_t to)
{
    (void)arg;
    (void)to;
    return hook_guard_allows(&guard, address);
}

static void guard_set(bool allow_private)
{
    const struct conf conf = {.hook_allow_private = allow_private};
    struct err err = {0};

    assert_int_equal(hook_guard_open(&guard, &conf, &err), 0);
}

static void try_one(struct net_client *client, const char *pattern, enum fate fate)
{
    CLEAN_FREE char *url = with_port(pattern);
    unsigned before = accepted;
    struct err err = {0};
    struct got g;

    if (fate == BY_FORM) {
        if (net_callback_check(url, &err) == 0)
            fail_msg("%s is taken for a callback", url);
        return;
    }
    if (net_callback_check(url, &err) != 0)
        fail_msg("%s: %s", url, err.text);
    guard_set(false);
    send_to(client, url, &g);
    if (g.err.code != ERR_REQUEST || strstr(g.err.text, "is refused") == NULL || accepted != before)
        fail_msg("%s: %d %s", url, g.err.code, g.err.text);
    if (fate != TO_US)
        return;
    guard_set(true);
    send_to(client, url, &g);
    if (g.err.code != 0 || accepted != before + 1) /* else the row shows nothing */
        fail_msg("%s does not get here without the guard: %s", url, g.err.text);
}

static void test_table(void **state)
{
    const struct net_client_options o = {
        .connections_max = 4, .may_connect = may_connect, .user_agent = "test"};
    struct net_client *client;
    struct loop_io *io;
    struct err err = {0};
    int fd;

    (void)state;
    assert_int_equal(loop_new(&loop, &err), 0);
    assert_int_equal(net_client_open(loop, &o, &client, &err), 0);
    fd = listen_here();
    io = loop_io_new(loop, fd, LOOP_READ, on_accept, &fd);
    for (size_t i = 0; i < COUNT_OF(table); i++)
        try_one(client, table[i].url, table[i].fate);
    net_client_free(client);
    loop_io_free(io);
    close(fd);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
