/* store_link.c - one connection to Redis that keeps itself up.
 *
 * hiredis' asynchronous context on our own loop.  The timer has three uses, one at a time: the wait before
 * the next attempt, the bound of the attempt itself, and then a watchdog that asks for a sign of life, so
 * that a server which hangs is noticed and left. */
#include "store_internal.h"

#include <netdb.h>
#include <unistd.h>

#include "log/log.h"

#define DELAY_FIRST_MS 50
#define DELAY_MAX_MS 2000
#define ATTEMPT_MS 5000
#define WATCH_MS 5000
#define COMPLAIN_DELAY_MS 1000 /* reached after a second and a half: an ordinary start is quicker */
#define COMPLAIN_AGAIN_MS 60000

static void attempt(struct store_link *l);

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
}

/* ---- down ------------------------------------------------------------------------------- */

/* Attempts go on for ever, so it must be said why they fail (a wrong password, for one).  The other link
 * shares its fate, and says nothing. */
static void complain(struct store_link *l, const char *why)
{
    const struct store_address *a = &l->store->address;
    uint64_t now = loop_now_ms(l->store->loop);

    if (l != &l->store->command || l->delay_ms < COMPLAIN_DELAY_MS)
        return;
    if (strcmp(l->complaint, why) == 0 && now - l->complained_ms < COMPLAIN_AGAIN_MS)
        return;
    snprintf(l->complaint, sizeof(l->complaint), "%s", why);
    l->complained_ms = now;
    LOG_WARN("redis_unreachable", F_STR("address", a->host), F_INT("port", a->is_unix ? 0 : a->port),
             F_INT("db", a->db), F_STR("reason", l->complaint));
}

/* The context is gone or going: forget it and try again later. */
static void lost(struct store_link *l, const char *why)
{
    bool was_up = l->up;

    l->ac = NULL;
    l->up = false;
    l->pinged = false;
    if (l->closing)
        return;
    complain(l, why);
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

/* ---- up ----------------------------------------------------------------------------------- */

void store_link_ready(struct store_link *l)
{
    l->up = true;
    l->complaint[0] = '\0';
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
        attempt(l);
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

    if (l->ac == ac && r != NULL && r->type == REDIS_REPLY_ERROR)
        store_link_drop(l, r->str);
}

static void greet(struct store_link *l)
{
    const struct store_address *a = &l->store->address;
    const char *password = l->store->o.password != NULL ? l->store->o.password : a->password;

    if (password != NULL && a->user != NULL)
        redisAsyncCommand(l->ac, on_authenticated, l, "AUTH %s %s", a->user, password);
    else if (password != NULL)
        redisAsyncCommand(l->ac, on_authenticated, l, "AUTH %s", password);
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

static void begin(struct store_link *l, redisAsyncContext *ac)
{
    if (ac == NULL || ac->err != 0) {
        lost(l, ac != NULL ? ac->errstr : "no memory");
        if (ac != NULL)
            redisAsyncFree(ac);
        return;
    }
    l->ac = ac;
    ac->data = l;
    ac->ev.data = l;
    ac->ev.addRead = add_read;
    ac->ev.delRead = del_read;
    ac->ev.addWrite = add_write;
    ac->ev.delWrite = del_write;
    ac->ev.cleanup = cleanup;
    l->io = loop_io_new(l->store->loop, ac->c.fd, 0, on_io, l);
    loop_timer_arm(l->timer, ATTEMPT_MS);
    redisAsyncSetConnectCallback(ac, on_connect);
    redisAsyncSetDisconnectCallback(ac, on_disconnect);
}

/* ---- names ----------------------------------------------------------------------------------- */

struct resolving {
    struct store_link *link;
    char host[256];
    char address[64]; /* "" if there is none */
};

static void resolve(const char *host, int flags, char *ret, size_t size)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = flags}, *list = NULL;

    ret[0] = '\0';
    if (getaddrinfo(host, NULL, &hints, &list) != 0)
        return;
    if (getnameinfo(list->ai_addr, list->ai_addrlen, ret, (socklen_t)size, NULL, 0, NI_NUMERICHOST) != 0)
        ret[0] = '\0';
    freeaddrinfo(list);
}

static void resolve_work(void *arg)
{
    struct resolving *r = arg;

    resolve(r->host, AI_ADDRCONFIG, r->address, sizeof(r->address));
}

static void resolve_done(void *arg)
{
    struct resolving *r = arg;
    struct store_link *l = r->link;

    if (r->address[0] != '\0')
        begin(l, redisAsyncConnect(r->address, l->store->address.port));
    else
        lost(l, "its name cannot be resolved");
    free(r);
}

static void attempt(struct store_link *l)
{
    const struct store_address *a = &l->store->address;
    struct resolving *r;
    char numeric[64];

    if (a->is_unix) {
        begin(l, redisAsyncConnectUnix(a->host));
        return;
    }
    resolve(strcmp(a->host, "localhost") == 0 ? "127.0.0.1" : a->host, AI_NUMERICHOST, numeric,
            sizeof(numeric));
    if (numeric[0] != '\0') {
        begin(l, redisAsyncConnect(numeric, a->port));
        return;
    }
    r = NEW(struct resolving); /* a real name: off the loop */
    r->link = l;
    snprintf(r->host, sizeof(r->host), "%s", a->host);
    loop_work(l->store->loop, resolve_work, resolve_done, r);
}

void store_link_open(struct store_link *l, struct store *s)
{
    l->store = s;
    l->delay_ms = DELAY_FIRST_MS;
    l->timer = loop_timer_new(s->loop, on_timer, l);
    loop_timer_arm(l->timer, 0);
}

void store_link_close(struct store_link *l)
{
    redisAsyncContext *ac = l->ac;

    l->closing = true;
    l->ac = NULL;
    l->up = false;
    if (ac != NULL)
        redisAsyncFree(ac);
    loop_timer_free(l->timer);
    l->timer = NULL;
}
