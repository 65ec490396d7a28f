/* net_server.c - HTTP server over evhttp.
 *
 * evhttp reads a whole request within its bounds and hands it over; net_conns.c bounds them all together and
 * notices clients that leave early: at the end of their sending where they only ask for something, at the end
 * of the connection where they submit, for such a request has its effect in any case.  A request ends in one
 * of three ways: answered, its client gone, the server freed. Its answer is followed until it is written, so
 * that a server can stop without cutting one off. */
#include <netinet/in.h>
#include <strings.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "net_internal.h"

#define BODY_SLACK (1024 * 1024) /* over the limit by less than this gets our answer; by more, evhttp's */
#define ACCEPT_PAUSE_MS 100      /* after running out of descriptors */
#define BACKLOG 4096         /* connections that the kernel keeps; who finds no room tries again after 1 s */
#define SOCKET_BUFFER 131072 /* each way; the kernel takes twice that for its own needs */
#define QUERY_PAIRS_MAX 32

struct net_request {
    TAILQ_ENTRY(net_request) link;
    struct net_server *server;
    struct evhttp_request *ev;
    struct net_conn *conn;
    char *path;
    struct evkeyvalq query;
    loop_fn on_close;
    void *on_close_arg;
};
TAILQ_HEAD(net_requests, net_request);

/* An answer that is being written. */
struct writing {
    TAILQ_ENTRY(writing) link;
    struct net_server *server;
    struct net_conn *conn;
};
TAILQ_HEAD(writings, writing);

struct net_server {
    SLIST_ENTRY(net_server) link;
    struct loop *loop;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct net_conns *conns;
    struct loop_timer *accept_timer, *idle_timer;
    struct net_requests requests;
    struct writings writings;
    loop_fn idle_fn; /* NULL: nobody waits for it */
    void *idle_arg;
    size_t body_max;
    uint16_t port;
    bool paused, full, listening;
    net_handler_fn fn;
    void *arg;
};

static SLIST_HEAD(,
                  net_server) servers = SLIST_HEAD_INITIALIZER(servers); /* that listen; the loop's thread */

/* ---- a request's life ---------------------------------------------------------------- */

static void idle_check(struct net_server *s)
{
    if (s->idle_fn != NULL && TAILQ_EMPTY(&s->requests) && TAILQ_EMPTY(&s->writings))
        loop_timer_arm(s->idle_timer, 0);
}

static void on_idle_timer(void *arg)
{
    struct net_server *s = arg;
    loop_fn fn = s->idle_fn;

    if (!TAILQ_EMPTY(&s->requests) || !TAILQ_EMPTY(&s->writings))
        return; /* another came on a connection that was kept */
    s->idle_fn = NULL;
    if (fn != NULL)
        fn(s->idle_arg);
}

static void request_free(struct net_request *r)
{
    TAILQ_REMOVE(&r->server->requests, r, link);
    idle_check(r->server);
    evhttp_clear_headers(&r->query);
    free(r->path);
    free(r);
}

static void writing_free(struct writing *w)
{
    struct net_server *s = w->server;

    TAILQ_REMOVE(&s->writings, w, link);
    free(w);
    idle_check(s);
}

static void on_written(struct evhttp_request *ev, void *arg)
{
    struct writing *w = arg;

    (void)ev;
    net_conn_on_close(w->conn, NULL, NULL);
    net_conn_release(w->conn);
    writing_free(w);
}

static void on_cut_off(void *arg)
{
    writing_free(arg);
}

static void follow(struct net_request *r)
{
    struct writing *w = NEW(struct writing);

    w->server = r->server;
    w->conn = r->conn;
    TAILQ_INSERT_TAIL(&w->server->writings, w, link);
    evhttp_request_set_on_complete_cb(r->ev, on_written, w);
    net_conn_on_close(w->conn, on_cut_off, w);
}

/* evhttp closes the connection: it frees the request unless it has let go of it already. */
static void on_connection_closed(void *arg)
{
    struct net_request *r = arg;
    struct evhttp_request *ev = r->ev;
    loop_fn fn = r->on_close;
    void *fn_arg = r->on_close_arg;

    request_free(r);
    if (fn != NULL)
        fn(fn_arg);
    if (evhttp_request_get_connection(ev) == NULL)
        evhttp_request_free(ev);
}

/* ---- parsing ------------------------------------------------------------------------------ */

