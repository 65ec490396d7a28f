/* net_conns.c - the server's connections: how many, how much they hold, how long they take.
 *
 * evhttp bounds one request, and nothing bounds all of them: a thousand clients that each send most of a
 * large body and stop would hold it all.  So bytes are counted as they come, until the answer to their
 * request is written, and an answer is counted likewise.  Beyond the bound the connection that holds most is
 * cut off, those first whose request is not complete; one whose request is being handled never is.  A request
 * that takes too long to come is cut off as well.
 *
 * Where all places are taken somebody makes room for who comes: first the connection that has been idle for
 * longest (not a new one whose first request is still on its way, and none whose next request comes in time),
 * then the one whose request, or else whose answer, has been on its way for longest.  So clients that are
 * slow on purpose can take all places but never keep them from others; it is for those who handle requests
 * not to have as many of them at once as there are places.
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
#define SHORT_MS 1000  /* for a request to come, or an answer to go, where places are short */
#define GRACE_MS 10000 /* for a request to come, however slowly */
#define BYTES_PER_SECOND 1000 /* at least, after that */

enum phase { FRESH, IDLE, READING, HANDLING, WRITING, CUT, PHASE_COUNT };

struct net_conn {
    TAILQ_ENTRY(net_conn) link;    /* among those to settle, then in its bucket */
    TAILQ_ENTRY(net_conn) waiting; /* in its phase, behind those that have been in it for longer */
    struct net_conns *all;
    struct bufferevent *bev;
    struct evhttp_connection *http; /* NULL until it is settled */
    enum phase phase; /* FRESH: idle, and has made no request; CUT: to be freed in the next turn */
    uint64_t since_ms;
    size_t held;
    bool fin_ends;
    bool makes_room; /* it is cut off for that alone */
    loop_fn on_close;
    void *on_close_arg;
};
TAILQ_HEAD(conn_list, net_conn);

struct net_conns {
    struct loop *loop;
    struct net_conns_options o;
    struct conn_list unsettled, buckets[BUCKETS], phases[PHASE_COUNT];
    struct loop_timer *timer; /* settles, and cuts off */
    struct loop_timer *tick;
    size_t count, held;
    bool full, closing;
};

static struct conn_list *bucket(struct net_conns *all, const struct evhttp_connection *http)
{
    return &all->buckets[((uintptr_t)http >> 6) % BUCKETS];
}

/* Who is cut off stays so. */
static void enter(struct net_conn *c, enum phase phase)
{
    struct net_conns *all = c->all;

    if (c->phase == CUT)
        return;
    TAILQ_REMOVE(&all->phases[c->phase], c, waiting);
    TAILQ_INSERT_TAIL(&all->phases[phase], c, waiting);
    c->phase = phase;
    c->since_ms = loop_now_ms(all->loop);
}

static uint64_t age(const struct net_conn *c)
{
    return loop_now_ms(c->all->loop) - c->since_ms;
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
    if (c->phase == CUT)
        return;
    LOG_WARN("connection_cut", F_STR("reason", why), F_UINT("held_bytes", c->held),
             F_UINT("held_by_all", c->all->held));
    let_go(c);
    enter(c, CUT);
    loop_timer_arm(c->all->timer, 0);
}

static struct net_conn *largest(struct net_conns *all, enum phase phase)
{
    struct net_conn *c, *most = NULL;

    TAILQ_FOREACH (c, &all->phases[phase], waiting)
        if (c->held > LITTLE && (most == NULL || c->held > most->held))
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

/* Of those in the phase for at least so long the one that has been for longest. */
static struct net_conn *oldest(struct net_conns *all, enum phase phase, uint64_t least_ms)
{
    struct net_conn *c = TAILQ_FIRST(&all->phases[phase]);

