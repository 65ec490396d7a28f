/* store_cluster.c - which node of a Redis Cluster a shard is at.
 *
 * All of a shard's keys are in one slot, so a shard has one master, and both of its connections go there. Any
 * node tells which that is, as sentinels do; a node that had the slot before tells by MOVED.
 *
 * While a slot moves from node to node its keys are at both, each key at one.  A script that ran then, at
 * either, would take what is at the other for not there, and lose it: so none may run.  The key that all
 * scripts name does not exist, and of such a key the node that gives the slot away answers ASK before it runs
 * anything.  To follow that (ASKING) would be to run the script at the other half.  Instead the shard is away
 * until the slot has arrived: whoever asks gets ERR_AGAIN, and what is new goes to other shards. */
#include "store_internal.h"

/* ---- nodes ------------------------------------------------------------------------------------ */

/* {host, port, ...}; no host, or "?", is the one that was asked. */
static bool read_node(const redisReply *r, const struct store_node *asked, struct store_node *ret)
{
    const redisReply *host, *port;

    if (r->type != REDIS_REPLY_ARRAY || r->elements < 2)
        return false;
    host = r->element[0];
    port = r->element[1];
    if (port->type != REDIS_REPLY_INTEGER || port->integer < 1 || port->integer > 65535 ||
        (host->type != REDIS_REPLY_STRING && host->type != REDIS_REPLY_NIL) ||
        (host->type == REDIS_REPLY_STRING && host->len >= sizeof(ret->host)))
        return false;
    if (host->type == REDIS_REPLY_NIL || host->len == 0 || strcmp(host->str, "?") == 0)
        *ret = *asked;
    else
        snprintf(ret->host, sizeof(ret->host), "%s", host->str);
    ret->port = (uint16_t)port->integer;
    return true;
}

/* Whoever is named may be asked next time: those of the url may all be gone some day. */
static void learn(struct shard *s, const struct store_node *node)
{
    for (size_t i = 0; i < s->known_count; i++)
        if (s->known[i].port == node->port && strcmp(s->known[i].host, node->host) == 0)
            return;
    if (s->known_count < STORE_NODES_MAX)
        s->known[s->known_count++] = *node;
}

/* ---- slots ------------------------------------------------------------------------------------ */

/* {first, last, master, replica...} */
static bool read_range(struct shard *s, const redisReply *r, const struct store_node *asked,
                       struct store_node *ret)
{
    struct store_node node;
    bool found = false;

    if (r->type != REDIS_REPLY_ARRAY || r->elements < 3 || r->element[0]->type != REDIS_REPLY_INTEGER ||
        r->element[1]->type != REDIS_REPLY_INTEGER)
        return false;
    for (size_t i = 2; i < r->elements; i++) {
        if (!read_node(r->element[i], asked, &node))
            continue;
        learn(s, &node);
        if (i == 2 && r->element[0]->integer <= (long long)s->slot &&
            (long long)s->slot <= r->element[1]->integer) {
            *ret = node;
            found = true;
        }
    }
    return found;
}

static void on_slots(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    struct shard *s = l->shard;
    const redisReply *r = reply;
    const struct store_node asked = l->target;
    char why[64];

    if (l->ac != ac || r == NULL)
        return;
    if (r->type == REDIS_REPLY_ERROR) {
        store_link_drop(l, r->str);
        return;
    }
    s->known_count = 0;
    for (size_t i = 0; r->type == REDIS_REPLY_ARRAY && i < r->elements; i++)
        l->found |= read_range(s, r->element[i], &asked, &l->target);
    if (l->found) {
        store_link_again(l);
        return;
    }
    snprintf(why, sizeof(why), "no master of the cluster has slot %u", s->slot);
    store_link_drop(l, why);
}

void store_cluster_ask(struct store_link *l)
{
    redisAsyncCommand(l->ac, on_slots, l, "CLUSTER SLOTS");
}

/* ---- redirections ------------------------------------------------------------------------------- */

/* "MOVED 3999 127.0.0.1:6381"; no host is the one that says so. */
static bool read_moved(const char *text, const struct store_node *asked, struct store_node *ret)
{
    const char *host = strncmp(text, "MOVED ", 6) == 0 ? strchr(text + 6, ' ') : NULL;
    const char *colon = host != NULL ? strrchr(host, ':') : NULL;
    size_t len = colon == NULL ? 0 : (size_t)(colon - host - 1);
    uint64_t port;

    if (colon == NULL || len >= sizeof(ret->host) || num_u64(colon + 1, 1, 65535, &port) != 0)
        return false;
    *ret = *asked;
    if (len > 0) {
        memcpy(ret->host, host + 1, len);
        ret->host[len] = '\0';
    }
    ret->port = (uint16_t)port;
    return true;
}

static void go(struct store_link *l, const struct store_node *to, const char *why)
{
    store_link_drop(l, why);
    if (l->dial != NULL)
        return; /* it will find out by itself */
    l->target = *to;
    l->found = true;
}

void store_cluster_leave(struct shard *s, const char *why)
{
    struct store_node to;
    bool moved = s->address.cluster && read_moved(why, &s->command.target, &to);

    store_link_drop(&s->command, why);
    if (moved)
        go(&s->command, &to, why);
}

/* A node that leaves the cluster, or is cut off it, hears of no more messages. */
void store_cluster_join(struct shard *s)
{
    const struct store_node *here = &s->command.target;

    if (s->address.cluster && s->subscription.up &&
        (s->subscription.target.port != here->port || strcmp(s->subscription.target.host, here->host) != 0))
        go(&s->subscription, here, "the shard is at another node");
}