/* NULL if the escapes are malformed or hide a NUL. */
static char *decode(const char *text, bool plus)
{
    size_t size = 0;
    char *decoded = evhttp_uridecode(text, plus, &size);

    if (decoded != NULL && strlen(decoded) != size) {
        free(decoded);
        return NULL;
    }
    return decoded;
}

static bool parse_pair(struct net_request *r, const char *pair)
{
    CLEAN_FREE char *copy = mem_dup(pair);
    CLEAN_FREE char *key = NULL;
    CLEAN_FREE char *value = NULL;
    char *equal = strchr(copy, '=');

    if (equal != NULL)
        *equal++ = '\0';
    key = decode(copy, true);
    value = decode(equal == NULL ? "" : equal, true);
    if (key == NULL || value == NULL)
        return false;
    return evhttp_find_header(&r->query, key) != NULL || evhttp_add_header(&r->query, key, value) == 0;
}

static bool parse_query(struct net_request *r, const char *query)
{
    CLEAN_FREE char *copy = mem_dup(query);
    char *rest = copy, *pair;
    int count = 0;

    while (rest != NULL && (pair = strsep(&rest, "&")) != NULL)
        if (pair[0] != '\0' && (++count > QUERY_PAIRS_MAX || !parse_pair(r, pair)))
            return false;
    return true;
}

static bool parse(struct net_request *r)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(r->ev);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);

    TAILQ_INIT(&r->query);
    r->path = decode(path == NULL || path[0] == '\0' ? "/" : path, false);
    return r->path != NULL && parse_query(r, uri == NULL ? NULL : evhttp_uri_get_query(uri));
}

/* ---- arrival ---------------------------------------------------------------------------------- */

static void refuse(struct net_request *r, int status, const char *text)
{
    net_reply(r, status, "application/problem+json", bytes_of(text));
}

static bool only_asks(const struct net_request *r)
{
    enum evhttp_cmd_type method = evhttp_request_get_command(r->ev);

    return method == EVHTTP_REQ_GET || method == EVHTTP_REQ_HEAD;
}

static void on_request(struct evhttp_request *ev, void *arg)
{
    struct net_server *s = arg;
    struct net_request *r = NEW(struct net_request);
    bool fits;

    r->server = s;
    r->ev = ev;
    r->conn = net_conn_of(s->conns, evhttp_request_get_connection(ev));
    TAILQ_INSERT_TAIL(&s->requests, r, link);
    fits = net_conn_handle(r->conn, only_asks(r));
    if (!parse(r)) {
        refuse(
            r, 400,
            "{\"type\":\"urn:execd:problem:bad-request\",\"title\":\"Bad Request\",\"status\":400,"
            "\"detail\":\"the path or query is not percent-encoded text, or has more than 32 parameters\"}");
    } else if (!net_framed(ev)) {
        net_reply_header(r, "Connection", "close");
        refuse(r, 400,
               "{\"type\":\"urn:execd:problem:bad-request\",\"title\":\"Bad Request\",\"status\":400,"
               "\"detail\":\"the request's end is ambiguous: one Content-Length of digits or one "
               "Transfer-Encoding: "
               "chunked, neither with GET or HEAD, and header names without blanks\"}");
    } else if (net_request_body(r).len > s->body_max) {
        net_reply_header(r, "Connection", "close");
        refuse(r, 413,
               "{\"type\":\"urn:execd:problem:too-large\",\"title\":\"Content Too Large\",\"status\":413,"
               "\"detail\":\"the body is larger than api.body_max_bytes allows\"}");
    } else if (!fits) {
        net_reply_header(r, "Retry-After", "1");
        refuse(r, 503,
               "{\"type\":\"urn:execd:problem:busy\",\"title\":\"Service Unavailable\",\"status\":503,"
               "\"detail\":\"requests hold api.buffers_max_bytes; nothing was accepted\"}");
    } else {
        if (evhttp_find_header(evhttp_request_get_input_headers(ev), "Transfer-Encoding") != NULL)
            net_reply_header(r, "Connection",
                             "close"); /* evhttp is lax with chunk sizes: nothing may follow */
        net_conn_on_close(r->conn, on_connection_closed, r);
        s->fn(s->arg, r);
    }
}

