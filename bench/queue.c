/* queue.c - bench-queue: the part of a worker that speaks to Redis, and nothing else of it.
 *
 * bench-queue URL LANGUAGE.  For each line "COUNT" of its input it claims that many jobs and records a result
 * for each, IN_FLIGHT at a time and each by a call of its own, as workers with that many slots together do;
 * it prints the nanoseconds that all of them took. */
#include "store/store.h"

#include <unistd.h>

enum { IN_FLIGHT = 16 };

static struct {
    struct loop *loop;
    struct store *store;
    int32_t language;
    unsigned long left, running;
} b;

static void die(const char *what, const struct err *err) __attribute__((noreturn));
static void die(const char *what, const struct err *err)
{
    fprintf(stderr, "bench-queue: %s: %s\n", what, err != NULL ? err->text : "nothing is queued");
    exit(1);
}

static void next(void)
{
    if (b.running == 0 && b.left == 0)
        loop_stop(b.loop);
}

static void claim_one(void);

static void on_finished(void *arg, const struct err *err)
{
    (void)arg;
    if (err != NULL)
        die("finish", err);
    b.running--;
    if (b.left > 0)
        claim_one();
    next();
}

/* As a small program's: it said hello. */
static void finish(struct store_claim *claim)
{
    struct job_result result = {.status = JOB_COMPLETED, .attempt = 1};
    struct job_test_result *test = job_result_add(&result);

    test->status = JOB_COMPLETED;
    test->measure =
        (struct job_measure){.ran = true, .wall_ns = 15000000, .cpu_ns = 14000000, .memory_bytes = 1u << 23};
    result.started_ms = result.finished_ms = clock_wall_ms();
    if (buf_adds(&test->out.bytes, "hello\n") != 0)
        abort();
    store_finish(b.store, "bench", claim->job->token, claim->epoch, &result, NULL, 0, on_finished, NULL);
    job_result_done(&result);
    job_free(claim->job);
}

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    (void)arg;
    (void)more;
    if (err != NULL || count != 1)
        die("claim", err);
    finish(&claims[0]);
}

static void claim_one(void)
{
    b.left--;
    b.running++;
    store_claim(b.store, "bench", &b.language, 1, 1, 1, on_claimed, NULL);
}

static uint64_t measure(unsigned long count)
{
    uint64_t begin = clock_mono_ns();

    b.left = count;
    while (b.left > 0 && b.running < IN_FLIGHT)
        claim_one();
    loop_run(b.loop);
    return clock_mono_ns() - begin;
}

static void on_change(void *arg)
{
    (void)arg;
    loop_stop(b.loop);
}

int main(int argc, char **argv)
{
    struct store_options o = {.prefix = "execd",
                              .lease_ms = 60000,
                              .max_attempts = 3,
                              .result_ttl_ms = 86400000,
                              .queue_max_jobs = 1000000,
                              .queue_max_bytes = UINT64_C(4) << 30,
                              .queue_max_wait_ms = 86400000,
                              .answer_ms = 30000};
    struct err err = {0};
    uint64_t language, count;
    char line[64];

    if (argc != 3 || num_u64(argv[2], 1, INT32_MAX, &language) != 0) {
        fputs("usage: bench-queue URL LANGUAGE\n", stderr);
        return 2;
    }
    o.url = argv[1];
    b.language = (int32_t)language;
    if (loop_new(&b.loop, &err) != 0 || store_open(b.loop, &o, &b.store, &err) != 0)
        die("open", &err);
    store_on_change(b.store, on_change, NULL);
    while (!store_connected(b.store))
        loop_run(b.loop);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (num_u64(line, 1, 10000000, &count) != 0)
            break;
        printf("%llu\n", (unsigned long long)measure((unsigned long)count));
        fflush(stdout);
    }
    store_free(b.store);
    loop_free(b.loop);
    return 0;
}
