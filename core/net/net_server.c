/* net_server.c - HTTP server over evhttp.
 *
 * evhttp reads a whole request within its bounds and hands it over; from then on the connection is not read,
 * so that a client which leaves early is noticed by a separate event on its descriptor (EV_CLOSED:
 * the peer has shut down).  A request ends in one of three ways: answered, its client gone, the server freed.
 */
#include <netinet/in.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>

#include "net.h"

#define BODY_SLACK (1024 * 1024) /* over the limit by less than this gets our answer; by more, evhttp's */
#define ACCEPT_PAUSE_MS 100      /* after running out of descriptors */

struct net_request {
    TAILQ_ENTRY(net_request) link;
    struct net_server *server;
    struct evhttp_request *ev;
    struct event *closed;
    char *path;
    struct evkeyvalq query;
    loop_fn on_close;
    void *on_close_arg;
};
TAILQ_HEAD(net_requests, net_request);

struct net_server {
    struct loop *loop;
    struct evhttp *http;
    struct evhttp_bound_socket *bound;
    struct loop_timer *accept_timer;
    struct net_requests requests;
    size_t body_max;
    uint16_t port;
    bool paused;
    net_handler_fn fn;
    void *arg;
};

/* ---- a request's life ---------------------------------------------------------------- */

static void request_free(struct net_request *r)
{
    TAILQ_REMOVE(&r->server->requests, r, link);
    if (r->closed != NULL)
        event_free(r->closed);
    evhttp_clear_headers(&r->query);
    free(r->path);
    free(r);
}

/* evhttp closes the connection: it frees the request unless it has let go of it already. */
static void on_connection_closed(struct evhttp_connection *connection, void *arg)
{
    struct net_request *r = arg;
    struct evhttp_request *ev = r->ev;
    loop_fn fn = r->on_close;
    void *fn_arg = r->on_close_arg;

    (void)connection;
    request_free(r);
    if (fn != NULL)
        fn(fn_arg);
    if (evhttp_request_get_connection(ev) == NULL)
        evhttp_request_free(ev);
}

static void on_peer_left(evutil_socket_t fd, short what, void *arg)
{
    struct net_request *r = arg;

    (void)fd;
    (void)what;
    evhttp_connection_free(evhttp_request_get_connection(r->ev)); /* calls on_connection_closed */
}

static void watch(struct net_request *r)
{
    struct evhttp_connection *c = evhttp_request_get_connection(r->ev);
    struct bufferevent *bev = evhttp_connection_get_bufferevent(c);

    evhttp_connection_set_closecb(c, on_connection_closed, r);
    r->closed =
        event_new(loop_event_base(r->server->loop), bufferevent_getfd(bev), EV_CLOSED, on_peer_left, r);
    if (r->closed != NULL)
        event_add(r->closed, NULL);
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

    while (rest != NULL && (pair = strsep(&rest, "&")) != NULL)
        if (pair[0] != '\0' && !parse_pair(r, pair))
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

static void on_request(struct evhttp_request *ev, void *arg)
{
    struct net_server *s = arg;
    struct net_request *r = NEW(struct net_request);

    r->server = s;
    r->ev = ev;
    TAILQ_INSERT_TAIL(&s->requests, r, link);
    if (!parse(r)) {
        refuse(r, 400,
               "{\"type\":\"urn:execd:problem:bad-request\",\"title\":\"Bad Request\",\"status\":400,"
               "\"detail\":\"the path or query is not percent-encoded text\"}");
    } else if (net_request_body(r).len > s->body_max) {
        net_reply_header(r, "Connection", "close");
        refuse(r, 413,
               "{\"type\":\"urn:execd:problem:too-large\",\"title\":\"Content Too Large\",\"status\":413,"
               "\"detail\":\"the body is larger than api.body_max_bytes allows\"}");
    } else {
        watch(r);
        s->fn(s->arg, r);
    }
}

/* Out of descriptors: accepting again at once would only spin. */
static void on_accept_error(struct evconnlistener *listener, void *arg)
{
    struct net_server *s = arg;

    evconnlistener_disable(listener);
    loop_timer_arm(s->accept_timer, ACCEPT_PAUSE_MS);
}

static void on_accept_timer(void *arg)
{
    struct net_server *s = arg;

    if (!s->paused)
        evconnlistener_enable(evhttp_bound_socket_get_listener(s->bound));
}

static int bind_server(struct net_server *s, const struct net_server_options *o, struct err *reterr)
{
    struct sockaddr_storage a = {0};
    socklen_t len = sizeof(a);

    errno = 0;
    s->bound = evhttp_bind_socket_with_handle(s->http, o->address, o->port);
    if (s->bound == NULL)
        return err_sys(reterr, "listen on %s port %u (api.address, api.port)", o->address, (unsigned)o->port);
    if (getsockname(evhttp_bound_socket_get_fd(s->bound), (struct sockaddr *)&a, &len) != 0)
        return err_sys(reterr, "find the port");
    s->port = ntohs(a.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)(void *)&a)->sin6_port
                                            : ((struct sockaddr_in *)(void *)&a)->sin_port);
    evconnlistener_set_error_cb(evhttp_bound_socket_get_listener(s->bound), on_accept_error);
    return 0;
}

int net_server_open(struct loop *loop, const struct net_server_options *o, net_handler_fn fn, void *arg,
                    struct net_server **ret, struct err *reterr)
{
    struct net_server *s = NEW(struct net_server);
    int rc;

    s->loop = loop;
    s->fn = fn;
    s->arg = arg;
    s->body_max = o->body_max;
    TAILQ_INIT(&s->requests);
    s->accept_timer = loop_timer_new(loop, on_accept_timer, s);
    s->http = evhttp_new(loop_event_base(loop));
    if (s->http == NULL)
        abort(); /* no memory for a struct */
    evhttp_set_max_headers_size(s->http, (ev_ssize_t)o->header_max);
    evhttp_set_max_body_size(s->http, (ev_ssize_t)(o->body_max + BODY_SLACK));
    evhttp_set_timeout(s->http, (int)MAX(o->idle_ms / 1000, (uint64_t)1));
    evhttp_set_default_content_type(s->http, NULL);
    evhttp_set_allowed_methods(s->http, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
                                            EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
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

void net_server_free(struct net_server *s)
{
    struct net_request *r;

    if (s == NULL)
        return;
    while ((r = TAILQ_FIRST(&s->requests)) != NULL) { /* evhttp_free() takes their halves */
        evhttp_connection_set_closecb(evhttp_request_get_connection(r->ev), NULL, NULL);
        request_free(r);
    }
    evhttp_free(s->http);
    loop_timer_free(s->accept_timer);
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
    struct evhttp_connection *c = evhttp_request_get_connection(ev);
    struct evbuffer *out = evhttp_request_get_output_buffer(ev);

    if (content_type != NULL)
        net_reply_header(r, "Content-Type", content_type);
    evhttp_connection_set_closecb(c, NULL, NULL); /* from here on it is evhttp's alone */
    request_free(r);
    if (evbuffer_add(out, body.ptr, body.len) != 0)
        status = 500;
    evhttp_send_reply(ev, status, reason(status), NULL);
}
