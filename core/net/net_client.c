/* net_client.c - HTTP client: libcurl's multi interface on the loop (multi_socket, libcurl-multi(3)). */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <curl/curl.h>

#include "net.h"

#define RETRY_AFTER_MAX_S 86400
#define HEADERS_MAX 65536 /* of one exchange: interim answers and trailers included */

struct net_exchange {
    TAILQ_ENTRY(net_exchange) link;
    struct net_client *client;
    CURL *easy;
    struct curl_slist *headers;
    struct buf body, answer;
    size_t header_bytes;
    const char *fault; /* why we broke off; NULL: we did not */
    void (*piece)(void *arg, struct bytes piece);
    uint64_t retry_after_s;
    bool refused, tried; /* addresses by may_connect; others were connected to */
    bool cut;            /* the answer's body was larger than the caller wants */
    char refused_address[64];
    char error[CURL_ERROR_SIZE];
    net_answer_fn done;
    void *arg;
};
TAILQ_HEAD(net_exchanges, net_exchange);

/* What curl watches of one socket. */
struct watch {
    TAILQ_ENTRY(watch) link;
    struct net_client *client;
    struct loop_io *io;
    int fd;
};
TAILQ_HEAD(watches, watch);

struct net_client {
    struct loop *loop;
    struct net_client_options o;
    CURLM *multi;
    struct loop_timer *timer, *finish_timer;
    struct net_exchanges exchanges;
    struct watches watches;
};

/* ---- the end of an exchange ------------------------------------------------------------ */

static void exchange_free(struct net_exchange *x)
{
    TAILQ_REMOVE(&x->client->exchanges, x, link);
    curl_multi_remove_handle(x->client->multi, x->easy);
    curl_easy_cleanup(x->easy);
    curl_slist_free_all(x->headers);
    buf_done(&x->body);
    buf_done(&x->answer);
    free(x);
}

static void explain(const struct net_exchange *x, CURLcode code, struct err *err)
{
    if (x->refused && !x->tried)
        err_set(err, ERR_REQUEST, "address %s is refused", x->refused_address);
    else if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL)
        err_set(err, ERR_REQUEST, "%s", curl_easy_strerror(code));
    else if (x->fault != NULL)
        err_set(err, ERR_AGAIN, "%s", x->fault);
    else
        err_set(err, ERR_AGAIN, "%.200s", x->error[0] != '\0' ? x->error : curl_easy_strerror(code));
}

static void finish(struct net_exchange *x, CURLcode code)
{
    struct net_answer answer = {.body = {x->answer.data, x->answer.len}, .retry_after_s = x->retry_after_s};
    struct err err = {0};
    long status = 0;

    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    answer.status = (int)status;
    answer.cut = x->cut;
    if (code != CURLE_OK && !x->cut)
        explain(x, code, &err);
    x->done(x->arg, err.code == 0 ? NULL : &err, err.code == 0 ? &answer : NULL);
    exchange_free(x);
}

static bool streams(const struct net_exchange *x)
{
    long status = 0;

    curl_easy_getinfo(x->easy, CURLINFO_RESPONSE_CODE, &status);
    return x->piece != NULL && status == 200;
}

/* Whoever gets a piece may cancel any exchange, so the list is begun anew after each. */
static void hand_on_pieces(struct net_client *c)
{
    struct net_exchange *x = TAILQ_FIRST(&c->exchanges);

    while (x != NULL) {
        if (x->answer.len == 0 || !streams(x)) {
            x = TAILQ_NEXT(x, link);
            continue;
        }
        struct buf mine = x->answer;

        x->answer = (struct buf){.max = mine.max};
        x->piece(x->arg, (struct bytes){mine.data, mine.len});
        buf_done(&mine);
        x = TAILQ_FIRST(&c->exchanges);
    }
}

/* Pieces are handed on and exchanges that ended are answered in a turn of their own, outside of curl. */
static void on_finish_timer(void *arg)
{
    struct net_client *c = arg;
    CURLMsg *m;
    int left;

    hand_on_pieces(c);
    while ((m = curl_multi_info_read(c->multi, &left)) != NULL) {
        struct net_exchange *x = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&x);
        finish(x, m->data.result);
    }
}

static void act(struct net_client *c, curl_socket_t fd, int what)
{
    int running;

    curl_multi_socket_action(c->multi, fd, what, &running);
    loop_timer_arm(c->finish_timer, 0);
}

/* ---- curl's sockets and timer ------------------------------------------------------------- */

static void on_io(void *arg, int events)
{
    struct watch *w = arg;

    act(w->client, w->fd,
        ((events & LOOP_READ) != 0 ? CURL_CSELECT_IN : 0) |
            ((events & LOOP_WRITE) != 0 ? CURL_CSELECT_OUT : 0));
}

