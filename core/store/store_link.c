/* store_link.c - one connection to Redis that keeps itself up.
 *
 * hiredis' asynchronous context on our own loop.  The timer has three uses, one at a time: the wait before
 * the next attempt, the bound of the attempt itself, and then a watchdog that asks for a sign of life, so
 * that a server which hangs is noticed and left. */
#include "store_internal.h"

#include "log/log.h"

#define DELAY_FIRST_MS 50
#define DELAY_MAX_MS 2000
#define ATTEMPT_MS 5000
#define ASK_MS 1000 /* of a sentinel, or of a cluster's node: there are others */
#define WATCH_MS 5000
#define COMPLAIN_DELAY_MS 1000 /* reached after a second and a half: an ordinary start is quicker */
#define COMPLAIN_AGAIN_MS 60000

/* ---- hiredis' hooks ------------------------------------------------------------------ */

static void on_io(void *arg, int events)
{
    struct store_link *l = arg;
    redisAsyncContext *ac = l->ac;

    if ((events & LOOP_READ) != 0)
        redisAsyncHandleRead(ac);
    if ((events & LOOP_WRITE) != 0 && l->ac == ac)
        redisAsyncHandleWrite(ac);
}

static void set_events(struct store_link *l, int events)
{
    if (l->io == NULL)
        return;
    l->io_events = events;
    loop_io_set(l->io, events);
}

static void add_read(void *data)
{
    struct store_link *l = data;

    set_events(l, l->io_events | LOOP_READ);
}

static void del_read(void *data)
{
    struct store_link *l = data;

    set_events(l, l->io_events & ~LOOP_READ);
}

static void add_write(void *data)
{
    struct store_link *l = data;

    set_events(l, l->io_events | LOOP_WRITE);
}

static void del_write(void *data)
{
    struct store_link *l = data;

    set_events(l, l->io_events & ~LOOP_WRITE);
}

static void cleanup(void *data)
{
    struct store_link *l = data;

    loop_io_free(l->io);
    l->io = NULL;
    l->io_events = 0;
    store_tls_free(l->tls);
    l->tls = NULL;
}

/* ---- down ------------------------------------------------------------------------------- */

/* Attempts go on for ever, so it must be said why they fail (a wrong password, for one).  The other link
 * shares its fate, and says nothing. */
static void complain(struct store_link *l, const char *why)
{
    uint64_t now = loop_now_ms(l->shard->loop);

    if (l != &l->shard->command || l->delay_ms < COMPLAIN_DELAY_MS)
        return;
    if (strcmp(l->complaint, why) == 0 && now - l->complained_ms < COMPLAIN_AGAIN_MS)
        return;
    snprintf(l->complaint, sizeof(l->complaint), "%s", why);
    l->complained_ms = now;
    LOG_WARN("redis_unreachable", F_STR("address", l->target.host), F_UINT("port", l->target.port),
             F_INT("db", l->shard->address.db), F_STR("reason", l->complaint));
}

/* The context is gone or going: forget it and try again later. */
static void lost(struct store_link *l, const char *why)
{
    bool was_up = l->up;

    l->ac = NULL;
    l->up = false;
    l->pinged = false;
    l->server[0] = '\0';
    l->turn += store_dial_asks(l); /* the next one may be better, or know a better one */
    if (l->closing)
        return;
    snprintf(l->trouble, sizeof(l->trouble), "%s", why);
    complain(l, l->trouble);
    loop_timer_arm(l->timer, l->delay_ms);
    l->delay_ms = MIN(l->delay_ms * 2, (uint64_t)DELAY_MAX_MS);
    if (was_up)
        l->down(l);
}

static void on_disconnect(const redisAsyncContext *ac, int status)
{
    struct store_link *l = ac->data;

    if (l->ac == ac)
        lost(l, status != REDIS_OK ? ac->errstr : "disconnected");
}

void store_link_drop(struct store_link *l, const char *why)
{
    redisAsyncContext *ac = l->ac;

    if (ac == NULL)
        return;
    lost(l, why);
    ac->data = l;
    redisAsyncFree(ac); /* answers what is under way with NULL, then on_disconnect */
}

void store_link_fail(struct store_link *l, const char *why)
{
    lost(l, why);
}

void store_link_again(struct store_link *l)
{
    redisAsyncContext *ac = steal(&l->ac);

    loop_timer_arm(l->timer, 0); /* from a later turn: this context ends in its own callback's wake */
    redisAsyncFree(ac);
}

/* ---- up ----------------------------------------------------------------------------------- */

