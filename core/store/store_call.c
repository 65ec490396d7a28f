/* store_call.c - one question to Redis and its one answer. */
#include "store_internal.h"

#define IN_FLIGHT_MAX 20000 /* of clients' questions; what workers have to say is bounded by their slots */
/* What Redis has answered and we have not read is Redis' memory, and everything else waits behind it: results
 * have megabytes, and clients may ask for more of them than we can hand out. */
#define READS_MAX 32
#define READ_BYTES (2U << 20) /* of them all, as far as the last answers tell */

/* ---- arguments ------------------------------------------------------------------------ */

void store_args_add(struct store_args *a, const void *bytes, size_t len)
{
    if (a->count == a->cap) {
        a->cap = MAX(a->cap * 2, (size_t)16);
        a->argv = reallocarray(a->argv, a->cap, sizeof(*a->argv));
        a->lens = reallocarray(a->lens, a->cap, sizeof(*a->lens));
        if (a->argv == NULL || a->lens == NULL)
            abort(); /* as mem_zero(): pointers, not the bytes */
    }
    a->argv[a->count] = bytes == NULL ? "" : bytes;
    a->lens[a->count++] = len;
}

void store_args_str(struct store_args *a, const char *s)
{
    store_args_add(a, s, strlen(s));
}

void store_args_num(struct store_args *a, uint64_t n)
{
    char *text = mem_printf("%llu", (unsigned long long)n);

    if (a->owned_count == a->owned_cap) {
        a->owned_cap = MAX(a->owned_cap * 2, (size_t)16);
        a->owned = reallocarray(a->owned, a->owned_cap, sizeof(*a->owned));
        if (a->owned == NULL)
            abort();
    }
    a->owned[a->owned_count++] = text;
    store_args_str(a, text);
}

void store_args_done(struct store_args *a)
{
    for (size_t i = 0; i < a->owned_count; i++)
        free(a->owned[i]);
    free(a->owned);
    free(a->argv);
    free(a->lens);
    *a = (struct store_args){0};
}

/* ---- answers -------------------------------------------------------------------------------- */

static void answer(struct store_call *c, const redisReply *reply)
{
    if (c->due_ms != 0)
        TAILQ_REMOVE(&c->shard->timed, c, timed_link);
    c->due_ms = 0;
    c->answered = true;
    c->fn(c, reply, c->err.code == 0 ? NULL : &c->err);
}

static void forget_question(struct store_call *c)
{
    redisFreeCommand(c->again);
    c->again = NULL;
}

static void fail_soon(struct store_call *c)
{
    c->place = STORE_IN_FAILING;
    TAILQ_INSERT_TAIL(&c->shard->failing, c, link);
    loop_timer_arm(c->shard->fail_timer, 0);
}

static void read_next(struct shard *s);

static void call_end(struct store_call *c, const redisReply *reply)
{
    struct shard *s = c->shard;
    bool was_read = c->reads && c->place == STORE_WITH_REDIS;

    s->in_flight--;
    s->unanswered -= c->weighed ? c->again_len : 0;
    s->reading -= was_read ? 1 : 0;
    if (!c->answered)
        answer(c, reply);
    free(c->extra);
    forget_question(c);
    free(c);
    if (was_read)
        read_next(s);
}

/* The connection went before the answer came, or the script was not there: true if the call will be made once
 * more. */
static bool repeat_later(struct store_call *c)
{
    struct shard *s = c->shard;

    if (c->again == NULL || c->repeated || c->answered || s->freeing)
        return false;
    c->repeated = true;
    c->place = STORE_IN_UNSURE;
    TAILQ_INSERT_TAIL(&s->unsure, c, link);
    return true;
}

static size_t reply_bytes(const redisReply *r)
{
    size_t sum = r->len;

    for (size_t i = 0; i < r->elements; i++)
        sum += reply_bytes(r->element[i]);
    return sum;
}

static void on_reply(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_call *c = arg;
    struct shard *s = c->shard;
    const redisReply *r = reply;
    enum store_after after = STORE_AFTER_NOTHING;
    char why[128] = "";

    if (r == NULL) {
        if (repeat_later(c))
            return;
        err_set(&c->err, c->clients ? ERR_UNSURE : ERR_AGAIN,
                "the connection to Redis was lost before it answered");
    } else if (r->type == REDIS_REPLY_ERROR) {
        after = store_error_judge(s, r->str, c->clients, &c->err);
        snprintf(why, sizeof(why), "%s", r->str);
    }
    if (r != NULL && c->reads)
        s->read_mean = (7 * s->read_mean + reply_bytes(r)) / 8;
    if (after != STORE_AFTER_LEAVE || !repeat_later(c))
        call_end(c, c->err.code == 0 ? r : NULL);
    if (after == STORE_AFTER_LEAVE && s->command.ac == ac)
        store_cluster_leave(s, why);
}

