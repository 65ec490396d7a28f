/* store_spool_test.c - results on the disk while Redis is away: kept, found again, offered, decided by epoch.
 */
#include <dirent.h>
#include <sys/stat.h>

#include "store_rig.h"

#define SERVER "--port %u --appendonly yes --appendfsync always "

static char url[64];
static int folder;

static size_t files(void)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fdopendir(fd);
    size_t n = 0;

    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' && strncmp(e->d_name, "new-", 4) != 0;
    closedir(d);
    return n;
}

static void until_files(size_t wanted)
{
    for (int i = 0; files() != wanted; i++) {
        if (i == RIG_PATIENCE_MS / 10)
            fail_msg("%zu files, not %zu", files(), wanted);
        rig_run_ms(10);
    }
}

static struct store_spool *spool_open(struct store *s, uint64_t bytes_max)
{
    const struct store_spool_options o = {
        .loop = loop, .store = s, .folder_fd = folder, .bytes_max = bytes_max};
    struct store_spool *sp;
    struct err err = {0};

    assert_int_equal(store_spool_open(&o, &sp, &err), 0);
    return sp;
}

/* As a worker ends: helpers end with the loop, and only then is nobody left who knows of the spool. */
static void close_all(struct store *s, struct store_spool *sp)
{
    store_free(s);
    store_spool_stop(sp);
    loop_free(loop);
    store_spool_free(sp);
    loop = NULL;
}

/* And the next one begins. */
static struct store *reopen(struct store *s, struct store_spool **sp)
{
    struct store_options o = rig_options(url);
    struct err err = {0};

    close_all(s, *sp);
    assert_int_equal(loop_new(&loop, &err), 0);
    s = rig_open(&o);
    *sp = spool_open(s, 1 << 20);
    return s;
}

static void end(struct store *s, struct store_spool *sp, struct job *job)
{
    struct err err = {0};

    close_all(s, sp);
    assert_int_equal(loop_new(&loop, &err), 0);
    job_free(job);
}

static void keep(struct store_spool *sp, const char *token, uint32_t epoch, const char *out)
{
    struct job_result r = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct job_test_result *t = job_result_add(&r);

    t->status = JOB_COMPLETED;
    buf_adds(&t->out.bytes, out);
    store_spool_keep(sp, "w", token, epoch, &r);
    job_result_done(&r);
}

static struct store *begin(struct job **ret_job, uint32_t *ret_epoch)
{
    struct store_options o = rig_options(url);
    struct store *s;
    struct answer a;

    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", rig_redis(SERVER, NULL));
    s = rig_open(&o);
    *ret_job = rig_job(10, NULL);
    assert_int_equal(rig_submit(s, *ret_job), 0);
    assert_int_equal(rig_claim(s, &a), 0);
    *ret_epoch = a.claims[0].epoch;
    job_free(a.claims[0].job);
    return s;
}

static void test_another_worker_delivers(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp = spool_open(s, 1 << 20);
    struct answer a;

    (void)state;
    keep(sp, job->token, epoch, "42\n");
    until_files(1);
    rig_is(s, job->token, JOB_RUNNING);
    s = reopen(s, &sp);
    store_spool_offer(sp);
    until_files(0);
    ASK(a, store_get(s, job->token, on_view, &a));
    assert_int_equal(a.status, JOB_COMPLETED);
    assert_string_equal(a.out, "42\n");
    end(s, sp, job);
}

/* A worker that ends right after it was told to keep them has kept them. */
static void test_the_end_comes_at_once(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp = spool_open(s, 1 << 20);
    char token[UUID_SIZE];

    (void)state;
    keep(sp, job->token, epoch, "42\n");
    for (int i = 0; i < 50; i++) { /* far more than there are helpers */
        uuid_new(token);
        keep(sp, token, 1, "1\n");
    }
    s = reopen(s, &sp);
    assert_int_equal(files(), 51);
    store_spool_offer(sp);
    until_files(0);
    rig_is(s, job->token, JOB_COMPLETED);
    end(s, sp, job);
}

