/* net_conns.c - the server's connections: how many, how much they hold, how long they take.
 *
 * evhttp bounds one request, and nothing bounds all of them: a thousand clients that each send most of a
 * large body and stop would hold it all.  So bytes are counted as they come, until the answer to their
 * request is written, and an answer is counted likewise.  Beyond the bound the connection that holds most is
 * cut off, those first whose request is not complete; one whose request is being handled never is.  A request
 * that takes too long to come is cut off as well, and where all places are taken an idle connection makes
 * room: not a new one whose first request is still on its way, and none whose next request comes in time.
 *
 * evhttp shows a connection only with its first whole request.  It does ask us for each connection's
 * bufferevent, makes itself that one's callback argument, and tells of the end through
 * evhttp_connection_set_closecb(); the steps in between are `settle`, in the next turn or with the first
 * request.
 *
 * While a request is handled evhttp does not read, so nobody would notice that its client has gone; polling
 * twice a second does, and unlike an event it cannot spin on what libevent does not take for an event. */
#include "net_internal.h"

#include <poll.h>
#include <sys/queue.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>

#include "log/log.h"

#define BUCKETS 1024
#define LITTLE 65536   /* what a connection may always hold: ordinary requests get through in any case */
#define TICK_MS 500    /* looks at everybody */
#define FIRST_MS 500   /* for the first byte of the first request, where places are short */
#define GRACE_MS 10000 /* for a request to come, however slowly */
#define BYTES_PER_SECOND 1000 /* at least, after that */

enum phase { READING, HANDLING, WRITING };

struct net_conn {
    TAILQ_ENTRY(net_conn) link; /* among the fresh, then in its bucket */
    struct net_conns *all;
    struct bufferevent *bev;
    struct evhttp_connection *http; /* NULL while fresh */
    enum phase phase;
    size_t held;
    uint64_t begun_ms; /* the first byte of a request came; 0: idle */
    uint64_t idle_ms;  /* since when */
    bool served;       /* a request, before */
    bool fin_ends;
    bool cut;        /* to be freed in the next turn */
    bool makes_room; /* that is why */
    loop_fn on_close;
    void *on_close_arg;
};
TAILQ_HEAD(conn_list, net_conn);

struct net_conns {
    struct loop *loop;
    struct net_conns_options o;
    struct conn_list fresh, buckets[BUCKETS];
    struct loop_timer *timer; /* settles, and cuts off */
    struct loop_timer *tick;
    size_t count, held;
    bool full, closing;
    bool cuts; /* some connection is to be cut off */
};

#define EACH_CONN(c, all)                                                                                    \
    for (size_t bucket_at = 0; bucket_at < BUCKETS; bucket_at++)                                             \
        TAILQ_FOREACH (c, &(all)->buckets[bucket_at], link)

static struct conn_list *bucket(struct net_conns *all, const struct evhttp_connection *http)
{
    return &all->buckets[((uintptr_t)http >> 6) % BUCKETS];
}

/* ---- what is held ------------------------------------------------------------------------ */

static void let_go(struct net_conn *c)
{
    c->all->held -= c->held;
    c->held = 0;
}

/* Not now, in the middle of reading, but in the next turn. */
static void cut(struct net_conn *c, const char *why)
{
    if (c->cut)
        return;
    LOG_WARN("connection_cut", F_STR("reason", why), F_UINT("held_bytes", c->held),
             F_UINT("held_by_all", c->all->held));
    let_go(c);
    c->cut = c->all->cuts = true;
    loop_timer_arm(c->all->timer, 0);
}

static struct net_conn *largest(struct net_conns *all, enum phase phase)
{
    struct net_conn *c, *most = NULL;

    EACH_CONN(c, all)
    if (c->phase == phase && !c->cut && c->held > LITTLE && (most == NULL || c->held > most->held))
        most = c;
    return most;
}

static void make_fit(struct net_conns *all)
{
    struct net_conn *c;

    while (all->held > all->o.bytes_max &&
           ((c = largest(all, READING)) != NULL || (c = largest(all, WRITING)) != NULL))
        cut(c, "unfinished requests and unread answers hold api.buffers_max_bytes");
}