static struct store_calls *list_of(struct store_call *c)
{
    return c->place == STORE_IN_UNSURE ? &c->shard->unsure
           : c->place == STORE_IN_TURN ? &c->shard->turns
                                       : &c->shard->failing;
}

/* All have the same time, so those that came first are due first. */
static void time_it(struct shard *s, struct store_call *c)
{
    c->due_ms = loop_now_ms(s->loop) + s->o.answer_ms;
    TAILQ_INSERT_TAIL(&s->timed, c, timed_link);
    if (!loop_timer_armed(s->answer_timer))
        loop_timer_arm(s->answer_timer, s->o.answer_ms);
}

void store_calls_late(struct shard *s)
{
    uint64_t now = loop_now_ms(s->loop);
    struct store_call *c;

    while ((c = TAILQ_FIRST(&s->timed)) != NULL && c->due_ms <= now) {
        if (c->err.code == 0) /* else the last that it said is that nothing was done */
            err_set(&c->err, c->clients ? ERR_UNSURE : ERR_AGAIN, "Redis did not answer within %llu ms",
                    (unsigned long long)s->o.answer_ms);
        if (c->place == STORE_WITH_REDIS) {
            answer(c, NULL);    /* and ended when hiredis gives it back, */
            forget_question(c); /* which has what it has not sent yet; nobody asks again */
        } else {
            TAILQ_REMOVE(list_of(c), c, link);
            call_end(c, NULL);
        }
    }
    if (c != NULL)
        loop_timer_arm(s->answer_timer, c->due_ms - now);
}

static int keep_question(struct store_call *c, const struct store_args *args)
{
    int len = redisFormatCommandArgv(&c->again, (int)args->count, args->argv, args->lens);

    c->again_len = len < 0 ? 0 : (size_t)len;
    if (len >= 0)
        return 0;
    c->again = NULL;
    return err_set(&c->err, ERR_AGAIN, "no memory for a question to Redis");
}

/* May it be asked?  Else its error is set.  What a Redis that hangs does not read stays in memory until it is
 * given up, also of submissions whose askers were answered long ago: their bytes are bounded, not only their
 * number. */
static bool admit(struct shard *s, struct store_call *c)
{
    if (s->freeing || !s->connected)
        err_set(&c->err, ERR_AGAIN, "Redis is not reachable");
    else if (c->clients && s->in_flight > IN_FLIGHT_MAX)
        err_set(&c->err, ERR_FULL, "more than %d questions to Redis are unanswered", IN_FLIGHT_MAX);
    else if (c->clients && c->again_len > 0 && s->unanswered > 0 &&
             s->unanswered + c->again_len > s->o.unanswered_max)
        err_set(&c->err, ERR_FULL,
                "%llu bytes of submissions are unanswered by Redis, and %llu more are above %llu",
                (unsigned long long)s->unanswered, (unsigned long long)c->again_len,
                (unsigned long long)s->o.unanswered_max);
    return c->err.code == 0;
}

static int hand_over(struct shard *s, const struct store_args *args, struct store_call *c)
{
    redisAsyncContext *ac = s->command.ac;
    int rc = c->again != NULL
                 ? redisAsyncFormattedCommand(ac, on_reply, c, c->again, c->again_len)
                 : redisAsyncCommandArgv(ac, on_reply, c, (int)args->count, args->argv, args->lens);

    if (rc != REDIS_OK)
        return err_set(&c->err, ERR_AGAIN, "the connection to Redis is closing");
    s->reading += c->reads ? 1 : 0;
    c->weighed = c->clients;
    s->unanswered += c->weighed ? c->again_len : 0;
    return 0;
}

static bool may_read(const struct shard *s)
{
    return s->reading < READS_MAX && (s->reading < 2 || s->reading * s->read_mean < READ_BYTES);
}

static void read_next(struct shard *s)
{
    struct store_call *c;

    while (may_read(s) && (c = TAILQ_FIRST(&s->turns)) != NULL) {
        TAILQ_REMOVE(&s->turns, c, link);
        c->place = STORE_WITH_REDIS;
        if (!admit(s, c) || hand_over(s, NULL, c) != 0)
            fail_soon(c);
    }
}

/* True if it has to wait until others were read. */
static bool take_turn(struct shard *s, struct store_call *c)
{
    if (!c->reads || (may_read(s) && TAILQ_EMPTY(&s->turns)))
        return false;
    c->place = STORE_IN_TURN;
    TAILQ_INSERT_TAIL(&s->turns, c, link);
    return true;
}

static void send_call(struct shard *s, struct store_args *args, struct store_call *c)
{
    s->in_flight++;
    if (!admit(s, c) || (c->reads && keep_question(c, args) != 0) ||
        (!take_turn(s, c) && hand_over(s, args, c) != 0))
        fail_soon(c);
    else if (c->timed)
        time_it(s, c);
    store_args_done(args);
}