/* Another has the job by now: what was kept is thrown away. */
static void test_epoch_decides(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp = spool_open(s, 1 << 20);
    struct answer a;

    (void)state;
    keep(sp, job->token, epoch, "old");
    until_files(1);
    ASK(a, store_release(s, "w", job->token, epoch, on_done, &a));
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.claims[0].epoch, epoch + 1);
    job_free(a.claims[0].job);
    s = reopen(s, &sp);
    store_spool_offer(sp);
    until_files(0);
    rig_is(s, job->token, JOB_RUNNING);
    assert_int_equal(rig_finish(s, job->token, epoch + 1), 0);
    end(s, sp, job);
}

/* Redis is not there: it is offered when it is. */
static void test_waits_for_redis(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp = spool_open(s, 1 << 20);
    uint16_t port = (uint16_t)strtoul(strrchr(url, ':') + 1, NULL, 10);

    (void)state;
    keep(sp, job->token, epoch, "x");
    until_files(1);
    s = reopen(s, &sp);
    rig_cli(port, "", "config set min-replicas-to-write 1", "OK");
    store_spool_offer(sp);
    rig_run_ms(300);
    assert_int_equal(files(), 1);
    rig_cli(port, "", "config set min-replicas-to-write 0", "OK");
    until_files(0); /* by its own timer */
    rig_is(s, job->token, JOB_COMPLETED);
    end(s, sp, job);
}

static void test_dropped_and_bounded(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp = spool_open(s, 8192);

    (void)state;
    keep(sp, job->token, epoch, "1");
    until_files(1);
    keep(sp, job->token, epoch + 1, "2"); /* there is room for one block more, and not for a whole file */
    rig_run_ms(200);
    assert_int_equal(files(), 1);
    store_spool_drop(sp, job->token, epoch);
    until_files(0);
    keep(sp, job->token, epoch + 2, "3");
    store_spool_drop(sp, job->token, epoch + 2); /* while it is being written */
    rig_run_ms(200);
    until_files(0);
    end(s, sp, job);
}

static void put(const char *name, const char *text)
{
    int fd = openat(folder, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void test_what_cannot_be_read(void **state)
{
    struct job *job;
    uint32_t epoch;
    struct store *s = begin(&job, &epoch);
    struct store_spool *sp;
    char name[64];

    (void)state;
    snprintf(name, sizeof(name), "%s.%u.h.x:1:0a", job->token, epoch);
    put(name, "this is no result");
    put("new-half", "a temporary one");
    put("somebody's", "not ours");
    sp = spool_open(s, 1 << 20);
    store_spool_offer(sp);
    until_files(1); /* somebody's */
    assert_int_equal(faccessat(folder, "new-half", F_OK, 0), -1);
    rig_is(s, job->token, JOB_RUNNING);
    assert_int_equal(unlinkat(folder, "somebody's", 0), 0);
    end(s, sp, job);
}

static int setup(void **state)
{
    char path[128];

    if (rig_setup(state) != 0)
        return -1;
    snprintf(path, sizeof(path), "%s/results", rig_dir);
    if (mkdir(path, 0700) != 0)
        return -1;
    folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return folder < 0 ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_another_worker_delivers, rig_after_each),
        cmocka_unit_test_teardown(test_the_end_comes_at_once, rig_after_each),
        cmocka_unit_test_teardown(test_epoch_decides, rig_after_each),
        cmocka_unit_test_teardown(test_waits_for_redis, rig_after_each),
        cmocka_unit_test_teardown(test_dropped_and_bounded, rig_after_each),
        cmocka_unit_test_teardown(test_what_cannot_be_read, rig_after_each),
    };

    return cmocka_run_group_tests(tests, setup, rig_teardown);
}
