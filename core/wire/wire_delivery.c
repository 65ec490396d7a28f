/* wire_delivery.c - the attempts to deliver a webhook, to JSON and back. */
#include "wire_internal.h"

/* ---- writing ----------------------------------------------------------------------- */

static void attempt_put(struct wire_put *w, const struct wire_attempt *a)
{
    wire_put_open(w, '{');
    wire_put_key(w, "attempt");
    wire_put_u64(w, a->attempt);
    wire_put_key(w, "at");
    wire_put_time(w, a->began_ms);
    wire_put_key(w, "duration_ms");
    wire_put_u64(w, a->took_ms);
    wire_put_key(w, "status");
    if (a->status != 0)
        wire_put_i64(w, a->status);
    else
        wire_put_null(w);
    wire_put_key(w, "outcome");
    wire_put_text(w, a->outcome);
    wire_put_key(w, "reason");
    wire_put_text(w, a->reason);
    wire_put_key(w, "next_attempt_at");
    wire_put_time(w, a->next_ms);
    wire_put_close(w, '}');
}

int wire_deliveries_json(const struct wire_deliveries *d, struct buf *out)
{
    struct wire_put w;

    wire_put_begin(&w, out);
    wire_put_open(&w, '{');
    wire_put_key(&w, "token");
    wire_put_text(&w, d->token);
    wire_put_key(&w, "state");
    wire_put_text(&w, d->state);
    wire_put_key(&w, "attempts");
    wire_put_u64(&w, d->attempts);
    wire_put_key(&w, "next_attempt_at");
    wire_put_time(&w, d->next_ms);
    wire_put_key(&w, "deliveries");
    wire_put_open(&w, '[');
    for (size_t i = 0; i < d->count; i++)
        attempt_put(&w, &d->log[i]);
    wire_put_close(&w, ']');
    wire_put_close(&w, '}');
    return wire_put_end(&w);
}

/* ---- reading ------------------------------------------------------------------------ */

static int attempt_read(struct bytes item, const struct wire_delivery_reader *fn, struct err *reterr)
{
    char at[48] = "", outcome[32] = "", reason[256] = "";
    double attempt = 0, took = 0, status = 0;
    struct wire_walk walk;
    struct bytes key, value;
    bool ok = wire_walk_into(item, '{', &walk);

    while (ok && wire_walk_next(&walk, &key, &value)) {
        if (wire_string_is(key, "attempt"))
            ok = wire_whole_copy(value, 0, UINT32_MAX, &attempt);
        else if (wire_string_is(key, "duration_ms"))
            ok = wire_whole_copy(value, 0, 9007199254740991.0, &took);
        else if (wire_string_is(key, "status"))
            ok = wire_whole_copy(value, 0, 999, &status);
        else if (wire_string_is(key, "at"))
            ok = wire_string_copy(value, at, sizeof(at));
        else if (wire_string_is(key, "outcome"))
            ok = wire_string_copy(value, outcome, sizeof(outcome));
        else if (wire_string_is(key, "reason"))
            ok = wire_string_copy(value, reason, sizeof(reason));
    }
    if (!ok)
        return err_set(reterr, -EBADMSG, "an entry of the answer's deliveries cannot be read");
    fn->attempt(fn->arg,
                &(struct wire_attempt){.attempt = (uint32_t)attempt,
                                       .took_ms = (uint64_t)took,
                                       .status = (int)status,
                                       .outcome = outcome,
                                       .reason = reason},
                at);
    return 0;
}

int wire_deliveries_read(struct bytes body, const struct wire_delivery_reader *fn, struct err *reterr)
{
    char state[32] = "", next[48] = "";
    double attempts = 0;
    struct wire_walk walk;
    struct bytes key, value, list = {0}, item;
    int rc = wire_answer_check(body, reterr);

    if (rc != 0)
        return rc;
    if (wire_walk_into(body, '{', &walk))
        while (wire_walk_next(&walk, &key, &value)) {
            if (wire_string_is(key, "state"))
                wire_string_copy(value, state, sizeof(state));
            else if (wire_string_is(key, "next_attempt_at"))
                wire_string_copy(value, next, sizeof(next)); /* null: it stays empty */
            else if (wire_string_is(key, "deliveries"))
                list = value;
            else if (wire_string_is(key, "attempts") && !wire_whole_copy(value, 0, UINT32_MAX, &attempts))
                attempts = 0;
        }
    if (state[0] == '\0' || list.len == 0 || !wire_walk_into(list, '[', &walk))
        return err_set(reterr, -EBADMSG, "the answer tells of no deliveries");
    fn->state(fn->arg, state, (uint32_t)attempts, next);
    while (wire_walk_next(&walk, NULL, &item))
        if ((rc = attempt_read(item, fn, reterr)) != 0)
            return rc;
    return 0;
}