static void watch_free(struct watch *w)
{
    TAILQ_REMOVE(&w->client->watches, w, link);
    loop_io_free(w->io);
    free(w);
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
    struct net_client *c = arg;
    struct watch *w = socket_arg;
    int events = (what & CURL_POLL_IN ? LOOP_READ : 0) | (what & CURL_POLL_OUT ? LOOP_WRITE : 0);

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w != NULL)
            watch_free(w);
        return 0;
    }
    if (w == NULL) {
        w = NEW(struct watch);
        w->client = c;
        w->fd = fd;
        w->io = loop_io_new(c->loop, fd, events, on_io, w);
        TAILQ_INSERT_TAIL(&c->watches, w, link);
        curl_multi_assign(c->multi, fd, w);
    } else {
        loop_io_set(w->io, events);
    }
    return 0;
}

static int on_curl_timer(CURLM *multi, long timeout_ms, void *arg)
{
    struct net_client *c = arg;

    (void)multi;
    if (timeout_ms < 0)
        loop_timer_cancel(c->timer);
    else
        loop_timer_arm(c->timer, (uint64_t)timeout_ms);
    return 0;
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* ---- an exchange ----------------------------------------------------------------------------- */

/* Asked about the very address that is going to be connected to, after names were resolved. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct net_exchange *x = arg;
    const struct net_client_options *o = &x->client->o;
    char text[64] = "?";
    uint16_t port = 0;

    (void)purpose;
    if (a->family == AF_INET) {
        const struct sockaddr_in *in = (const void *)&a->addr;

        inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text));
        port = ntohs(in->sin_port);
    } else if (a->family == AF_INET6) {
        const struct sockaddr_in6 *in = (const void *)&a->addr;

        inet_ntop(AF_INET6, &in->sin6_addr, text, sizeof(text));
        port = ntohs(in->sin6_port);
    }
    if (a->family != AF_UNIX && o->may_connect != NULL && !o->may_connect(o->may_connect_arg, text, port)) {
        x->refused = true;
        snprintf(x->refused_address, sizeof(x->refused_address), "%s", text);
        return CURL_SOCKET_BAD;
    }
    x->tried = true;
    return socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *arg)
{
    struct net_exchange *x = arg;

    if (buf_add(&x->answer, bytes, size * count) != 0) {
        x->cut = true;
        return 0;
    }
    return size * count;
}

/* Seconds or an HTTP date (RFC 9110, 10.2.3). */
static void take_retry_after(struct net_exchange *x, const char *value)
{
    uint64_t n;
    time_t then;

    if (num_u64(value, 0, UINT64_MAX, &n) == 0) {
        x->retry_after_s = MIN(n, (uint64_t)RETRY_AFTER_MAX_S);
    } else if ((then = curl_getdate(value, NULL)) > 0 && (uint64_t)then > clock_wall_ms() / 1000) {
        x->retry_after_s = MIN((uint64_t)then - clock_wall_ms() / 1000, (uint64_t)RETRY_AFTER_MAX_S);
    }
}

/* The value of the line if it is that header, cut to `out`; false if it is another. */
static bool header_is(struct bytes line, const char *name, char *out, size_t size)
{
    size_t n = strlen(name);

    if (line.len <= n || strncasecmp(line.ptr, name, n) != 0 || line.ptr[n] != ':')
        return false;
    for (n++; n < line.len && (line.ptr[n] == ' ' || line.ptr[n] == '\t'); n++)
        continue;
    while (line.len > n && strchr(" \t\r\n", line.ptr[line.len - 1]) != NULL)
        line.len--;
    snprintf(out, size, "%.*s", (int)MIN(line.len - n, size - 1), line.ptr + n);
    return true;
}

/* A number short of `size * count` ends the exchange.  curl itself would unpack a coding of the transfer that
 * nobody asked for, and bound neither the number of headers nor that of interim answers. */
static size_t on_header(char *line, size_t size, size_t count, void *arg)
{
    struct net_exchange *x = arg;
    struct bytes all = {line, size * count};
    char value[64];

    x->header_bytes += all.len;
    if (x->header_bytes > HEADERS_MAX)
        x->fault = "the answer's headers are larger than 65536 bytes";
    else if (header_is(all, "Transfer-Encoding", value, sizeof(value)) && strcasecmp(value, "chunked") != 0)
        x->fault = "the answer's Transfer-Encoding is not chunked";
    else if (header_is(all, "Retry-After", value, sizeof(value)))
        take_retry_after(x, value);
    return x->fault == NULL ? all.len : 0;
}

static void set_options(struct net_exchange *x, const struct net_call *call)
{
    CURL *e = x->easy;

    curl_easy_setopt(e, CURLOPT_PRIVATE, x);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, x->error);
    curl_easy_setopt(e, CURLOPT_URL, call->url);
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(e, CURLOPT_SSL_VERIFYHOST, 2L);
    /* A name is resolved in a thread; at the deadline curl would wait for it, and we with curl. */
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(e, CURLOPT_PROXY, ""); /* none, whatever the environment says */
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    /* A peer that is gone without a word is noticed within two minutes, though nothing is to be sent. */
    curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 10L);
    curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)MIN(call->deadline_ms, (uint64_t)INT32_MAX));
    curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, call->method);
    curl_easy_setopt(e, CURLOPT_HTTPHEADER, x->headers);
    curl_easy_setopt(e, CURLOPT_USERAGENT, x->client->o.user_agent);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETFUNCTION, on_open);
    curl_easy_setopt(e, CURLOPT_OPENSOCKETDATA, x);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, x);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, x);
    if (call->unix_path != NULL)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, call->unix_path);
    if (strcmp(call->method, "HEAD") == 0)
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    if (call->body.len > 0 || strcmp(call->method, "POST") == 0) {
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)x->body.len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, x->body.len == 0 ? "" : x->body.data);
    }
}

