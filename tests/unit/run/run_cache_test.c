/* run_cache_test.c - what decides a key, and what is worth keeping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "run_internal.h"

/* ---- a language, in the plugin room's stead ------------------------------------------------ */

struct plugin_lang {
    int32_t id;
    const char *version, *plugin, *plugin_version;
};

int32_t plugin_lang_id(const struct plugin_lang *l)
{
    return l->id;
}

const char *plugin_lang_version(const struct plugin_lang *l)
{
    return l->version;
}

const char *plugin_lang_plugin(const struct plugin_lang *l)
{
    return l->plugin;
}

const char *plugin_lang_plugin_version(const struct plugin_lang *l)
{
    return l->plugin_version;
}

/* ---- helpers, on a clock that jumps ------------------------------------------------------------- */

void loop_work(struct loop *loop, loop_fn work, loop_fn done, void *arg)
{
    work(arg);
    loop_post(loop, done, arg);
}

static void stop_loop(void *arg)
{
    loop_stop(arg);
}

static void pass(struct loop *loop, uint64_t ms)
{
    struct loop_timer *t = loop_timer_new(loop, stop_loop, loop);

    loop_timer_arm(t, ms);
    loop_run(loop);
    loop_timer_free(t);
}

/* ---- a cache on a root file system of the test's own ------------------------------------------ */

struct place {
    char path[64];
    int dir, folder, root;
    struct loop *loop;
};

static void describe(struct place *p)
{
    const struct jail_root root = {.rootfs = p->path};
    struct err err = {0};

    closep(&p->root);
    if (jail_root_describe(&root, &p->root, &err) != 0)
        fail_msg("%s", err.text);
}

static int setup(void **state)
{
    struct place *p = NEW(struct place);
    struct err err = {0};

    p->root = -1;
    snprintf(p->path, sizeof(p->path), "/tmp/run-cache-XXXXXX");
    assert_non_null(mkdtemp(p->path));
    assert_int_equal(chmod(p->path, 0755), 0);
    p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_int_equal(mkdirat(p->dir, "usr", 0755), 0);
    assert_int_equal(cache_folder_open(p->dir, "tmp", &p->folder, &err), 0); /* one that cells do not show */
    assert_int_equal(loop_new(&p->loop, &err), 0);
    describe(p);
    *state = p;
    return 0;
}

static void remove_all(const char *path)
{
    CLEAN_FREE char *command = mem_printf("rm -r '%s'", path);

    assert_int_equal(system(command), 0);
}

static int teardown(void **state)
{
    struct place *p = *state;

    close(p->folder);
    close(p->dir);
    close(p->root);
    remove_all(p->path);
    free(p);
    return 0;
}

static struct run_cache *cache_at(struct place *p, bool by_tenant)
{
    const struct run_cache_options o = {p->loop, p->folder, p->root, 16 << 20, by_tenant};
    struct run_cache *rc = NULL;
    struct err err = {0};

    if (run_cache_new(&o, &rc, &err) != 0)
        fail_msg("%s", err.text);
    return rc;
}

static void cache_end(struct place *p, struct run_cache *rc)
{
    run_cache_stop(rc);
    loop_free(p->loop);
    run_cache_free(rc);
}

/* ---- questions ---------------------------------------------------------------------------------- */

struct question {
    struct plugin_lang lang;
    char *argv[3], *env[2], *keep[2];
    struct plugin_file files[2];
    char source[64], other[8];
    struct plugin_plan plan;
    struct conf conf;
    const char *tenant;
};

#define W(word) ((char *)(word)) /* plans own theirs; nobody writes to these */

static void ask(struct question *q)
{
    *q = (struct question){.lang = {50, "C (GCC 12)", "c", "1.0"},
                           .argv = {W("/usr/bin/gcc"), W("main.c"), NULL},
                           .env = {W("PATH=/usr/bin"), NULL},
                           .keep = {W("main"), NULL},
                           .source = "int main;",
                           .other = "x",
                           .tenant = "a"};
    q->files[0] =
        (struct plugin_file){W("main.c"), {q->source, strlen(q->source), 0, 0}, 0444, PLUGIN_PHASE_BUILD};
    q->files[1] = (struct plugin_file){W("run.txt"), {q->other, 1, 0, 0}, 0444, PLUGIN_PHASE_RUN};
    q->plan.files = q->files;
    q->plan.file_count = 2;
    q->plan.build = (struct plugin_step){
        .present = true, .argv = q->argv, .env = q->env, .keep = q->keep, .profile = 2, .extra_processes = 8};
    q->conf.limits_compile.wall_ms = 1000;
    q->conf.compile_keep_bytes = 1000;
}

