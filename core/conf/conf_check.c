/* conf_check.c - what keys must be to each other. */
#include "conf_internal.h"

#define WINDOW_CHECKS_MAX 900

static uint64_t number_of(const struct conf *c, const struct conf_item *it)
{
    return *(const uint64_t *)(const void *)((const char *)c + it->offset);
}

static void number_text(const struct conf *c, const struct conf_item *it, char *out, size_t size)
{
    if (it->type == CONF_BYTES)
        conf_bytes_text(number_of(c, it), out, size);
    else
        snprintf(out, size, "%llu%s", (unsigned long long)number_of(c, it), it->type == CONF_CPU ? "m" : "");
}

/* Two keys as section.name, the first of which must not be larger than the second. */
struct order {
    const char *small_section, *small, *large_section, *large;
};

static void order_check(struct conf_load *l, const struct order *o)
{
    const struct conf_item *a = conf_item_find(o->small_section, o->small);
    const struct conf_item *b = conf_item_find(o->large_section, o->large);
    bool blame_b = l->origin[a - conf_items].from == CONF_FROM_DEFAULT;
    char small[32], large[32];

    if (number_of(l->conf, a) <= number_of(l->conf, b))
        return;
    number_text(l->conf, a, small, sizeof(small));
    number_text(l->conf, b, large, sizeof(large));
    if (blame_b)
        conf_mistake_item(l, b, "%s.%s: %s is less than %s.%s, which is %s%s", b->section, b->name, large,
                          a->section, a->name, small,
                          l->origin[b - conf_items].from == CONF_FROM_DEFAULT ? "" : " by default");
    else
        conf_mistake_item(l, a, "%s.%s: %s is more than %s.%s, which is %s%s", a->section, a->name, small,
                          b->section, b->name, large,
                          l->origin[b - conf_items].from == CONF_FROM_DEFAULT ? " by default" : "");
}

static void lease_check(struct conf_load *l)
{
    const struct conf_item *beat = conf_item_find("worker", "heartbeat_ms"),
                           *lease = conf_item_find("queue", "lease_ms");
    bool blame_lease = l->origin[beat - conf_items].from == CONF_FROM_DEFAULT;

    if (l->conf->heartbeat_ms * 3 <= l->conf->lease_ms)
        return;
    conf_mistake_item(
        l, blame_lease ? lease : beat,
        "queue.lease_ms (%llu) must be at least 3 * worker.heartbeat_ms (%llu): one lost heartbeat would "
        "lose the job",
        (unsigned long long)l->conf->lease_ms, (unsigned long long)l->conf->heartbeat_ms);
}

/* What was wanted is kept in so many decisions (fewer than STORE_DECISIONS_MAX of store/, for a change of
 * this file): with fewer than the time takes there would never be enough to go down by. */
static void window_check(struct conf_load *l)
{
    const struct conf_item *window = conf_item_find("scaling", "stabilizationMs");

    if (l->conf->stabilization_ms <= l->conf->check_interval_ms * WINDOW_CHECKS_MAX)
        return;
    conf_mistake_item(
        l, window, "scaling.stabilizationMs: %llu is more than %d * scaling.checkIntervalMs, which is %llu",
        (unsigned long long)l->conf->stabilization_ms, WINDOW_CHECKS_MAX,
        (unsigned long long)l->conf->check_interval_ms);
}

/* Whoever reaches the port runs programs here: that needs a key. */
static void exposure_check(struct conf_load *l)
{
    const struct conf_item *address = conf_item_find("api", "address"), *keys = conf_item_find("api", "keys");
    bool tried = l->conf->key_count == 0 && l->origin[keys - conf_items].from == CONF_FROM_FILE &&
                 l->mistake_count > 0;

    if (conf_address_is_loopback(l->conf->address) || l->conf->key_count > 0 || tried)
        return;
    conf_mistake_item(
        l, address,
        "api.address: %s can be reached from other machines, and api.keys has no key; add one to the "
        "section api, as keys = ( { name = \"main\"; key_file = \"/etc/execd/api.key\"; } ); "
        "(make the file with: openssl rand -hex 24), or listen on 127.0.0.1",
        l->conf->address);
}

/* The older secret alone would sign nothing by what the section says. */
static void secrets_check(struct conf_load *l)
{
    if (l->conf->hook_previous_secret != NULL && l->conf->hook_secret == NULL)
        conf_mistake_item(l, conf_item_find("hook", "previous_secret"),
                          "hook.previous_secret: there is no hook.secret that it was before");
}

/* One letter less in the scheme, and the password would be sent in clear. */
static void tls_check(struct conf_load *l)
{
    const struct conf *c = l->conf;
    const struct {
        const char *name, *value;
    } keys[] = {
        {"tls_ca", c->tls_ca}, {"tls_cert", c->tls_cert}, {"tls_key", c->tls_key}, {"tls_name", c->tls_name}};

    if (strncmp(c->queue_url, "rediss://", 9) == 0 || strncmp(c->queue_url, "sentinels://", 12) == 0 ||
        strncmp(c->queue_url, "clusters://", 11) == 0)
        return;
    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (keys[i].value != NULL && keys[i].value[0] != '\0')
            conf_mistake_item(
                l, conf_item_find("queue", keys[i].name),
                "queue.%s: queue.url does not ask for TLS (rediss://, sentinels:// or clusters://)",
                keys[i].name);
}

