/* store_shard.c - one shard: opening, hints, and the life of its two connections.
 *
 * Theory of operation.  Every change of a job's state is one Lua script (lua/), so that it happens whole or
 * not at all, by the clock of Redis.  One connection carries the questions, pipelined; another listens to
 * three channels: `ready` (something was queued), `outbox` (a webhook is due) and `done` (a job ended).
 * Messages are hints: whoever misses one finds out by its own timer.
 *
 * A shard is all of this under one hash tag, and knows nothing of the others (store.c).
 *
 * A claim raises the job's epoch; extending, finishing and releasing compare it, so a worker that lost its
 * lease can change nothing.  Records are written by store_codec.c; the keys are listed in lua/common.lua.
 *
 * What acceptance means: the embedded server (and any that is configured with `appendfsync always`) has its
 * append-only file on the disk before it answers, so an accepted job survives the death of every
 * process at once. */
#include "store_internal.h"

/* ---- hints ------------------------------------------------------------------------------ */

static void on_hint_timer(void *arg)
{
    struct shard *s = arg;
    bool ready = s->ready_posted, outbox = s->outbox_posted;

    s->ready_posted = s->outbox_posted = false;
    if (ready && s->ready_fn != NULL)
        s->ready_fn(s->ready_arg);
    if (outbox && s->outbox_fn != NULL)
        s->outbox_fn(s->outbox_arg);
}

static void hint(struct shard *s, bool ready, bool outbox)
{
    s->ready_posted |= ready;
    s->outbox_posted |= outbox;
    loop_timer_arm(s->hint_timer, 0); /* hints that come together run once */
}

static void on_message(redisAsyncContext *ac, void *reply, void *arg)
{
    struct shard *s = arg;
    const redisReply *r = reply;
    const char *channel;

    (void)ac;
    if (r == NULL || s->freeing || r->type != REDIS_REPLY_ARRAY || r->elements != 3)
        return;
    store_link_pong(&s->subscription);
    if (strcmp(r->element[0]->str, "message") != 0)
        return;
    channel = r->element[1]->str + strlen(s->tag);
    if (strcmp(channel, ":done") == 0)
        store_waits_told(s, r->element[2]->str);
    else
        hint(s, strcmp(channel, ":ready") == 0, strcmp(channel, ":outbox") == 0);
}

/* ---- up and down ------------------------------------------------------------------------- */

static void on_changed(void *arg)
{
    struct shard *s = arg;

    if (s->change_fn != NULL)
        s->change_fn(s->change_arg);
}

/* Up is when both are: questions can be asked and answers will be heard of. */
static void judge(struct shard *s)
{
    bool connected = s->command.up && s->subscription.up;

    if (connected == s->connected || s->freeing)
        return;
    s->connected = connected;
    loop_timer_arm(s->change_timer, 0);
    if (connected) {
        store_calls_repeat(s);
        store_waits_ask_all(s);
        hint(s, true, true);
    }
}

/* A link is of use.  If the other one is to another server, that one has missed a fail-over: a master that
 * was deposed may live on, and nobody cuts who only listens there to messages that never come.  In a cluster
 * each finds its way by the slot, and the node that answers questions has it. */
static void came_up(struct store_link *l)
{
    struct shard *s = l->shard;
    struct store_link *other = l == &s->command ? &s->subscription : &s->command;

    store_link_ready(l);
    if (other->up && l->server[0] != '\0' && other->server[0] != '\0' && !s->address.cluster &&
        strcmp(l->server, other->server) != 0)
        store_link_drop(other, "the other connection has found another server");
    if (s->command.up)
        store_cluster_join(s);
    judge(s);
}

/* Another number of shards would look for most jobs where they are not. */
static void on_shards(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    struct shard *s = l->shard;
    const redisReply *r = reply;
    char why[sizeof(l->trouble)];

    if (l->ac != ac || r == NULL)
        return;
    if (r->type == REDIS_REPLY_INTEGER && r->integer == (long long)s->o.shards) {
        came_up(l);
        return;
    }
    if (r->type == REDIS_REPLY_INTEGER)
        snprintf(why, sizeof(why), "queue.shards is %u, and what this Redis holds was made with %lld",
                 (unsigned)s->o.shards, r->integer);
    else
        snprintf(why, sizeof(why), "%s",
                 r->type == REDIS_REPLY_ERROR ? r->str : "it does not tell the number of shards");
    store_cluster_leave(s, why);
}