static bool key_of(struct run_cache *rc, struct question *q, struct run_cache_key *key)
{
    return run_cache_key(rc, key, &q->lang, &q->plan, &q->conf, q->tenant);
}

static void what_decides_a_key(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, true);
    struct run_cache_key keys[20], again;
    struct question q;
    size_t n = 0;

#define CHANGED(...)                                                                                         \
    do {                                                                                                     \
        ask(&q);                                                                                             \
        __VA_ARGS__;                                                                                         \
        assert_true(key_of(rc, &q, &keys[n++]));                                                             \
    } while (0)
    CHANGED((void)0);
    CHANGED(q.lang.id = 51);
    CHANGED(q.lang.version = "C (GCC 13)");
    CHANGED(q.lang.plugin = "cc");
    CHANGED(q.lang.plugin_version = "1.1");
    CHANGED(q.argv[1] = W("-O2"));
    CHANGED(q.argv[1] = NULL);
    CHANGED(q.env[0] = W("PATH=/bin"));
    CHANGED(q.plan.build.env = NULL);
    CHANGED(q.keep[0] = W("other"));
    CHANGED(q.plan.build.profile = 3);
    CHANGED(q.plan.build.extra_processes = 9);
    CHANGED(q.source[0] = 'I');
    CHANGED(q.files[0].body.len--);
    CHANGED(q.files[0].path = W("Main.c"));
    CHANGED(q.files[0].mode = 0555);
    CHANGED(q.files[1].phases = PLUGIN_PHASE_BUILD | PLUGIN_PHASE_RUN);
    CHANGED(q.conf.limits_compile.wall_ms = 1001);
    CHANGED(q.conf.compile_keep_bytes = 1001);
    CHANGED(q.tenant = "b");
    assert_int_equal(n, COUNT_OF(keys));
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < i; k++)
            if (memcmp(&keys[i], &keys[k], sizeof(keys[i])) == 0)
                fail_msg("changes %zu and %zu make the same key", i, k);
    ask(&q);
    q.other[0] = 'y'; /* which the compiler does not see */
    assert_true(key_of(rc, &q, &again));
    assert_memory_equal(&again, &keys[0], sizeof(again));
    cache_end(p, rc);
}

static void tenants_share_where_they_may(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, false);
    struct run_cache_key a, b;
    struct question q;

    ask(&q);
    assert_true(key_of(rc, &q, &a));
    q.tenant = "b";
    assert_true(key_of(rc, &q, &b));
    assert_memory_equal(&a, &b, sizeof(a));
    cache_end(p, rc);
}

static void what_cells_show_decides(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, false), *later;
    struct run_cache_key a, b;
    struct question q;

    ask(&q);
    assert_true(key_of(rc, &q, &a));
    assert_int_equal(mkdirat(p->dir, "usr/lib", 0755), 0);
    later = cache_at(p, false);
    assert_true(key_of(later, &q, &b));
    assert_memory_not_equal(&a, &b, sizeof(a));
    run_cache_stop(later);
    cache_end(p, rc);
    run_cache_free(later);
}

static void count_up(void *arg)
{
    ++*(unsigned *)arg;
}

/* Whoever holds a compiler in memory hears when the keys begin to be another one's, also where it was not
 * known for a while what cells show. */
static void a_change_is_told(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, false);
    struct run_cache_key a, b;
    struct question q;
    unsigned told = 0;

    run_cache_on_changed(NULL, count_up, &told);
    run_cache_on_changed(rc, count_up, &told);
    ask(&q);
    assert_true(key_of(rc, &q, &a));
    pass(p->loop, 150000);
    assert_int_equal(told, 0);
    assert_int_equal(mkdirat(p->dir, "usr/lib", 0755), 0);
    assert_true(key_of(rc, &q, &b));
    assert_memory_equal(&a, &b, sizeof(a));
    pass(p->loop, 150000);
    assert_int_equal(told, 1);
    assert_true(key_of(rc, &q, &b));
    assert_memory_not_equal(&a, &b, sizeof(a));

    assert_int_equal(renameat(p->dir, "usr", p->dir, "aside"), 0);
    pass(p->loop, 61000);
    assert_false(key_of(rc, &q, &a));
    assert_int_equal(mkdirat(p->dir, "aside/more", 0755), 0);
    assert_int_equal(renameat(p->dir, "aside", p->dir, "usr"), 0);
    assert_int_equal(told, 1);
    pass(p->loop, 61000);
    assert_true(key_of(rc, &q, &a));
    assert_int_equal(told, 2);

    run_cache_on_changed(rc, NULL, NULL);
    assert_int_equal(mkdirat(p->dir, "usr/most", 0755), 0);
    pass(p->loop, 61000);
    assert_int_equal(told, 2);
    cache_end(p, rc);
}