/* Out of descriptors: accepting again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct net_server *s;

    (void)arg; /* evhttp's own: it has made the listener */
    SLIST_FOREACH(s, &servers, link)
    if (evhttp_bound_socket_get_listener(s->bound) == listener)
        break;
    if (s == NULL)
        return;
    evconnlistener_disable(listener);
    net_conns_make_room(s->conns);
    loop_timer_arm(s->accept_timer, ACCEPT_PAUSE_MS);
}

static void on_accept_timer(void *arg)
{
    struct net_server *s = arg;

    if (!s->paused && !s->full)
        evconnlistener_enable(evhttp_bound_socket_get_listener(s->bound));
}

/* The kernel keeps a few more waiting; whoever leaves makes room. */
static void on_full(void *arg, bool full)
{
    struct net_server *s = arg;

    s->full = full;
    if (full)
        evconnlistener_disable(evhttp_bound_socket_get_listener(s->bound));
    else
        on_accept_timer(s);
}

/* Connections inherit the buffers.  By itself the kernel would let each grow to megabytes, of answers that
 * nobody reads and requests that come while another is handled, which nobody counts. */
static int tune_socket(int fd, struct err *reterr)
{
    const int size = SOCKET_BUFFER;

    if (setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)) != 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) != 0)
        return err_sys(reterr, "bound the socket's buffers to %d bytes", size);
    /* evhttp asks for 128, which many clients at once fill while one turn of the loop lasts. */
    if (listen(fd, BACKLOG) != 0)
        return err_sys(reterr, "listen with a backlog of %d", BACKLOG);
    return 0;
}

static int bind_server(struct net_server *s, const struct net_server_options *o, struct err *reterr)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);
    int rc;

    errno = 0;
    s->bound = evhttp_bind_socket_with_handle(s->http, o->address, o->port);
    if (s->bound == NULL)
        return err_sys(reterr, "listen on %s port %u (api.address, api.port)", o->address, (unsigned)o->port);
    if ((rc = tune_socket(evhttp_bound_socket_get_fd(s->bound), reterr)) != 0)
        return rc;
    if (getsockname(evhttp_bound_socket_get_fd(s->bound), (struct sockaddr *)&a, &len) != 0)
        return err_sys(reterr, "find the port");
    s->port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                            : ((struct sockaddr_in *)(void *)&a)->sin_port);
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(s->bound), on_accept_error);
    SLIST_INSERT_HEAD(&servers, s, link);
    s->listening = true;
    return 0;
}

int net_server_open(struct loop *loop, const struct net_server_options *o, net_handler_fn fn, void *arg,
                    struct net_server **ret, struct err *reterr)
{
    const size_t input_max = o->header_max + o->body_max + BODY_SLACK;
    struct net_server *s = NEW(struct net_server);
    int rc;

    s->loop = loop;
    s->fn = fn;
    s->arg = arg;
    s->body_max = o->body_max;
    TAILQ_INIT(&s->requests);
    TAILQ_INIT(&s->writings);
    s->accept_timer = loop_timer_new(loop, on_accept_timer, s);
    s->idle_timer = loop_timer_new(loop, on_idle_timer, s);
    s->http = evhttp_new(loop_event_base(loop));
    if (s->http == NULL)
        abort(); /* no memory for a struct */
    s->conns = net_conns_new(loop, s->http,
                             &(struct net_conns_options){.connections_max = o->connections_max,
                                                         .bytes_max = MAX(o->buffers_max, input_max),
                                                         .input_max = input_max,
                                                         .on_full = on_full,
                                                         .arg = s});
    evhttp_set_max_headers_size(s->http, (ev_ssize_t)o->header_max);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)(o->body_max + BODY_SLACK));
    evhttp_set_timeout_tv(s->http, &(struct timeval){.tv_sec = (time_t)(o->idle_ms / 1000),
                                                     .tv_usec = (suseconds_t)(o->idle_ms % 1000 * 1000)});
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH |
                                            EVHTTP_REQ_TRACE);
    evhttp_set_gencb(s->http, on_request, s);
    rc = bind_server(s, o, reterr);
    if (rc != 0) {
        net_server_free(s);
        return rc;
    }
    *ret = s;
    return 0;
}

uint16_t net_server_port(const struct net_server *s)
{
    return s->port;
}

void net_server_pause(struct net_server *s)
{
    s->paused = true;
    evconnlistener_disable(evhttp_bound_socket_get_listener(s->bound));
}

