/* store_outbox.c - webhooks that are due, what became of each attempt, and deliveries asked for again. */
#include "log/log.h"
#include "store_internal.h"

static const char *const outcome_names[] = {
    [STORE_DELIVERED] = "delivered", [STORE_FAILED] = "failed", [STORE_GIVEN_UP] = "given_up"};

/* ---- claim ------------------------------------------------------------------------------- */

static bool read_delivery(const redisReply *r, struct store_delivery *d)
{
    redisReply **e = r->element;
    struct err ignored = {0};

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 10 || e[0]->type != REDIS_REPLY_STRING ||
        e[3]->type != REDIS_REPLY_STRING || !uuid_valid(e[0]->str) ||
        store_view_fill(&d->view, e[0]->str, e[4], e[5], e[6], e[7], e[8], e[9], &ignored) != 0)
        return false;
    memcpy(d->token, e[0]->str, UUID_SIZE);
    d->attempt = (uint32_t)store_reply_u64(e[1]);
    d->tries = (uint32_t)store_reply_u64(e[2]);
    d->url = mem_dup(e[3]->str);
    return true;
}

/* A record that cannot be read never can be: it must not come back for ever. */
static void drop_delivery(struct shard *s, const redisReply *r)
{
    static const struct store_outbox_rules none = {0};
    struct store_settlement dropped = {
        .outcome = STORE_GIVEN_UP, .health = STORE_UNKNOWN, .reason = "its record cannot be read"};

    if (r->type != REDIS_REPLY_ARRAY || r->elements < 2 || r->element[0]->type != REDIS_REPLY_STRING)
        return;
    dropped.token = r->element[0]->str;
    dropped.attempt = (uint32_t)store_reply_u64(r->element[1]);
    LOG_ERROR("webhook_unreadable", F_STR("token", dropped.token));
    shard_outbox_settle(s, &none, &dropped, NULL, NULL);
}

static void on_claimed(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_delivery_fn done = (store_delivery_fn)c->done;
    struct store_delivery *list;
    const redisReply *next;
    size_t count = 0;

    if (err != NULL || reply->type != REDIS_REPLY_ARRAY || reply->elements == 0) {
        done(c->arg, err, NULL, 0, UINT64_MAX);
        return;
    }
    next = reply->element[0];
    list = mem_zero(reply->elements, sizeof(*list));
    for (size_t i = 1; i < reply->elements; i++) {
        if (read_delivery(reply->element[i], &list[count]))
            count++;
        else
            drop_delivery(c->shard, reply->element[i]);
    }
    done(c->arg, NULL, list, count,
         next->type == REDIS_REPLY_INTEGER && next->integer < 0 ? UINT64_MAX : store_reply_u64(next));
    for (size_t i = 0; i < count; i++) {
        store_view_done(&list[i].view);
        free(list[i].url);
    }
    free(list);
}

void shard_outbox_claim(struct shard *s, const struct store_outbox_rules *r,
                        const struct store_places *places, size_t max, store_delivery_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_num(&a, r->lease_ms);
    store_args_num(&a, max);
    store_args_num(&a, r->per_endpoint);
    store_args_num(&a, r->window_ms + r->grace_ms);
    store_args_num(&a, r->claim_bytes == 0 ? UINT64_MAX : r->claim_bytes);
    store_args_num(&a, places == NULL ? 0 : places->free);
    for (size_t i = 0; places != NULL && i < places->holder_count; i++) {
        store_args_str(&a, places->holders[i].tenant);
        store_args_num(&a, places->holders[i].count);
    }
    store_script_call(s, SCRIPT_OUTBOX_CLAIM, &a, on_claimed, (void (*)(void))done, arg, NULL);
}

void shard_outbox_claim_not(struct shard *s, store_delivery_fn done, void *arg)
{
    store_refuse(s, STORE_OWES, on_claimed, (void (*)(void))done, arg);
}

/* ---- settle ------------------------------------------------------------------------------- */

static void on_settled(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_settled_fn done = (store_settled_fn)c->done;

    if (done != NULL)
        done(c->arg, err, err == NULL ? store_reply_u64(reply) : 0);
}

/* The log is text that clients read: one line, valid UTF-8, no longer than what is read back. */
static void reason_add(struct store_args *a, const char *reason)
{
    size_t len = strcspn(reason, "\r\n");

    len = utf8_cut(reason, MIN(len, sizeof(((struct store_attempt *)0)->reason) - 1));
    store_args_add(a, reason, utf8_valid(reason, len) ? len : 0);
}