    return c != NULL && age(c) >= least_ms ? c : NULL;
}

static bool idle_makes_room(struct net_conns *all)
{
    struct net_conn *c = oldest(all, IDLE, 0), *fresh = oldest(all, FRESH, FIRST_MS);

    if (c == NULL || (fresh != NULL && fresh->since_ms < c->since_ms))
        c = fresh;
    if (c == NULL)
        return false;
    cut(c, "it is idle, and all places are taken (api.connections_max)");
    return c->makes_room = true;
}

static bool slow_makes_room(struct net_conns *all)
{
    struct net_conn *c = oldest(all, READING, SHORT_MS);

    if (c == NULL)
        c = oldest(all, WRITING, SHORT_MS);
    if (c == NULL)
        return false;
    cut(c, "it is slow, and all places are taken (api.connections_max)");
    return true;
}

bool net_conns_make_room(struct net_conns *all)
{
    return idle_makes_room(all) || slow_makes_room(all);
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
    TAILQ_REMOVE(&c->all->phases[CUT], c, waiting);
    TAILQ_INSERT_TAIL(&c->all->phases[READING], c, waiting);
    c->phase = READING;
    c->since_ms = loop_now_ms(c->all->loop);
    c->makes_room = false;
    make_room_or_pause(c->all);
}

/* ---- a request's way -------------------------------------------------------------------------- */

static void on_input(struct evbuffer *buffer, const struct evbuffer_cb_info *info, void *arg)
{
    struct net_conn *c = arg;

    if (info->n_added == 0 || (c->phase == CUT && !c->makes_room))
        return;
    if (c->makes_room)
        keep(c);
    else if (c->phase == FRESH || c->phase == IDLE)
        enter(c, READING);
    hold(c, info->n_added);
    if (evbuffer_get_length(buffer) > c->all->o.input_max)
        cut(c, "a request without end");
    else
        make_fit(c->all);
}

bool net_conn_handle(struct net_conn *c, bool fin_ends)
{
    enter(c, HANDLING);
    c->fin_ends = fin_ends;
    return c->phase != CUT && (c->all->held <= c->all->o.bytes_max || c->held <= LITTLE);
}

void net_conn_drop(struct net_conn *c)
{
    let_go(c);
}

void net_conn_write(struct net_conn *c, size_t bytes)
{
    enter(c, WRITING);
    hold(c, bytes);
    make_fit(c->all);
}

void net_conn_release(struct net_conn *c)
{
    let_go(c);
    enter(c, IDLE);
}

/* ---- time ---------------------------------------------------------------------------------- */

static void cut_slow(struct net_conns *all)
{
    struct net_conn *c, *next;

    for (c = TAILQ_FIRST(&all->phases[READING]); c != NULL && age(c) > GRACE_MS; c = next) {
        next = TAILQ_NEXT(c, waiting);
        if (c->held < (age(c) - GRACE_MS) * BYTES_PER_SECOND / 1000)
            cut(c, "its request takes too long to come");
    }
}

static bool peer_left(const struct net_conn *c)
{
    struct pollfd p = {.fd = bufferevent_getfd(c->bev), .events = c->fin_ends ? POLLRDHUP : 0};

    return poll(&p, 1, 0) > 0 && p.revents != 0;
}

/* Nobody is there to be cut off, so nothing is said. */
static void end_left(struct net_conns *all)
{
    struct net_conn *c, *next;

    for (c = TAILQ_FIRST(&all->phases[HANDLING]); c != NULL; c = next) {
        next = TAILQ_NEXT(c, waiting);
        if (peer_left(c)) {
            enter(c, CUT);
            loop_timer_arm(all->timer, 0);
        }
    }
}

static void on_tick(void *arg)
{
    struct net_conns *all = arg;

    if (all->count > 0)
        loop_timer_arm(all->tick, TICK_MS);
    if (all->full)
        net_conns_make_room(all); /* nobody could be sent away when the last one came */
    cut_slow(all);
    end_left(all);
}

/* ---- a connection's life -------------------------------------------------------------------- */

static void conn_free(struct net_conn *c, struct conn_list *list)
{
    struct net_conns *all = c->all;

    TAILQ_REMOVE(list, c, link);
    TAILQ_REMOVE(&all->phases[c->phase], c, waiting);
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

    while ((c = TAILQ_FIRST(&all->unsettled)) != NULL) {
        struct bufferevent *bev = c->bev;
        void *http = NULL;

        bufferevent_getcb(bev, NULL, NULL, NULL, &http);
        if (http == NULL) {
            conn_free(c, &all->unsettled);
        } else {
            TAILQ_REMOVE(&all->unsettled, c, link);
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
    struct net_conn *c;

    settle(all);
    while ((c = TAILQ_FIRST(&all->phases[CUT])) != NULL)
        evhttp_connection_free(c->http); /* comes back to on_gone() */
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
    c->phase = FRESH;
    c->since_ms = loop_now_ms(all->loop);
    TAILQ_INSERT_TAIL(&all->phases[FRESH], c, waiting);
    bufferevent_incref(bev); /* until it is settled */
    evbuffer_add_cb(bufferevent_get_input(bev), on_input, c);
    TAILQ_INSERT_TAIL(&all->unsettled, c, link);
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
    TAILQ_INIT(&all->unsettled);
    for (size_t i = 0; i < BUCKETS; i++)
        TAILQ_INIT(&all->buckets[i]);
    for (size_t i = 0; i < PHASE_COUNT; i++)
        TAILQ_INIT(&all->phases[i]);
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
    for (size_t i = 0; i < PHASE_COUNT; i++)
        TAILQ_FOREACH (c, &all->phases[i], waiting)
            net_conn_on_close(c, NULL, NULL);
}

void net_conns_free(struct net_conns *all)
{
    loop_timer_free(all->timer);
    loop_timer_free(all->tick);
    free(all);
}