static void on_loaded(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    struct shard *s = l->shard;
    const redisReply *r = reply;

    if (l->ac != ac || r == NULL)
        return;
    if (r->type != REDIS_REPLY_STRING || r->len != 40) {
        store_link_drop(l, "a script was refused");
        return;
    }
    memcpy(s->shas[s->scripts_loaded], r->str, 41);
    if (++s->scripts_loaded == SCRIPT_COUNT)
        redisAsyncCommand(ac, on_shards, l, "EVALSHA %s 1 %s %s %u", s->shas[SCRIPT_SHARDS], s->tag, s->tag,
                          (unsigned)s->o.shards);
}

static void command_ready(struct store_link *l)
{
    l->shard->scripts_loaded = 0;
    store_facts_ask(l);
    for (size_t i = 0; i < SCRIPT_COUNT; i++)
        redisAsyncCommand(l->ac, on_loaded, l, "SCRIPT LOAD %s", store_scripts[i]);
}

static void on_server(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    const redisReply *r = reply;
    const char *tag = l->shard->tag;

    if (l->ac != ac || r == NULL)
        return;
    store_facts_server(l, r->type == REDIS_REPLY_STRING ? r->str : "");
    redisAsyncCommand(ac, on_message, l->shard, "SUBSCRIBE %s:ready %s:outbox %s:done", tag, tag, tag);
    came_up(l);
}

static void subscription_ready(struct store_link *l)
{
    redisAsyncCommand(l->ac, on_server, l, "INFO server");
}

static void on_pong(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;

    if (l->ac == ac && reply != NULL)
        store_link_pong(l);
}

static void command_ping(struct store_link *l)
{
    redisAsyncCommand(l->ac, on_pong, l, "PING");
}

/* hiredis has no place for a PONG between messages; subscribing again is answered as one. */
static void subscription_ping(struct store_link *l)
{
    redisAsyncCommand(l->ac, on_message, l->shard, "SUBSCRIBE %s:ready", l->shard->tag);
}

static void link_down(struct store_link *l)
{
    judge(l->shard);
}

static void on_fail_timer(void *arg)
{
    store_calls_fail(arg);
}

static void on_answer_timer(void *arg)
{
    store_calls_late(arg);
}

/* ---- open and free ------------------------------------------------------------------------- */

/* What Redis itself has to conclude with: results are bytes to it. */
static int make_results(struct shard *s)
{
    struct job_result lost = {.status = JOB_INTERNAL_ERROR}, unbegun = {.status = JOB_INTERNAL_ERROR},
                      overdue = {.status = JOB_INTERNAL_ERROR}, cancelled = {.status = JOB_CANCELLED};
    int rc;

    lost.message = mem_printf("the worker was lost %u times while it ran this job", s->o.max_attempts);
    unbegun.message = mem_printf("the worker was lost %u times before it began this job",
                                 STORE_UNBEGUN * s->o.max_attempts);
    overdue.message = mem_printf("no worker took this job within %llu ms (queue.max_wait_ms)",
                                 (unsigned long long)s->o.queue_max_wait_ms);
    rc = store_put_result(&lost, &s->lost_result);
    if (rc == 0)
        rc = store_put_result(&unbegun, &s->unbegun_result);
    if (rc == 0)
        rc = store_put_result(&overdue, &s->overdue_result);
    if (rc == 0)
        rc = store_put_result(&cancelled, &s->cancelled_result);
    job_result_done(&lost);
    job_result_done(&unbegun);
    job_result_done(&overdue);
    return rc;
}

int shard_open(struct loop *loop, const struct store_options *o, const char *tag, struct shard **ret,
               struct err *reterr)
{
    struct shard *s = NEW(struct shard);
    int rc = store_url_parse(o->url, &s->address, reterr);