void shard_outbox_settle(struct shard *s, const struct store_outbox_rules *r,
                         const struct store_settlement *settlement, store_settled_fn done, void *arg)
{
    static const char *const health_names[] = {
        [STORE_WELL] = "well", [STORE_ILL] = "ill", [STORE_UNKNOWN] = "unknown"};
    struct store_args a = {0};

    store_args_str(&a, settlement->token);
    store_args_num(&a, settlement->attempt);
    store_args_str(&a, outcome_names[settlement->outcome]);
    store_args_num(&a, settlement->retry_ms);
    store_args_num(&a, r->window_ms);
    store_args_str(&a, health_names[settlement->health]);
    store_args_num(&a, r->pause_after);
    store_args_num(&a, r->pause_ms);
    store_args_num(&a, settlement->took_ms);
    store_args_num(&a, (uint64_t)settlement->status);
    reason_add(&a, settlement->reason == NULL ? "" : settlement->reason);
    store_script_call(s, SCRIPT_OUTBOX_SETTLE, &a, on_settled, (void (*)(void))done, arg, NULL);
}

/* ---- what clients see ------------------------------------------------------------------------ */

static bool read_state(const redisReply *r, enum store_delivery_state *ret)
{
    static const char *const names[STORE_DELIVERY_STATES] = {
        [STORE_NO_DELIVERY] = "none",         [STORE_DELIVERY_WAITS] = "waiting",
        [STORE_DELIVERY_PENDING] = "pending", [STORE_DELIVERY_SENDING] = "sending",
        [STORE_DELIVERY_DONE] = "delivered",  [STORE_DELIVERY_GIVEN_UP] = "given_up"};

    for (size_t i = 0; r->type == REDIS_REPLY_STRING && i < COUNT_OF(names); i++)
        if (strcmp(r->str, names[i]) == 0) {
            *ret = (enum store_delivery_state)i;
            return true;
        }
    return false;
}

/* The next word of a line of numbers; false if it is none. */
static bool read_number(char **line, uint64_t *ret)
{
    const char *word = strsep(line, " ");

    return word != NULL && *line != NULL && num_u64(word, 0, UINT64_MAX, ret) == 0;
}

static bool read_outcome(char **line, enum store_outcome *ret)
{
    const char *word = strsep(line, " ");

    for (size_t i = 0; word != NULL && *line != NULL && i < COUNT_OF(outcome_names); i++)
        if (strcmp(word, outcome_names[i]) == 0) {
            *ret = (enum store_outcome)i;
            return true;
        }
    return false;
}

/* "attempt began took status outcome next reason": outbox_log() of common.lua. */
static bool read_attempt(const redisReply *r, struct store_attempt *ret)
{
    char text[sizeof(ret->reason) + 128], *line = text;
    uint64_t attempt, status;

    if (r->type != REDIS_REPLY_STRING)
        return false;
    snprintf(text, sizeof(text), "%s", r->str);
    if (!read_number(&line, &attempt) || !read_number(&line, &ret->began_ms) ||
        !read_number(&line, &ret->took_ms) || !read_number(&line, &status) || status > 999 ||
        !read_outcome(&line, &ret->outcome) || !read_number(&line, &ret->next_ms))
        return false;
    ret->attempt = (uint32_t)attempt;
    ret->status = (int)status;
    snprintf(ret->reason, sizeof(ret->reason), "%.*s",
             (int)utf8_cut(line, MIN(strlen(line), sizeof(ret->reason) - 1)), line);
    return true;
}

static void on_viewed(struct store_call *c, const redisReply *reply, const struct err *err)
{
    store_deliveries_fn done = (store_deliveries_fn)c->done;
    struct store_deliveries d = {0};

    if (err == NULL && (reply->type != REDIS_REPLY_ARRAY || reply->elements < 3 ||
                        !read_state(reply->element[0], &d.state))) {
        err_set(&c->err, ERR_INTERNAL, "Redis answered something else than deliveries");
        err = &c->err;
    }
    if (err != NULL) {
        done(c->arg, err, NULL);
        return;
    }
    d.attempts = (uint32_t)store_reply_u64(reply->element[1]);
    d.next_ms = store_reply_u64(reply->element[2]);
    d.log = mem_zero(reply->elements, sizeof(*d.log));
    for (size_t i = 3; i < reply->elements; i++)
        d.log_count += read_attempt(reply->element[i], &d.log[d.log_count]);
    done(c->arg, NULL, &d);
    free(d.log);
}

void shard_outbox_view(struct shard *s, const char *token, store_deliveries_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, token);
    store_script_call(s, SCRIPT_OUTBOX_VIEW, &a, on_viewed, (void (*)(void))done, arg, NULL);
}

void shard_outbox_again(struct shard *s, const char *token, const struct store_admission *admission,
                        uint64_t pause_ms, store_submitted_fn done, void *arg)
{
    struct store_args a = {0};

    store_args_str(&a, token);
    store_args_num(&a, admission->rate);
    store_args_num(&a, MAX(admission->burst, (uint64_t)1));
    store_args_num(&a, pause_ms);
    store_script_call(s, SCRIPT_OUTBOX_AGAIN, &a, store_submitted_reply, (void (*)(void))done, arg, NULL);
}
