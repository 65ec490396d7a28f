/* http_fuzz.c - the real HTTP surface on loopback: bytes of a client in pieces, the answers, what is left
 * behind.
 *
 * The first four bytes say where the rest is cut and whether the client stops sending at its end.  Server,
 * routes and readers are the real ones; their Redis is never there, so that what would be stored is answered
 * 503.  After each input the connection is gone on both sides, and nothing of it is left. */
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "api_internal.h"
#include "fuzz.h"

#define IDLE_TURNS 12 /* loopback delivers at once: after so many turns without a byte nothing comes */
#define TURNS_MAX 4000

static struct loop *loop;
static struct api *api;

static void server_start(void)
{
    struct store_options so = {.url = "unix:/nonexistent/redis.sock", .prefix = "fuzz", .max_attempts = 1};
    struct api_options ao = {.roles = 1};
    struct conf *conf = NULL;
    struct buf mistakes = {0};
    struct err err = {0};

    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    FUZZ_CHECK(conf_load(NULL, &conf, &mistakes) == 0 && loop_new(&loop, &err) == 0);
    conf->port = 0;
    conf->body_max = 1 << 16;
    conf->header_max = 1 << 12;
    FUZZ_CHECK(store_open(loop, &so, (struct store **)&ao.store, &err) == 0);
    ao.loop = loop;
    ao.conf = conf;
    FUZZ_CHECK(api_start(&ao, &api, &err) == 0);
    api->languages.served = mem_zero(1, sizeof(*api->languages.served)); /* as if a worker had told */
    api->languages.served[0] = (struct store_language){71, "Python (3.11.2)"};
    api->languages.served_count = 1;
}

static void turn(void)
{
    event_base_loop(loop_event_base(loop), EVLOOP_NONBLOCK);
}

/* ---- a client ------------------------------------------------------------------------------- */

static int client_connect(void)
{
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(api_port(api)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger reset = {.l_onoff = 1}; /* no port is left in TIME_WAIT */
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    FUZZ_CHECK(fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) == 0);
    while (connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0)
        FUZZ_CHECK(errno == EADDRNOTAVAIL || errno == EINTR); /* every port was used a moment ago */
    return fd;
}

/* True while the server has not closed. */
static bool client_read(int fd, struct buf *heard, bool *ret_more)
{
    char chunk[4096];
    ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);

    *ret_more = n > 0;
    if (n > 0)
        FUZZ_CHECK(buf_add(heard, chunk, (size_t)n) == 0);
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void hear_out(int fd, struct buf *heard)
{
    for (int idle = 0, all = 0; idle < IDLE_TURNS && all < TURNS_MAX; all++) {
        bool more;

        turn();
        if (!client_read(fd, heard, &more))
            return;
        idle = more ? 0 : idle + 1;
    }
}

static void send_pieces(int fd, const uint8_t cuts[4], const uint8_t *data, size_t size, struct buf *heard)
{
    for (size_t at = 0, i = 0; at < size; i++) {
        size_t n = MIN(size - at, (size_t)1 + cuts[i % 3] * (cuts[i % 3] > 128 ? 16u : 1u));
        ssize_t sent = send(fd, data + at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
        bool more;

        if (sent < 0 && errno != EAGAIN)
            return; /* cut off, which is an answer */
        at += sent > 0 ? (size_t)sent : 0;
        turn();
        if (!client_read(fd, heard, &more))
            return;
    }
}

/* The first answer, if there is one: of HTTP, and never an error of ours but that Redis is away. */
static void answer_holds(const struct buf *heard)
{
    char line[32] = "";
    int status = 0;

    if (heard->len == 0)
        return;
    memcpy(line, heard->data, MIN(heard->len, sizeof(line) - 1));
    FUZZ_CHECK(sscanf(line, "HTTP/%*d.%*d %d ", &status) == 1);
    FUZZ_CHECK(status >= 100 && (status < 500 || status == 501 || status == 503));
    FUZZ_CHECK(memmem(heard->data, heard->len, "\r\n\r\n", 4) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct feed f = {data, size};
    CLEAN_BUF struct buf heard = {0};
    uint8_t cuts[4];
    unsigned before;
    int fd;

    if (api == NULL)
        server_start();
    feed_fill(&f, cuts, sizeof(cuts));
    turn();
    before = fuzz_open_fds();
    fd = client_connect();
    send_pieces(fd, cuts, f.p, f.left, &heard);
    if (cuts[3] % 2 == 0)
        shutdown(fd, SHUT_WR);
    hear_out(fd, &heard);
    answer_holds(&heard);
    close(fd);
    for (int i = 0; i < TURNS_MAX && fuzz_open_fds() != before; i++)
        turn();
    FUZZ_CHECK(fuzz_open_fds() == before && TAILQ_EMPTY(&api->calls));
    return 0;
}