    if (rc == 0 && s->address.tls)
        rc = store_tls_context_new(o, &s->tls, reterr);
    if (rc != 0) {
        store_address_done(&s->address);
        free(s);
        return rc;
    }
    s->loop = loop;
    s->o = *o;
    s->o.url = NULL; /* it may hold a password, and was read */
    s->o.password = mem_dup(o->password);
    s->o.sentinel_password = mem_dup(o->sentinel_password);
    s->o.tls_name = mem_dup(o->tls_name);
    s->o.tls_ca = s->o.tls_cert = s->o.tls_key = NULL; /* they were read */
    s->o.prefix = NULL;
    s->tag = mem_dup(tag);
    s->slot = store_slot_of(tag + 1, strlen(tag) - 2);
    TAILQ_INIT(&s->failing);
    TAILQ_INIT(&s->unsure);
    TAILQ_INIT(&s->turns);
    TAILQ_INIT(&s->timed);
    for (size_t i = 0; i < STORE_WAIT_BUCKETS; i++)
        TAILQ_INIT(&s->waits[i]);
    if (make_results(s) != 0)
        abort(); /* a hundred bytes */
    s->hint_timer = loop_timer_new(loop, on_hint_timer, s);
    s->change_timer = loop_timer_new(loop, on_changed, s);
    s->fail_timer = loop_timer_new(loop, on_fail_timer, s);
    s->answer_timer = loop_timer_new(loop, on_answer_timer, s);
    s->command = (struct store_link){.ready = command_ready, .down = link_down, .ping = command_ping};
    s->subscription =
        (struct store_link){.ready = subscription_ready, .down = link_down, .ping = subscription_ping};
    store_link_open(&s->command, s);
    store_link_open(&s->subscription, s);
    *ret = s;
    return 0;
}

static void secret_free(const char *text)
{
    if (text != NULL)
        explicit_bzero((char *)(uintptr_t)text, strlen(text));
    free((char *)(uintptr_t)text);
}

void shard_close(struct shard *s)
{
    s->freeing = true;
    s->connected = false;
    store_link_close(&s->subscription);
    store_link_close(&s->command); /* answers what is under way */
    store_calls_give_up(s);
}

bool shard_drain(struct shard *s)
{
    bool any = !TAILQ_EMPTY(&s->failing);

    while (!TAILQ_EMPTY(&s->failing))
        store_calls_fail(s);
    any |= store_waits_drop(s);
    return any;
}

void shard_free(struct shard *s)
{
    loop_timer_free(s->hint_timer);
    loop_timer_free(s->change_timer);
    loop_timer_free(s->fail_timer);
    loop_timer_free(s->answer_timer);
    store_facts_done(s);
    secret_free(s->o.password);
    secret_free(s->o.sentinel_password);
    free((char *)(uintptr_t)s->o.tls_name);
    store_tls_context_free(s->tls);
    store_address_done(&s->address);
    buf_done(&s->lost_result);
    buf_done(&s->unbegun_result);
    buf_done(&s->overdue_result);
    buf_done(&s->cancelled_result);
    free(s->tag);
    free(s);
}

bool shard_connected(const struct shard *s)
{
    return s->connected;
}

const char *shard_trouble(const struct shard *s)
{
    return s->command.trouble[0] != '\0' ? s->command.trouble : s->subscription.trouble;
}

void shard_on_change(struct shard *s, loop_fn fn, void *arg)
{
    s->change_fn = fn;
    s->change_arg = arg;
}

void shard_on_ready(struct shard *s, loop_fn fn, void *arg)
{
    s->ready_fn = fn;
    s->ready_arg = arg;
}

void shard_on_outbox(struct shard *s, loop_fn fn, void *arg)
{
    s->outbox_fn = fn;
    s->outbox_arg = arg;
}

void shard_ping(struct shard *s, store_done_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, "PING");
    store_plain_call(s, &a, store_done_reply, (void (*)(void))done, arg, NULL);
}