void store_calls_fail(struct shard *s)
{
    struct store_calls mine = TAILQ_HEAD_INITIALIZER(mine);
    struct store_call *c;

    TAILQ_CONCAT(&mine, &s->failing, link);
    while ((c = TAILQ_FIRST(&mine)) != NULL) {
        TAILQ_REMOVE(&mine, c, link);
        call_end(c, NULL);
    }
}

void store_calls_repeat(struct shard *s)
{
    struct store_call *c;

    while ((c = TAILQ_FIRST(&s->unsure)) != NULL) {
        TAILQ_REMOVE(&s->unsure, c, link);
        c->place = STORE_WITH_REDIS;
        c->err.code = 0;
        if (redisAsyncFormattedCommand(s->command.ac, on_reply, c, c->again, c->again_len) == REDIS_OK)
            continue;
        err_set(&c->err, ERR_UNSURE, "the connection to Redis was lost again");
        fail_soon(c);
    }
}

void store_calls_give_up(struct shard *s)
{
    struct store_call *c;

    while ((c = TAILQ_FIRST(&s->unsure)) != NULL) {
        TAILQ_REMOVE(&s->unsure, c, link);
        if (c->err.code == 0)
            err_set(&c->err, ERR_UNSURE, "the connection to Redis was lost before it answered");
        fail_soon(c);
    }
}

static struct store_call *call_new(struct shard *s, store_reply_fn fn, void (*done)(void), void *arg,
                                   void *extra)
{
    struct store_call *c = NEW(struct store_call);

    c->shard = s;
    c->fn = fn;
    c->done = done;
    c->arg = arg;
    c->extra = extra;
    return c;
}

void store_refuse(struct shard *s, int code, const char *why, store_reply_fn fn, void (*done)(void),
                  void *arg)
{
    struct store_call *c = call_new(s, fn, done, arg, NULL);

    err_set(&c->err, code, "%s", why);
    s->in_flight++;
    fail_soon(c);
}

void store_plain_call(struct shard *s, struct store_args *args, store_reply_fn fn, void (*done)(void),
                      void *arg, void *extra)
{
    send_call(s, args, call_new(s, fn, done, arg, extra));
}

void store_read_call(struct shard *s, struct store_args *args, bool timed, store_reply_fn fn,
                     void (*done)(void), void *arg, void *extra)
{
    struct store_call *c = call_new(s, fn, done, arg, extra);

    c->reads = c->repeated = true;
    c->timed = timed;
    send_call(s, args, c);
}

/* EVALSHA sha 1 tag tag args...: the first tag is a key of the shard's, by which a cluster finds its node. */
static void script_args(const struct shard *s, enum store_script script, struct store_args *args,
                        struct store_args *whole)
{
    store_args_str(whole, "EVALSHA");
    store_args_str(whole, s->shas[script]);
    store_args_str(whole, "1");
    store_args_str(whole, s->tag);
    store_args_str(whole, s->tag);
    for (size_t i = 0; i < args->count; i++)
        store_args_add(whole, args->argv[i], args->lens[i]);
}

void store_script_call(struct shard *s, enum store_script script, struct store_args *args, store_reply_fn fn,
                       void (*done)(void), void *arg, void *extra)
{
    struct store_call *c = call_new(s, fn, done, arg, extra);
    struct store_args whole = {0};

    c->clients = script == SCRIPT_CANCEL || script == SCRIPT_OUTBOX_AGAIN;
    c->reads = c->repeated = script == SCRIPT_OUTBOX_VIEW || script == SCRIPT_DEAD_LIST ||
                             script == SCRIPT_DEAD_GET || script == SCRIPT_SCALE_VIEW;
    /* where others wait for it beside those of other shards, one that hangs must not keep them */
    c->timed =
        c->clients || c->reads || (s->o.shards > 1 && (script == SCRIPT_EXTEND || script == SCRIPT_STATS));
    script_args(s, script, args, &whole);
    send_call(s, &whole, c);
    store_args_done(args);
}

void store_script_call_surely(struct shard *s, enum store_script script, struct store_args *args,
                              store_reply_fn fn, void (*done)(void), void *arg)
{
    struct store_args whole = {0};
    struct store_call *c = call_new(s, fn, done, arg, NULL);

    c->clients = c->timed = true;
    script_args(s, script, args, &whole);
    if (keep_question(c, &whole) != 0) {
        s->in_flight++;
        fail_soon(c);
        store_args_done(&whole);
    } else {
        send_call(s, &whole, c);
    }
    store_args_done(args);
}

void store_done_reply(struct store_call *c, const redisReply *reply, const struct err *err)
{
    (void)reply;
    if (c->done != NULL)
        ((store_done_fn)c->done)(c->arg, err);
}

uint64_t store_reply_u64(const redisReply *r)
{
    if (r->type == REDIS_REPLY_INTEGER)
        return r->integer < 0 ? 0 : (uint64_t)r->integer;
    return r->type == REDIS_REPLY_STRING ? strtoull(r->str, NULL, 10) : 0;
}
