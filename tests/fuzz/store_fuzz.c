/* store_fuzz.c - what Redis may hold or answer: records of jobs, results and workers; replies; the url of
 * Redis.
 *
 * The first byte picks one of them.  A record that was read is written and read again: the same bytes, or a
 * field is lost on its way. */
#include "fuzz.h"
#include "store_internal.h"
#include "wire/wire.h"

static struct bytes bytes(const struct buf *b)
{
    return (struct bytes){b->data, b->len};
}

static void same(const struct buf *a, const struct buf *b)
{
    FUZZ_CHECK(a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0));
}

static void error_holds(const struct err *err)
{
    FUZZ_CHECK(err->code < 0 && memchr(err->text, '\0', sizeof(err->text)) != NULL);
}

/* ---- records ---------------------------------------------------------------------------- */

static void shown_holds(const struct job *job, const struct job_result *result)
{
    const struct wire_job view = {
        .job = job, .status = result != NULL ? result->status : JOB_QUEUED, .result = result};
    CLEAN_BUF struct buf json = {0};

    FUZZ_CHECK(wire_job_json(&view, &json) == 0);
    FUZZ_CHECK(utf8_valid(json.data, json.len));
}

static void job_holds(struct bytes in)
{
    CLEAN(job_freep) struct job *job = NULL;
    CLEAN(job_freep) struct job *again = NULL;
    CLEAN_BUF struct buf once = {0};
    CLEAN_BUF struct buf twice = {0};
    struct err err = {0};

    if (store_get_job(in, &job, &err) != 0) {
        error_holds(&err);
        return;
    }
    FUZZ_CHECK((job->token[0] == '\0' || uuid_valid(job->token)) && job->priority < JOB_PRIORITY_COUNT);
    FUZZ_CHECK(store_put_job(job, job->token[0] != '\0', &once) == 0 &&
               store_get_job(bytes(&once), &again, &err) == 0);
    FUZZ_CHECK(store_put_job(again, job->token[0] != '\0', &twice) == 0);
    same(&once, &twice);
    shown_holds(job, NULL);
}

static void result_holds(struct bytes in)
{
    CLEAN_BUF struct buf once = {0};
    CLEAN_BUF struct buf twice = {0};
    CLEAN(job_freep) struct job *job = job_new();
    struct job_result result, again;
    struct err err = {0};

    if (store_get_result(in, &result, &err) != 0) {
        error_holds(&err);
        return;
    }
    FUZZ_CHECK(result.status < JOB_STATUS_COUNT);
    FUZZ_CHECK(store_put_result(&result, &once) == 0 && store_get_result(bytes(&once), &again, &err) == 0);
    FUZZ_CHECK(store_put_result(&again, &twice) == 0);
    same(&once, &twice);
    shown_holds(job, &result);
    job_result_done(&result);
    job_result_done(&again);
}

static void worker_holds(struct bytes in)
{
    CLEAN_BUF struct buf once = {0};
    struct store_worker worker, again;
    struct err err = {0};

    if (store_get_worker(in, &worker, &err) != 0) {
        error_holds(&err);
        return;
    }
    FUZZ_CHECK(memchr(worker.id, '\0', sizeof(worker.id)) != NULL);
    FUZZ_CHECK(store_put_worker(&worker, &once) == 0 && store_get_worker(bytes(&once), &again, &err) == 0);
    FUZZ_CHECK(strcmp(worker.id, again.id) == 0 && worker.slots == again.slots);
}

/* ---- replies ----------------------------------------------------------------------------- */

static void view_holds(const redisReply *r)
{
    struct store_view view;
    struct err err = {0};

    if (r->type != REDIS_REPLY_ARRAY || r->elements != 6)
        return;
    if (store_view_fill(&view, "", r->element[0], r->element[1], r->element[2], r->element[3], r->element[4],
                        r->element[5], &err) != 0) {
        error_holds(&err);
        return;
    }
    FUZZ_CHECK(view.job != NULL && view.status < JOB_STATUS_COUNT);
    FUZZ_CHECK(!job_status_terminal(view.status) || view.result != NULL);
    shown_holds(view.job, view.result);
    store_view_done(&view);
}

/* hiredis believes Redis how many elements follow, and so does execd: a number of three digits is no input.
 */
static bool counts_fit(const char *text, size_t len)
{
    for (size_t i = 0; i + 3 < len; i++)
        if ((text[i] == '*' || text[i] == '%' || text[i] == '~' || text[i] == '>') && text[i + 1] != '\r' &&
            text[i + 2] != '\r' && text[i + 3] != '\r')
            return false;
    return true;
}

static void reply_holds(const char *text, size_t len)
{
    redisReader *reader = redisReaderCreate();
    void *reply = NULL;

    if (counts_fit(text, len) && redisReaderFeed(reader, text, len) == REDIS_OK &&
        redisReaderGetReply(reader, &reply) == REDIS_OK && reply != NULL) {
        (void)store_reply_u64(reply);
        view_holds(reply);
        freeReplyObject(reply);
    }
    redisReaderFree(reader);
}

/* ---- the url ------------------------------------------------------------------------------ */

static void url_holds(const char *bytes_, size_t len)
{
    char *url = fuzz_text(bytes_, len);
    struct store_address a = {0};
    struct err err = {0};

    if (store_url_parse(url, &a, &err) == 0) {
        FUZZ_CHECK(a.node_count > 0 && a.node_count <= STORE_NODES_MAX);
        for (size_t i = 0; i < a.node_count; i++) {
            const struct store_node *n = &a.nodes[i];

            FUZZ_CHECK(memchr(n->host, '\0', sizeof(n->host)) != NULL && n->host[0] != '\0');
            FUZZ_CHECK(a.is_unix ? n->host[0] == '/' : n->port > 0);
        }
        FUZZ_CHECK((a.master[0] != '\0') == a.sentinel);
        FUZZ_CHECK(a.db >= 0 && a.db <= 1023);
    } else {
        error_holds(&err);
    }
    FUZZ_CHECK((store_url_check(url, &err) == 0) == (err.code == 0));
    store_address_done(&a);
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy;
    struct bytes in;

    if (size == 0)
        return 0;
    copy = fuzz_copy(data + 1, size - 1);
    in = (struct bytes){copy, size - 1};
    switch (data[0] % 5) {
    case 0:
        job_holds(in);
        break;
    case 1:
        result_holds(in);
        break;
    case 2:
        worker_holds(in);
        break;
    case 3:
        reply_holds(copy, size - 1);
        break;
    default:
        url_holds(copy, size - 1);
        break;
    }
    free(copy);
    return 0;
}
