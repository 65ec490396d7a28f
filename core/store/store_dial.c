/* store_dial.c - whom a link connects to: names become addresses, and sentinels name a master.
 *
 * With sentinels each attempt begins by asking one of them, in turn, so that a fail-over is followed by the
 * same way that a lost connection is: sentinels cut the clients off the master that they have deposed.  What
 * they say may be old; that the master takes writes is checked when it is connected (store_facts.c).  Of a
 * cluster any node is asked in the same way (store_cluster.c). */
#include <netdb.h>

#include "store_internal.h"

struct store_dial {
    struct store_link *link; /* NULL: it does not wait any more */
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
    struct store_dial *d = arg;

    resolve(d->host, AI_ADDRCONFIG, d->address, sizeof(d->address));
}

static void resolve_done(void *arg)
{
    struct store_dial *d = arg;
    struct store_link *l = d->link;

    if (l != NULL) {
        l->dial = NULL;
        if (d->address[0] != '\0')
            store_link_begin(l, redisAsyncConnect(d->address, l->target.port));
        else
            store_link_fail(l, "its name cannot be resolved");
    }
    free(d);
}

bool store_dial_asks(const struct store_link *l)
{
    return l->shard->address.sentinel || l->shard->address.cluster;
}

static void pick(struct store_link *l)
{
    const struct shard *s = l->shard;
    const struct store_address *a = &s->address;
    size_t at = l->turn % (a->node_count + s->known_count);

    l->asking = store_dial_asks(l) && !l->found;
    if (!l->found)
        l->target = at < a->node_count ? a->nodes[at] : s->known[at - a->node_count];
    l->found = false;
}

void store_dial(struct store_link *l)
{
    char numeric[64];

    pick(l);
    if (l->shard->address.is_unix) {
        store_link_begin(l, redisAsyncConnectUnix(l->target.host));
        return;
    }
    resolve(strcmp(l->target.host, "localhost") == 0 ? "127.0.0.1" : l->target.host, AI_NUMERICHOST, numeric,
            sizeof(numeric));
    if (numeric[0] != '\0') {
        store_link_begin(l, redisAsyncConnect(numeric, l->target.port));
        return;
    }
    l->dial = NEW(struct store_dial); /* a real name: off the loop */
    l->dial->link = l;
    snprintf(l->dial->host, sizeof(l->dial->host), "%s", l->target.host);
    loop_work(l->shard->loop, resolve_work, resolve_done, l->dial);
}

void store_dial_stop(struct store_link *l)
{
    if (l->dial != NULL)
        l->dial->link = NULL;
    l->dial = NULL;
}

/* ---- sentinels ------------------------------------------------------------------------------ */

static bool read_node(const redisReply *r, struct store_node *ret)
{
    uint64_t port;

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 2 || r->element[0]->type != REDIS_REPLY_STRING ||
        r->element[1]->type != REDIS_REPLY_STRING || r->element[0]->len == 0 ||
        r->element[0]->len >= sizeof(ret->host) || num_u64(r->element[1]->str, 1, 65535, &port) != 0)
        return false;
    snprintf(ret->host, sizeof(ret->host), "%s", r->element[0]->str);
    ret->port = (uint16_t)port;
    return true;
}

static void on_master(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    const redisReply *r = reply;

    if (l->ac != ac || r == NULL)
        return;
    if (r->type == REDIS_REPLY_ERROR) {
        store_link_drop(l, r->str);
    } else if (!read_node(r, &l->target)) {
        store_link_drop(l, "this sentinel knows no master of the name that queue.url has");
    } else {
        l->found = true;
        store_link_again(l);
    }
}

void store_dial_ask(struct store_link *l)
{
    if (l->shard->address.cluster) {
        store_cluster_ask(l);
        return;
    }
    redisAsyncCommand(l->ac, on_master, l, "SENTINEL get-master-addr-by-name %s", l->shard->address.master);
}