static void what_has_no_key(void **state)
{
    static const char *const dated[] = {"puts(__TIME__)", "__DATE__", "x __TIMESTAMP__ y"};
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, true);
    struct run_cache_key key;
    struct question q;

    ask(&q);
    assert_false(key_of(NULL, &q, &key));
    q.plan.build.keep = NULL;
    assert_false(key_of(rc, &q, &key));
    for (size_t i = 0; i < COUNT_OF(dated); i++) {
        ask(&q);
        snprintf(q.source, sizeof(q.source), "%s", dated[i]);
        q.files[0].body.len = strlen(dated[i]);
        assert_false(key_of(rc, &q, &key));
    }
    cache_end(p, rc);
}

/* ---- values ---------------------------------------------------------------------------------------- */

static void compiled(struct job_result *r, const char *words)
{
    *r = (struct job_result){.compile_measure = {.ran = true, .wall_ns = 5, .cpu_ns = 6, .memory_bytes = 7}};
    assert_int_equal(buf_adds(&r->compile.bytes, words), 0);
}

static void put(struct run_cache *rc, const struct run_cache_key *key, const struct job_result *r)
{
    int fd = memfd_create("kept", MFD_CLOEXEC);

    assert_int_equal(write(fd, "bundle", 6), 6);
    run_cache_put(rc, key, r, fd);
    close(fd);
}

static void comes_back_as_it_was(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, true);
    struct run_cache_key key;
    struct job_result in, out = {0};
    struct question q;
    char bundle[8];
    int fd;

    ask(&q);
    assert_true(key_of(rc, &q, &key));
    assert_int_equal(run_cache_get(rc, &key, &out), -1);
    assert_int_equal(out.compile_cache, JOB_CACHE_MISS);
    compiled(&in, "a warning\n");
    put(rc, &key, &in);
    fd = run_cache_get(rc, &key, &out);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, bundle, sizeof(bundle), 0), 6);
    assert_memory_equal(bundle, "bundle", 6);
    close(fd);
    assert_int_equal(out.compile_cache, JOB_CACHE_HIT);
    assert_int_equal(out.compile.bytes.len, strlen("a warning\n"));
    assert_memory_equal(out.compile.bytes.data, "a warning\n", out.compile.bytes.len);
    assert_int_equal(out.compile_measure.wall_ns, 5);
    assert_int_equal(out.compile_measure.cpu_ns, 6);
    assert_int_equal(out.compile_measure.memory_bytes, 7);
    assert_int_equal(out.compile_measure.exit_code, 0);
    job_result_done(&in);
    job_result_done(&out);
    cache_end(p, rc);
}

static void only_what_went_well_is_kept(void **state)
{
    struct place *p = *state;
    struct run_cache *rc = cache_at(p, true);
    struct run_cache_key key;
    struct job_result in, out = {0};
    struct question q;

    ask(&q);
    assert_true(key_of(rc, &q, &key));
    compiled(&in, "");
    in.compile.truncated = true;
    put(rc, &key, &in);
    in.compile.truncated = false;
    in.compile_measure.exit_code = 1;
    put(rc, &key, &in);
    in.compile_measure.exit_code = 0;
    run_cache_put(rc, &key, &in, -1);
    assert_int_equal(run_cache_get(rc, &key, &out), -1);
    job_result_done(&in);
    cache_end(p, rc);
}

int main(void)
{
#define IN_PLACE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_PLACE(what_decides_a_key),
        IN_PLACE(tenants_share_where_they_may),
        IN_PLACE(what_cells_show_decides),
        IN_PLACE(a_change_is_told),
        IN_PLACE(what_has_no_key),
        IN_PLACE(comes_back_as_it_was),
        IN_PLACE(only_what_went_well_is_kept),
    };

    return cmocka_run_group_tests_name("run_cache", tests, NULL, NULL);
}