static void hold(struct net_conn *c, size_t bytes)
{
    c->held += bytes;
    c->all->held += bytes;
}

/* ---- places --------------------------------------------------------------------------------- */

static bool is_idle(const struct net_conn *c)
{
    return c->phase == READING && c->begun_ms == 0 && !c->cut &&
           (c->served || loop_now_ms(c->all->loop) >= c->idle_ms + FIRST_MS);
}

bool net_conns_make_room(struct net_conns *all)
{
    struct net_conn *c, *oldest = NULL;

    EACH_CONN(c, all)
    if (is_idle(c) && (oldest == NULL || c->idle_ms < oldest->idle_ms))
        oldest = c;
    if (oldest == NULL)
        return false;
    cut(oldest, "it is idle, and all places are taken (api.connections_max)");
    return oldest->makes_room = true;
}

static void make_room_or_pause(struct net_conns *all)
{
    if (all->count < all->o.connections_max || all->full || net_conns_make_room(all))
        return;
    all->full = true;
    all->o.on_full(all->o.arg, true);
}

/* A request came after all: somebody else makes room, or nobody does. */
static void keep(struct net_conn *c)
{
    c->cut = c->makes_room = false;
    make_room_or_pause(c->all);
}

/* ---- a request's way -------------------------------------------------------------------------- */

static void on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
    struct net_conn *c = arg;

    if (info->n_added == 0 || (c->cut && !c->makes_room))
        return;
    if (c->begun_ms == 0)
        c->begun_ms = loop_now_ms(c->all->loop);
    if (c->makes_room)
        keep(c);
    hold(c, info->n_added);
    if (evbuffer_get_length(buffer) > c->all->o.input_max)
        cut(c, "a request without end");
    else
        make_fit(c->all);
}

bool net_conn_handle(struct net_conn *c, bool fin_ends)
{
    c->phase = HANDLING;
    c->fin_ends = fin_ends;
    return !c->cut && (c->all->held <= c->all->o.bytes_max || c->held <= LITTLE);
}

void net_conn_drop(struct net_conn *c)
{
    let_go(c);
}

void net_conn_write(struct net_conn *c, size_t bytes)
{
    c->phase = WRITING;
    hold(c, bytes);
    make_fit(c->all);
}

void net_conn_release(struct net_conn *c)
{
    let_go(c);
    c->phase = READING;
    c->served = true;
    c->begun_ms = 0;
    c->idle_ms = loop_now_ms(c->all->loop);
}

/* ---- time ---------------------------------------------------------------------------------- */

static bool too_slow(const struct net_conn *c, uint64_t now)
{
    uint64_t age = c->begun_ms == 0 ? 0 : now - c->begun_ms;

    return c->phase == READING && age > GRACE_MS && c->held < (age - GRACE_MS) * BYTES_PER_SECOND / 1000;
}

static bool peer_left(const struct net_conn *c)
{
    struct pollfd p = {.fd = bufferevent_getfd(c->bev), .events = c->fin_ends ? POLLRDHUP : 0};

    return c->phase == HANDLING && poll(&p, 1, 0) > 0 && p.revents != 0;
}

static void on_tick(void *arg)
{
    struct net_conns *all = arg;
    uint64_t now = loop_now_ms(all->loop);
    struct net_conn *c;

    if (all->count > 0)
        loop_timer_arm(all->tick, TICK_MS);
    if (all->full)
        net_conns_make_room(all); /* nobody was idle when the last one came */
    EACH_CONN(c, all)
    {
        if (too_slow(c, now)) {
            cut(c, "its request takes too long to come");
        } else if (peer_left(c)) {
            c->cut = all->cuts = true; /* nobody is there to be cut off */
            loop_timer_arm(all->timer, 0);
        }
    }
}

/* ---- a connection's life -------------------------------------------------------------------- */

