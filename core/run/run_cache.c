/* run_cache.c - compiled output that is used again (core/cache/ keeps it).
 *
 * The key is the hash of all that decides what a compiler makes: the step as it was planned (its files with
 * their modes, argv, environment, what it keeps, profile), the limits that it runs under, the language, its
 * version, its plugin and that one's version, and whether cells show the same files as before
 * (jail_root_identity()), the compiler among them.  The latter is looked at again every minute, so a compiler
 * that is replaced beneath a running execd is noticed within that time, and whoever may hold the old one in
 * memory is told (run_cache_on_changed()), or its output would be kept under the new one's key.  What is kept
 * per tenant has the tenant's name in the key.
 *
 * Only what went well is kept: exit code 0, output within its cap.  The value is the bundle of kept files as
 * the cell's init made it, which nobody but the next cell's init ever unpacks, with the compiler's words
 * (warnings) and what was measured as its note.  A program that asks for the time of its compilation is
 * compiled each time.
 *
 * Self-tests do not come here: they are to prove the compiler. */
#include "run_internal.h"

#include <endian.h>

#include "cache/cache.h"
#include "log/log.h"

enum { LOOK_AGAIN_MS = 60000, NOTE_NUMBERS = 5 };

struct run_cache {
    struct loop *loop;
    struct cache *cache;
    int root_fd;
    bool by_tenant;
    struct loop_timer *look_timer;
    /* What cells show; a helper makes the next one. */
    unsigned char shown[CACHE_KEY_SIZE] /* the last that was known */, shown_next[CACHE_KEY_SIZE];
    bool known, known_next;
    struct err err; /* why the next one is not known */
    loop_fn on_changed;
    void *changed_arg;
};

/* ---- what cells show -------------------------------------------------------------------- */

static void add_bytes(void *arg, const void *bytes, size_t len)
{
    cache_hash_add(arg, bytes, len);
}

static void look(void *arg)
{
    struct run_cache *rc = arg;
    struct cache_hash *h = cache_hash_new();
    int bad = jail_root_identity(rc->root_fd, add_bytes, h, &rc->err);

    rc->known_next = cache_hash_end(h, rc->shown_next) && bad == 0;
}

static void looked(void *arg)
{
    struct run_cache *rc = arg;

    if (rc->known_next && memcmp(rc->shown, rc->shown_next, CACHE_KEY_SIZE) != 0) {
        LOG_INFO("compile_cache_forgets", F_STR("reason", "files that cells show have changed"));
        memcpy(rc->shown, rc->shown_next, CACHE_KEY_SIZE);
        if (rc->on_changed != NULL)
            rc->on_changed(rc->changed_arg);
    }
    if (!rc->known_next && rc->known)
        LOG_WARN("compile_cache_off", F_STR("reason", rc->err.text), F_STR("until", "it can be read again"));
    rc->known = rc->known_next;
    if (rc->look_timer != NULL)
        loop_timer_arm(rc->look_timer, LOOK_AGAIN_MS);
}

static void on_look_timer(void *arg)
{
    struct run_cache *rc = arg;

    loop_work(rc->loop, look, looked, rc);
}

int run_cache_new(const struct run_cache_options *o, struct run_cache **ret, struct err *reterr)
{
    struct run_cache *rc = NEW(struct run_cache);

    rc->loop = o->loop;
    rc->root_fd = o->root_fd;
    rc->by_tenant = o->by_tenant;
    look(rc);
    if (!rc->known_next) {
        int code = rc->err.code != 0 ? err_set(reterr, rc->err.code, "%s", rc->err.text)
                                     : err_set(reterr, ERR_INTERNAL, "libcrypto has no SHA-256");

        free(rc);
        return code;
    }
    memcpy(rc->shown, rc->shown_next, CACHE_KEY_SIZE);
    rc->cache = cache_new(o->loop, o->folder_fd, o->bytes_max);
    rc->look_timer = loop_timer_new(o->loop, on_look_timer, rc);
    looked(rc);
    *ret = rc;
    return 0;
}

void run_cache_on_changed(struct run_cache *rc, loop_fn fn, void *arg)
{
    if (rc == NULL)
        return;
    rc->on_changed = fn;
    rc->changed_arg = arg;
}

void run_cache_stop(struct run_cache *rc)
{
    if (rc == NULL)
        return;
    loop_timer_free(rc->look_timer);
    rc->look_timer = NULL;
}

void run_cache_free(struct run_cache *rc)
{
    if (rc == NULL)
        return;
    cache_free(rc->cache);
    free(rc);
}

/* ---- the key ------------------------------------------------------------------------------ */

static void add_text(struct cache_hash *h, const char *text)
{
    cache_hash_add(h, text, strlen(text));
}

