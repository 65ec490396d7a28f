/* net.h - HTTP server and HTTP client on the loop; the only room with evhttp and libcurl.
 *
 * Theory of operation.  Server: evhttp with bounds on header and body size and on
 * idle time; a handler gets a request it must answer exactly once, now or in a
 * later turn (a client that leaves early is told through net_request_on_close).
 * Client: one curl multi handle driven by the loop, each exchange with a
 * deadline for the whole (names and TLS included), caps on the answer's bytes and
 * headers, no redirects, nothing unpacked, no proxy, http(s) 1.1 only, certificates
 * verified (against the system's roots, or against those alone that the call brings), and an address filter
 * that is asked about the very address curl connects to.
 *
 * Thread: the loop's. */
#ifndef EXECD_NET_H
#define EXECD_NET_H

#include "base/base.h"
#include "loop/loop.h"

struct net_server;
struct net_request;

struct net_server_options {
    const char *address;         /* numeric IPv4 or IPv6 */
    uint16_t port;               /* 0: any free one */
    size_t header_max, body_max; /* of one request */
    size_t connections_max;
    size_t buffers_max; /* bytes that requests and answers under way may hold together */
    uint64_t idle_ms;
};
typedef void (*net_handler_fn)(void *arg, struct net_request *request);
int net_server_open(struct loop *loop, const struct net_server_options *o, net_handler_fn fn, void *arg,
                    struct net_server **ret, struct err *reterr) NODISCARD;
uint16_t net_server_port(const struct net_server *s);
void net_server_pause(struct net_server *s); /* accepts no more connections */
/* fn runs once, from a later turn, when every request was answered and every answer written or cut off. */
void net_server_on_idle(struct net_server *s, loop_fn fn, void *arg);
void net_server_free(struct net_server *s); /* open requests are dropped */

/* Borrowed until the request is answered. */
const char *net_request_method(const struct net_request *r); /* "GET" */
const char *net_request_path(const struct net_request *r);   /* decoded, without query; never NULL */
const char *net_request_query(const struct net_request *r, const char *key); /* decoded value or NULL */
const char *net_request_header(const struct net_request *r, const char *name);
struct bytes net_request_body(const struct net_request *r);
void net_request_drop_body(struct net_request *r);         /* frees it before the answer */
const char *net_request_peer(const struct net_request *r); /* numeric address */
/* fn runs if the client goes away before the answer; the request is then gone. */
void net_request_on_close(struct net_request *r, loop_fn fn, void *arg);
void net_reply_header(struct net_request *r, const char *name, const char *value); /* before the reply */
void net_reply(struct net_request *r, int status, const char *content_type, struct bytes body);

struct net_client;
struct net_exchange;
struct net_client_options {
    unsigned connections_max; /* at once, in all */
    /* May we connect there?  NULL: anywhere.  `address` is numeric, as resolved. */
    bool (*may_connect)(void *arg, const char *address, uint16_t port);
    void *may_connect_arg;
    const char *user_agent;
};
int net_client_open(struct loop *loop, const struct net_client_options *o, struct net_client **ret,
                    struct err *reterr) NODISCARD;
void net_client_free(struct net_client *c); /* exchanges in flight: dropped, done() does not come */
struct net_call {
    const char *method, *url;
    const char *const *headers; /* NULL-terminated "Name: value" */
    struct bytes body;          /* copied */
    uint64_t deadline_ms;       /* for the whole exchange */
    size_t answer_max;          /* bytes of body; the exchange ends with the first beyond */
    const char *unix_path;      /* NULL, or connect there */
    /* PEM; empty: the system's certificates, and none of our own.  Copied.  ca_pem goes before
     * ca_file (CURLOPT_CAINFO_BLOB(3)). */
    const char *ca_file;
    struct bytes ca_pem, cert_pem, key_pem;
    /* Not NULL: an answer of status 200 is handed on as it comes, in later turns, instead of kept;
     * answer_max is then what may be pending between two turns.  The exchange may be cancelled from
     * within, and others started.  `arg` is done()'s. */
    void (*piece)(void *arg, struct bytes piece);
};
struct net_answer {
    int status;
    struct bytes body;
    bool cut;               /* there was more of it than answer_max */
    uint64_t retry_after_s; /* 0: none */
};
/* err set: no HTTP answer (ERR_REQUEST: address refused by may_connect or bad url). */
typedef void (*net_answer_fn)(void *arg, const struct err *err, const struct net_answer *answer);
int net_call(struct net_client *c, const struct net_call *call, net_answer_fn done, void *arg,
             struct net_exchange **ret, struct err *reterr) NODISCARD;
void net_exchange_cancel(struct net_exchange *x);
/* Is the text an absolute http or https URL without userinfo, of a sane length?  Fills the reason. */
int net_url_check(const char *url, struct err *reterr);
/* The same of one that a client names for us to send to: its port must not be another protocol's. */
int net_callback_check(const char *url, struct err *reterr);

#endif
