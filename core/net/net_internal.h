/* net_internal.h - for this folder only. */
#ifndef EXECD_NET_INTERNAL_H
#define EXECD_NET_INTERNAL_H

#include "net.h"

struct evhttp;
struct evhttp_connection;

/* ---- net_conns.c: what all connections of a server hold together ----------------------- */

struct net_conns;
struct net_conn;

struct net_conns_options {
    size_t connections_max;
    size_t bytes_max; /* held by all together */
    size_t input_max; /* of one connection, that evhttp has not taken yet */
    /* true: no more connections may come; false: they may again. */
    void (*on_full)(void *arg, bool full);
    void *arg;
};
struct net_conns *net_conns_new(struct loop *loop, struct evhttp *http, const struct net_conns_options *o);
void net_conns_close(struct net_conns *all); /* before evhttp_free(): nobody is told anything any more */
void net_conns_free(struct net_conns *all);  /* after it */
/* Closes the connection that has been idle for longest; false if none is. */
bool net_conns_make_room(struct net_conns *all);

struct net_conn *net_conn_of(struct net_conns *all, struct evhttp_connection *http);
/* fn runs once, when the connection goes; NULL: nobody is interested any more. */
void net_conn_on_close(struct net_conn *c, loop_fn fn, void *arg);
/* A whole request has come; false: there is no room for it.  From now on the peer is watched: it has left
 * when the connection is broken, or, if `fin_ends`, when it sends no more. */
bool net_conn_handle(struct net_conn *c, bool fin_ends);
/* The request's body is not needed any more. */
void net_conn_drop(struct net_conn *c);
/* An answer of so many bytes is about to be written. */
void net_conn_write(struct net_conn *c, size_t bytes);
/* The answer was written, and its request is done with. */
void net_conn_release(struct net_conn *c);

/* net_framing.c: false where the end of the request is ambiguous. */
struct evhttp_request;
bool net_framed(struct evhttp_request *ev);

#endif