static void conn_free(struct net_conn *c, struct conn_list *list)
{
    struct net_conns *all = c->all;

    TAILQ_REMOVE(list, c, link);
    evbuffer_remove_cb(bufferevent_get_input(c->bev), on_input, c);
    let_go(c);
    free(c);
    all->count--;
    if (all->full && !all->closing) {
        all->full = false;
        all->o.on_full(all->o.arg, false);
    }
}

static void on_gone(struct evhttp_connection *http, void *arg)
{
    struct net_conn *c = arg;
    loop_fn fn = c->on_close;
    void *fn_arg = c->on_close_arg;

    conn_free(c, bucket(c->all, http));
    if (fn != NULL)
        fn(fn_arg);
}

/* By now evhttp has put itself in as argument, or has freed what it was given. */
static void settle(struct net_conns *all)
{
    struct net_conn *c;

    while ((c = TAILQ_FIRST(&all->fresh)) != NULL) {
        struct bufferevent *bev = c->bev;
        void *http = NULL;

        bufferevent_getcb(bev, NULL, NULL, NULL, &http);
        if (http == NULL) {
            conn_free(c, &all->fresh);
        } else {
            TAILQ_REMOVE(&all->fresh, c, link);
            c->http = http;
            TAILQ_INSERT_TAIL(bucket(all, http), c, link);
            evhttp_connection_set_closecb(http, on_gone, c);
        }
        bufferevent_decref(bev);
    }
}

static void on_timer(void *arg)
{
    struct net_conns *all = arg;
    struct net_conn *c, *next;

    settle(all);
    for (size_t i = 0; i < BUCKETS && all->cuts; i++)
        for (c = TAILQ_FIRST(&all->buckets[i]); c != NULL; c = next) {
            next = TAILQ_NEXT(c, link);
            if (c->cut)
                evhttp_connection_free(c->http); /* comes back to on_gone() */
        }
    all->cuts = false;
}

static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct net_conns *all = arg;
    struct bufferevent *bev = bufferevent_socket_new(base, -1, 0);
    struct net_conn *c;

    if (bev == NULL)
        abort(); /* no memory for a struct */
    c = NEW(struct net_conn);
    c->all = all;
    c->bev = bev;
    c->idle_ms = loop_now_ms(all->loop);
    bufferevent_incref(bev); /* until it is settled */
    evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
    TAILQ_INSERT_TAIL(&all->fresh, c, link);
    loop_timer_arm(all->timer, 0);
    if (!loop_timer_armed(all->tick))
        loop_timer_arm(all->tick, TICK_MS);
    all->count++;
    make_room_or_pause(all);
    return bev;
}

struct net_conn *net_conn_of(struct net_conns *all, struct evhttp_connection *http)
{
    struct net_conn *c;

    settle(all);
    TAILQ_FOREACH (c, bucket(all, http), link)
        if (c->http == http)
            return c;
    abort(); /* it came from on_accept() and has not gone */
}

void net_conn_on_close(struct net_conn *c, loop_fn fn, void *arg)
{
    c->on_close = fn;
    c->on_close_arg = arg;
}

/* ---- all of them ------------------------------------------------------------------------------ */

struct net_conns *net_conns_new(struct loop *loop, struct evhttp *http, const struct net_conns_options *o)
{
    struct net_conns *all = NEW(struct net_conns);

    all->loop = loop;
    all->o = *o;
    TAILQ_INIT(&all->fresh);
    for (size_t i = 0; i < BUCKETS; i++)
        TAILQ_INIT(&all->buckets[i]);
    all->timer = loop_timer_new(loop, on_timer, all);
    all->tick = loop_timer_new(loop, on_tick, all);
    evhttp_set_bevcb(http, on_accept, all);
    return all;
}

void net_conns_close(struct net_conns *all)
{
    struct net_conn *c;

    all->closing = true;
    settle(all);
    EACH_CONN(c, all)
    net_conn_on_close(c, NULL, NULL);
}

void net_conns_free(struct net_conns *all)
{
    loop_timer_free(all->timer);
    loop_timer_free(all->tick);
    free(all);
}