void store_link_ready(struct store_link *l)
{
    l->up = true;
    l->complaint[0] = l->trouble[0] = '\0';
    l->delay_ms = DELAY_FIRST_MS;
    l->pinged = false;
    loop_timer_arm(l->timer, WATCH_MS);
}

void store_link_pong(struct store_link *l)
{
    l->pinged = false;
}

static void on_timer(void *arg)
{
    struct store_link *l = arg;

    if (l->ac == NULL) {
        store_dial(l);
    } else if (!l->up || l->pinged) {
        store_link_drop(l, "no answer");
    } else {
        l->pinged = true;
        loop_timer_arm(l->timer, WATCH_MS);
        l->ping(l);
    }
}

static void on_selected(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    const redisReply *r = reply;

    if (l->ac != ac || r == NULL)
        return;
    if (r->type == REDIS_REPLY_ERROR) { /* a wrong password, LOADING, ... : later perhaps */
        store_link_drop(l, r->str);
        return;
    }
    l->ready(l);
}

static void on_authenticated(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    const redisReply *r = reply;

    if (l->ac != ac || r == NULL || r->type != REDIS_REPLY_ERROR)
        return;
    /* Who does not know the command tells its arguments, the password among them. */
    store_link_drop(l, strncmp(r->str, "ERR ", 4) == 0 ? "the server does not take AUTH" : r->str);
}

static void authenticate(struct store_link *l, const char *user, const char *password)
{
    if (password != NULL && user != NULL)
        redisAsyncCommand(l->ac, on_authenticated, l, "AUTH %s %s", user, password);
    else if (password != NULL)
        redisAsyncCommand(l->ac, on_authenticated, l, "AUTH %s", password);
}

static void greet(struct store_link *l)
{
    const struct store_address *a = &l->shard->address;
    const char *password = l->shard->o.password != NULL ? l->shard->o.password : a->password;

    if (l->asking) {
        if (a->sentinel)
            authenticate(l, NULL, l->shard->o.sentinel_password);
        else
            authenticate(l, a->user, password);
        store_dial_ask(l);
        return;
    }
    authenticate(l, a->user, password);
    redisAsyncCommand(l->ac, on_selected, l, "SELECT %d", a->db);
}

static void on_connect(const redisAsyncContext *ac, int status)
{
    struct store_link *l = ac->data;

    if (l->ac != ac)
        return;
    if (status != REDIS_OK)
        lost(l, ac->errstr); /* hiredis frees the context */
    else
        greet(l);
}

static void on_tls(void *arg)
{
    greet(arg);
}

static void on_tls_failed(void *arg, const char *why)
{
    store_link_drop(arg, why);
}

/* hiredis is told that it is connected: what it says waits in the pair until TLS is agreed on. */
static int begin_tls(struct store_link *l)
{
    const char *name = l->shard->o.tls_name != NULL ? l->shard->o.tls_name : l->target.host;

    l->tls = store_tls_start(l->shard->loop, l->shard->tls, name, l->ac->c.fd, on_tls, on_tls_failed, l);
    l->ac->c.flags |= REDIS_CONNECTED;
    return l->tls == NULL ? -1 : 0;
}

void store_link_begin(struct store_link *l, redisAsyncContext *ac)
{
    if (ac == NULL || ac->err != 0) {
        lost(l, ac != NULL ? ac->errstr : "no memory");
        if (ac != NULL)
            redisAsyncFree(ac);
        return;
    }
    l->ac = ac;
    ac->data = l;
    loop_timer_arm(l->timer, l->asking ? ASK_MS : ATTEMPT_MS);
    if (l->shard->tls != NULL && begin_tls(l) != 0) {
        store_link_drop(l, "no memory or descriptors for TLS");
        return;
    }
    ac->ev.data = l;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    l->io = loop_io_new(l->shard->loop, ac->c.fd, 0, on_io, l);
    if (l->tls != NULL)
        add_read(l); /* the connection's end is heard of before the first answer */
    else
        redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
}

void store_link_open(struct store_link *l, struct shard *s)
{
    l->shard = s;
    l->delay_ms = DELAY_FIRST_MS;
    l->timer = loop_timer_new(s->loop, on_timer, l);
    loop_timer_arm(l->timer, 0);
}

void store_link_close(struct store_link *l)
{
    redisAsyncContext *ac = l->ac;

    l->closing = true;
    store_dial_stop(l);
    l->ac = NULL;
    l->up = false;
    if (ac != NULL)
        redisAsyncFree(ac);
    loop_timer_free(l->timer);
    l->timer = NULL;
}