static void key_room_check(struct conf_load *l, const struct conf_item *item, const char *name,
                           const char *bound, uint64_t value, uint64_t room)
{
    if (value > room)
        conf_mistake_item(
            l, item,
            "%s: %llu is more than the %llu that each of %llu queue.shards has of queue.%s; who has "
            "bounds keeps to one shard",
            name, (unsigned long long)value, (unsigned long long)room,
            (unsigned long long)l->conf->queue_shards, bound);
}

/* Who has bounds keeps to one shard, whose room is all that there is.  Those of a key that are the common
 * ones were said there. */
static void key_rooms_check(struct conf_load *l, uint64_t jobs, uint64_t bytes)
{
    const struct conf *c = l->conf;

    key_room_check(l, conf_item_find("queue", "key_max_jobs"), "queue.key_max_jobs", "max_jobs",
                   c->key_max_jobs, jobs);
    key_room_check(l, conf_item_find("queue", "key_max_bytes"), "queue.key_max_bytes", "max_bytes",
                   c->key_max_bytes, bytes);
    for (size_t i = 0; i < c->key_count; i++) {
        const struct conf_key *k = &c->keys[i];
        CLEAN_FREE char *max_jobs = mem_printf("api.keys: max_jobs of `%s`", k->name);
        CLEAN_FREE char *max_bytes = mem_printf("api.keys: max_bytes of `%s`", k->name);

        if (k->max_jobs != c->key_max_jobs)
            key_room_check(l, conf_item_find("api", "keys"), max_jobs, "max_jobs", k->max_jobs, jobs);
        if (k->max_bytes != c->key_max_bytes)
            key_room_check(l, conf_item_find("api", "keys"), max_bytes, "max_bytes", k->max_bytes, bytes);
    }
}

/* A submission goes into one shard, whole. */
static void shards_check(struct conf_load *l)
{
    const struct conf *c = l->conf;
    const uint64_t shards = MAX(c->queue_shards, (uint64_t)1); /* 0: a mistake of its own */
    const struct {
        const char *queue, *api;
        uint64_t room, wanted;
    } rows[] = {{"max_jobs", "batch_max", c->queue_max_jobs / shards, c->batch_max},
                {"max_bytes", "body_max_bytes", c->queue_max_bytes / shards, c->body_max}};

    for (size_t i = 0; shards > 1 && i < COUNT_OF(rows); i++)
        if (rows[i].room < rows[i].wanted)
            conf_mistake_item(
                l, conf_item_find("queue", "shards"),
                "queue.shards: of queue.%s each of %llu shards has %llu, less than api.%s, which "
                "is %llu",
                rows[i].queue, (unsigned long long)shards, (unsigned long long)rows[i].room, rows[i].api,
                (unsigned long long)rows[i].wanted);
    if (shards > 1)
        key_rooms_check(l, c->queue_max_jobs / shards, c->queue_max_bytes / shards);
}

void conf_check(struct conf_load *l)
{
    static const struct order orders[] = {
        {"limits", "timeout_min_ms", "limits", "timeout_ms"},
        {"limits", "timeout_ms", "limits", "timeout_max_ms"},
        {"limits", "cpu_timeout_ms", "limits", "timeout_max_ms"},
        {"limits", "memory_min_bytes", "limits", "memory_bytes"},
        {"limits", "memory_bytes", "limits", "memory_max_bytes"},
        {"limits", "cpu_limit_min", "limits", "cpu_limit"},
        {"limits", "cpu_limit", "limits", "cpu_limit_max"},
        {"api", "source_max_bytes", "api", "body_max_bytes"},
        {"api", "stdin_max_bytes", "api", "body_max_bytes"},
        {"api", "expected_max_bytes", "api", "body_max_bytes"},
        {"api", "wait_max_ms", "api", "idle_ms"},
        {"api", "body_max_bytes", "api", "buffers_max_bytes"},
        {"api", "body_max_bytes", "queue", "max_bytes"},
        {"compile", "keep_bytes", "limits", "box_bytes"},
        {"api", "source_max_bytes", "limits", "box_bytes"},
        {"warm", "runtime_memory_bytes", "warm", "memory_max_bytes"},
        {"warm", "service_memory_bytes", "warm", "memory_max_bytes"},
        {"hook", "first_retry_ms", "hook", "max_retry_ms"},
        {"scaling", "minPods", "scaling", "maxPods"},
    };

    for (size_t i = 0; i < COUNT_OF(orders); i++)
        order_check(l, &orders[i]);
    lease_check(l);
    window_check(l);
    secrets_check(l);
    tls_check(l);
    shards_check(l);
    exposure_check(l);
}