void net_server_on_idle(struct net_server *s, loop_fn fn, void *arg)
{
    s->idle_fn = fn;
    s->idle_arg = arg;
    idle_check(s);
}

void net_server_free(struct net_server *s)
{
    struct net_request *r;
    struct writing *w;

    if (s == NULL)
        return;
    if (s->listening)
        SLIST_REMOVE(&servers, s, net_server, link);
    s->idle_fn = NULL;
    net_conns_close(s->conns);
    while ((w = TAILQ_FIRST(&s->writings)) != NULL)
        writing_free(w);
    while ((r = TAILQ_FIRST(&s->requests)) != NULL)
        request_free(r); /* evhttp_free() takes their halves */
    evhttp_free(s->http);
    net_conns_free(s->conns);
    loop_timer_free(s->accept_timer);
    loop_timer_free(s->idle_timer);
    free(s);
}

/* ---- what a handler asks ------------------------------------------------------------------------ */

const char *net_request_method(const struct net_request *r)
{
    switch (evhttp_request_get_command(r->ev)) {
    case EVHTTP_REQ_GET:
        return "GET";
    case EVHTTP_REQ_POST:
        return "POST";
    case EVHTTP_REQ_HEAD:
        return "HEAD";
    case EVHTTP_REQ_PUT:
        return "PUT";
    case EVHTTP_REQ_DELETE:
        return "DELETE";
    case EVHTTP_REQ_OPTIONS:
        return "OPTIONS";
    case EVHTTP_REQ_PATCH:
        return "PATCH";
    case EVHTTP_REQ_TRACE:
        return "TRACE";
    default:
        return "UNKNOWN";
    }
}

const char *net_request_path(const struct net_request *r)
{
    return r->path;
}

const char *net_request_query(const struct net_request *r, const char *key)
{
    return evhttp_find_header(&r->query, key);
}

const char *net_request_header(const struct net_request *r, const char *name)
{
    return evhttp_find_header(evhttp_request_get_input_headers(r->ev), name);
}

struct bytes net_request_body(const struct net_request *r)
{
    struct evbuffer *b = evhttp_request_get_input_buffer(r->ev);
    size_t len = evbuffer_get_length(b);

    return (struct bytes){len == 0 ? "" : (const char *)evbuffer_pullup(b, -1), len};
}

void net_request_drop_body(struct net_request *r)
{
    evbuffer_drain(evhttp_request_get_input_buffer(r->ev), (size_t)-1);
    net_conn_drop(r->conn);
}

const char *net_request_peer(const struct net_request *r)
{
    char *address = NULL;
    ev_uint16_t port;

    evhttp_connection_get_peer(evhttp_request_get_connection(r->ev), &address, &port);
    return address == NULL ? "" : address;
}

void net_request_on_close(struct net_request *r, loop_fn fn, void *arg)
{
    r->on_close = fn;
    r->on_close_arg = arg;
}

/* ---- answers ---------------------------------------------------------------------------------------- */

void net_reply_header(struct net_request *r, const char *name, const char *value)
{
    evhttp_add_header(evhttp_request_get_output_headers(r->ev), name, value);
}

static const char *reason(int status)
{
    static const struct {
        int status;
        const char *text;
    } reasons[] = {{200, "OK"},
                   {201, "Created"},
                   {202, "Accepted"},
                   {204, "No Content"},
                   {400, "Bad Request"},
                   {401, "Unauthorized"},
                   {403, "Forbidden"},
                   {404, "Not Found"},
                   {405, "Method Not Allowed"},
                   {409, "Conflict"},
                   {413, "Content Too Large"},
                   {415, "Unsupported Media Type"},
                   {422, "Unprocessable Content"},
                   {429, "Too Many Requests"},
                   {500, "Internal Server Error"},
                   {503, "Service Unavailable"}};

    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (reasons[i].status == status)
            return reasons[i].text;
    return "Status";
}

void net_reply(struct net_request *r, int status, const char *content_type, struct bytes body)
{
    struct evhttp_request *ev = r->ev;
    struct evbuffer *out = evhttp_request_get_output_buffer(ev);

    if (content_type != NULL)
        net_reply_header(r, "Content-Type", content_type);
    net_conn_write(r->conn, body.len);
    follow(r);
    request_free(r);
    if (evbuffer_add(out, body.ptr, body.len) != 0)
        status = 500;
    evhttp_send_reply(ev, status, reason(status), NULL);
}
