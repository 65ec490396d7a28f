/* run_check.c - before a language is advertised: its version, and its self-test in a real cell.
 *
 * Two jobs per language, one after the other: the probe prints the version, the
 * self-test runs a program that reads stdin, under the operator's default limits, exactly as
 * a client's would.  Languages are checked side by side, as many as there are slots. */
#include "run_internal.h"

#include "log/log.h"

enum phase { PHASE_WAITING, PHASE_PROBE, PHASE_TEST, PHASE_OK, PHASE_BAD };

struct item {
    struct run_check *check;
    struct plugin_lang *lang;
    enum phase phase;
    struct job *job;
    struct run_job *rj;
    struct run_said said; /* by the self-test */
};

struct run_check {
    struct run_job_context ctx;
    struct item *items;
    size_t count, running, finished;
    unsigned parallel;
    struct err err; /* the first refusal of a language that is not optional */
    run_check_fn done;
    void *arg;
};

static void check_more(struct run_check *c);

static void item_end(struct item *it, const char *why)
{
    struct run_check *c = it->check;
    int32_t id = plugin_lang_id(it->lang);

    it->phase = why == NULL ? PHASE_OK : PHASE_BAD;
    c->running--;
    c->finished++;
    if (why != NULL && plugin_lang_optional(it->lang))
        LOG_WARN("language_left_out", F_STR("plugin", plugin_lang_plugin(it->lang)), F_INT("language_id", id),
                 F_STR("reason", why));
    else if (why != NULL && c->err.code == 0)
        err_set(
            &c->err, ERR_CONFIG,
            "language %d (%s) of plugin `%s` fails its self-test: %s; mend its runtime, or mark the plugin "
            "optional",
            id, plugin_lang_name(it->lang), plugin_lang_plugin(it->lang), why);
    else if (why == NULL)
        LOG_INFO("language_ready", F_STR("plugin", plugin_lang_plugin(it->lang)), F_INT("language_id", id),
                 F_STR("name", plugin_lang_name(it->lang)), F_STR("version", plugin_lang_version(it->lang)));
    check_more(c);
}

/* One line of what a failed step left behind. */
static void result_reason(const struct job_result *r, char *out, size_t size)
{
    const struct job_test_result *t = r->test_count > 0 ? &r->tests[0] : NULL;
    const struct buf *said = t != NULL && t->err.bytes.len > 0 ? &t->err.bytes : &r->compile.bytes;

    snprintf(out, size, "it ended as %s (exit code %d, signal %d)%s%s: %.*s", job_status_name(r->status),
             t != NULL ? t->measure.exit_code : r->compile_measure.exit_code,
             t != NULL ? t->measure.signal : r->compile_measure.signal, r->message != NULL ? ", " : "",
             r->message != NULL ? r->message : "", (int)MIN(said->len, (size_t)160),
             said->data != NULL ? said->data : "");
    for (char *p = out; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20)
            *p = ' ';
}

static void on_tested(void *arg, struct job_result *r, const struct err *err)
{
    struct item *it = arg;
    char why[320];

    it->rj = NULL;
    if (err != NULL) {
        item_end(it, err->text);
    } else if (r->status != JOB_COMPLETED) {
        result_reason(r, why, sizeof(why));
        item_end(it, why);
    } else {
        it->said = (struct run_said){r->tests[0].out.bytes, r->tests[0].err.bytes};
        memset(&r->tests[0].out.bytes, 0, sizeof(struct buf));
        memset(&r->tests[0].err.bytes, 0, sizeof(struct buf));
        item_end(it, NULL);
    }
}

struct job *run_check_job(const struct plugin_lang *lang, const struct job_limits *limits, struct err *reterr)
{
    struct job *job = job_new();
    struct bytes source, expected;