static void add_words(struct cache_hash *h, char *const *words)
{
    uint64_t count = 0;

    while (words != NULL && words[count] != NULL)
        count++;
    cache_hash_add_u64(h, count);
    for (uint64_t i = 0; i < count; i++)
        add_text(h, words[i]);
}

static void add_step(struct cache_hash *h, const struct plugin_plan *plan)
{
    const struct plugin_step *s = &plan->build;

    add_words(h, s->argv);
    add_words(h, s->env);
    add_words(h, s->keep);
    cache_hash_add_u64(h, s->profile);
    cache_hash_add_u64(h, s->extra_processes);
    for (size_t i = 0; i < plan->file_count; i++) {
        const struct plugin_file *f = &plan->files[i];

        if ((f->phases & PLUGIN_PHASE_BUILD) == 0)
            continue;
        add_text(h, f->path);
        cache_hash_add_u64(h, f->mode);
        cache_hash_add(h, f->body.data, f->body.len);
    }
}

static bool asks_for_the_time(const struct plugin_plan *plan)
{
    static const char *const words[] = {"__TIME__", "__DATE__", "__TIMESTAMP__"};

    for (size_t i = 0; i < plan->file_count; i++)
        for (size_t w = 0; w < COUNT_OF(words); w++)
            if (plan->files[i].body.len > 0 &&
                memmem(plan->files[i].body.data, plan->files[i].body.len, words[w], strlen(words[w])) != NULL)
                return true;
    return false;
}

bool run_cache_key(struct run_cache *rc, struct run_cache_key *key, struct plugin_lang *lang,
                   const struct plugin_plan *plan, const struct conf *conf, const char *tenant)
{
    struct cache_hash *h;

    if (rc == NULL || !rc->known || plan->build.keep == NULL || asks_for_the_time(plan))
        return false;
    h = cache_hash_new();
    add_text(h, "execd " EXECD_VERSION " compiled");
    cache_hash_add(h, rc->shown, sizeof(rc->shown));
    cache_hash_add_u64(h, (uint64_t)plugin_lang_id(lang));
    add_text(h, plugin_lang_version(lang));
    add_text(h, plugin_lang_plugin(lang));
    add_text(h, plugin_lang_plugin_version(lang));
    add_text(h, rc->by_tenant ? tenant : "");
    cache_hash_add(h, &conf->limits_compile, sizeof(conf->limits_compile)); /* numbers without gaps */
    cache_hash_add_u64(h, conf->compile_keep_bytes);
    add_step(h, plan);
    return cache_hash_end(h, key->bytes);
}
_Static_assert(sizeof(struct job_limits) == 11 * sizeof(uint64_t), "padding would get into keys");

/* ---- values --------------------------------------------------------------------------------- */

/* The note: numbers, little endian, and then the compiler's words. */
static bool note_read(struct buf *note, struct job_result *result)
{
    uint64_t n[NOTE_NUMBERS];
    struct job_measure *m = &result->compile_measure;

    if (note->len < sizeof(n))
        return false;
    memcpy(n, note->data, sizeof(n));
    if (buf_add(&result->compile.bytes, note->data + sizeof(n), note->len - sizeof(n)) != 0)
        return false;
    *m = (struct job_measure){.ran = true,
                              .wall_ns = le64toh(n[0]),
                              .cpu_ns = le64toh(n[1]),
                              .memory_bytes = le64toh(n[2]),
                              .processes_hit = le64toh(n[3]) != 0,
                              .box_hit = le64toh(n[4]) != 0};
    return true;
}

int run_cache_get(struct run_cache *rc, const struct run_cache_key *key, struct job_result *result)
{
    CLEAN_BUF struct buf note = {0};
    CLEAN_FD int fd = -1;

    result->compile_cache = JOB_CACHE_MISS;
    if (!cache_get(rc->cache, key->bytes, &note, &fd) || !note_read(&note, result))
        return -1;
    result->compile_cache = JOB_CACHE_HIT;
    return steal_fd(&fd);
}

void run_cache_put(struct run_cache *rc, const struct run_cache_key *key, const struct job_result *result,
                   int kept_fd)
{
    const struct job_measure *m = &result->compile_measure;
    const uint64_t n[NOTE_NUMBERS] = {htole64(m->wall_ns), htole64(m->cpu_ns), htole64(m->memory_bytes),
                                      htole64(m->processes_hit), htole64(m->box_hit)};
    CLEAN_BUF struct buf note = {0};

    if (result->compile.truncated || m->exit_code != 0 || kept_fd < 0 || buf_add(&note, n, sizeof(n)) != 0 ||
        buf_add(&note, result->compile.bytes.data, result->compile.bytes.len) != 0)
        return;
    cache_put(rc->cache, key->bytes, (struct bytes){note.data, note.len}, kept_fd);
}