static CURLcode set_blob(CURL *e, CURLoption option, struct bytes pem)
{
    struct curl_blob blob = {(void *)(uintptr_t)pem.ptr, pem.len, CURL_BLOB_COPY};

    return pem.len == 0 ? CURLE_OK : curl_easy_setopt(e, option, &blob);
}

/* Whom we believe, and who we are: false if curl cannot take that, and so would believe others. */
static bool set_certificates(CURL *e, const struct net_call *call)
{
    if (call->ca_file != NULL && curl_easy_setopt(e, CURLOPT_CAINFO, call->ca_file) != CURLE_OK)
        return false;
    if ((call->ca_file != NULL || call->ca_pem.len > 0) &&
        (set_blob(e, CURLOPT_CAINFO_BLOB, call->ca_pem) != CURLE_OK ||
         curl_easy_setopt(e, CURLOPT_CAPATH, NULL) != CURLE_OK))
        return false;
    return set_blob(e, CURLOPT_SSLCERT_BLOB, call->cert_pem) == CURLE_OK &&
           set_blob(e, CURLOPT_SSLKEY_BLOB, call->key_pem) == CURLE_OK;
}

static int set_headers(struct net_exchange *x, const struct net_call *call)
{
    static const char no_expect[] = "Expect:"; /* no round trip before the body */
    struct curl_slist *grown = curl_slist_append(NULL, no_expect);

    for (size_t i = 0; grown != NULL; i++) {
        x->headers = grown;
        if (call->headers == NULL || call->headers[i] == NULL)
            return 0;
        grown = curl_slist_append(x->headers, call->headers[i]);
    }
    return -ENOMEM;
}

int net_call(struct net_client *c, const struct net_call *call, net_answer_fn done, void *arg,
             struct net_exchange **ret, struct err *reterr)
{
    struct net_exchange *x = NEW(struct net_exchange);

    x->client = c;
    x->done = done;
    x->arg = arg;
    x->answer.max = call->answer_max;
    x->piece = call->piece;
    x->easy = curl_easy_init();
    TAILQ_INSERT_TAIL(&c->exchanges, x, link);
    if (x->easy == NULL || buf_add(&x->body, call->body.ptr, call->body.len) != 0 ||
        set_headers(x, call) != 0) {
        exchange_free(x);
        return err_set(reterr, ERR_AGAIN, "no memory for an HTTP exchange");
    }
    set_options(x, call);
    if (!set_certificates(x->easy, call)) {
        exchange_free(x);
        return err_set(reterr, ERR_INTERNAL, "curl takes no certificates from memory");
    }
    if (curl_multi_add_handle(c->multi, x->easy) != CURLM_OK) {
        exchange_free(x);
        return err_set(reterr, ERR_INTERNAL, "curl refused an exchange");
    }
    *ret = x;
    return 0;
}

void net_exchange_cancel(struct net_exchange *x)
{
    exchange_free(x);
}

int net_client_open(struct loop *loop, const struct net_client_options *o, struct net_client **ret,
                    struct err *reterr)
{
    struct net_client *c = NEW(struct net_client);

    curl_global_init(CURL_GLOBAL_DEFAULT); /* counted: every client pairs it with a cleanup */
    c->loop = loop;
    c->o = *o;
    TAILQ_INIT(&c->exchanges);
    TAILQ_INIT(&c->watches);
    c->multi = curl_multi_init();
    if (c->multi == NULL) {
        free(c);
        curl_global_cleanup();
        return err_set(reterr, ERR_INTERNAL, "curl gave no multi handle");
    }
    c->timer = loop_timer_new(loop, on_timer, c);
    c->finish_timer = loop_timer_new(loop, on_finish_timer, c);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_curl_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)o->connections_max);
    *ret = c;
    return 0;
}

void net_client_free(struct net_client *c)
{
    struct net_exchange *x;
    struct watch *w;

    if (c == NULL)
        return;
    while ((x = TAILQ_FIRST(&c->exchanges)) != NULL)
        exchange_free(x);
    curl_multi_cleanup(c->multi);
    while ((w = TAILQ_FIRST(&c->watches)) != NULL)
        watch_free(w);
    loop_timer_free(c->timer);
    loop_timer_free(c->finish_timer);
    free(c);
    curl_global_cleanup();
}