    plugin_lang_selftest(lang, &source, &expected);
    uuid_new(job->token);
    job->language_id = plugin_lang_id(lang);
    job->limits = *limits;
    job->tenant = mem_dup("");
    if (buf_add(&job->source, source.ptr, source.len) == 0 &&
        job_tests_add(job, bytes_of(""), &expected) == 0)
        return job;
    err_set(reterr, -ENOMEM, "not enough memory");
    return job_free(job);
}

static void start_test(struct item *it)
{
    struct job_limits limits = it->check->ctx.conf->limits_default;
    struct err err = {0};

    limits.memory_bytes = MAX(limits.memory_bytes, plugin_lang_memory_min(it->lang));
    it->phase = PHASE_TEST;
    it->job = run_check_job(it->lang, &limits, &err);
    if (it->job == NULL) {
        item_end(it, err.text);
        return;
    }
    it->rj = run_job_start(&it->check->ctx, it->lang, it->job, on_tested, it);
}

static void on_probed(void *arg, struct job_result *r, const struct err *err)
{
    struct item *it = arg;
    const struct job_test_result *t = r->test_count > 0 ? &r->tests[0] : NULL;
    struct bytes text = {"", 0};
    char version[96], why[320];
    struct err e = {0};

    it->rj = NULL;
    if (err != NULL) {
        item_end(it, err->text);
        return;
    }
    if (t == NULL || t->measure.exit_code != 0) {
        result_reason(r, why, sizeof(why));
        item_end(it, why);
        return;
    }
    /* Some runtimes print their version to stderr. */
    if (t->out.bytes.len > 0)
        text = (struct bytes){t->out.bytes.data, t->out.bytes.len};
    else if (t->err.bytes.len > 0)
        text = (struct bytes){t->err.bytes.data, t->err.bytes.len};
    if (plugin_lang_probed(it->lang, text, version, sizeof(version), &e) != 0)
        item_end(it, e.text);
    else
        start_test(it);
}

static void check_more(struct run_check *c)
{
    if (c->finished == c->count) {
        if (c->done != NULL) {
            run_check_fn done = c->done;

            c->done = NULL;
            done(c->arg, c->err.code == 0 ? NULL : &c->err);
        }
        return;
    }
    for (size_t i = 0; i < c->count && c->running < c->parallel; i++) {
        struct item *it = &c->items[i];

        if (it->phase != PHASE_WAITING)
            continue;
        it->phase = PHASE_PROBE;
        c->running++;
        it->rj = run_job_probe(&c->ctx, it->lang, on_probed, it);
    }
}

static void check_begin(void *arg)
{
    check_more(arg);
}

struct run_check *run_check_start(const struct run_job_context *ctx, struct plugin_set *plugins,
                                  unsigned parallel, run_check_fn done, void *arg)
{
    struct run_check *c = NEW(struct run_check);

    c->ctx = *ctx;
    c->parallel = parallel;
    c->done = done;
    c->arg = arg;
    c->count = plugin_lang_count(plugins);
    c->items = mem_zero(MAX(c->count, (size_t)1), sizeof(struct item));
    for (size_t i = 0; i < c->count; i++) {
        c->items[i].check = c;
        c->items[i].lang = plugin_lang_at(plugins, i);
    }
    loop_post(ctx->loop, check_begin, c);
    return c;
}

bool run_check_serves(const struct run_check *c, int32_t language_id)
{
    for (size_t i = 0; i < c->count; i++)
        if (plugin_lang_id(c->items[i].lang) == language_id)
            return c->items[i].phase == PHASE_OK;
    return false;
}

const struct run_said *run_check_said(const struct run_check *c, int32_t language_id)
{
    for (size_t i = 0; i < c->count; i++)
        if (plugin_lang_id(c->items[i].lang) == language_id)
            return c->items[i].phase == PHASE_OK ? &c->items[i].said : NULL;
    return NULL;
}

void run_check_free(struct run_check *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->count; i++) {
        job_free(c->items[i].job);
        buf_done(&c->items[i].said.out);
        buf_done(&c->items[i].said.err);
    }
    free(c->items);
    free(c);
}
