/* store_rig.h - for tests of store/ on real servers of several kinds: redis-server and redis-sentinel with
 * any arguments, on free ports of 127.0.0.1 or on sockets in a folder of the test's own; answers that are
 * waited for; a job's whole way. */
#ifndef EXECD_TESTS_STORE_RIG_H
#define EXECD_TESTS_STORE_RIG_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "store_internal.h"

#define RIG_PATIENCE_MS 60000
#define RIG_SERVERS_MAX 16

static struct loop *loop;
static char rig_dir[64];
static pid_t rig_servers[RIG_SERVERS_MAX];

/* ---- servers ------------------------------------------------------------------------------ */

static inline uint16_t rig_free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* Starts `command` (its words parted by blanks) in rig_dir and reads what it says until `ready` is in it;
 * false: it ended before (another took its port). */
static inline bool rig_try(const char *command, const char *ready, pid_t *ret)
{
    CLEAN_FREE char *copy = mem_dup(command);
    char *argv[64], *rest = copy, line[512];
    pid_t parent = getpid();
    size_t n = 0;
    int out[2];
    bool ok = false;
    FILE *f;

    while ((argv[n] = strsep(&rest, " ")) != NULL) {
        if (strcmp(argv[n], "''") == 0)
            argv[n] += 2; /* an empty word */
        else if (argv[n][0] == '\0')
            continue;
        assert_true(++n < COUNT_OF(argv));
    }
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    *ret = fork();
    if (*ret == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent || chdir(rig_dir) != 0)
            _exit(126);
        dup2(out[1], STDOUT_FILENO);
        execvp(argv[0], argv);
        _exit(127);
    }
    assert_true(*ret > 0);
    close(out[1]);
    f = fdopen(out[0], "r");
    while (!ok && fgets(line, sizeof(line), f) != NULL)
        ok = strstr(line, ready) != NULL;
    if (ok) { /* what it says later must not fill the pipe */
        int flags = fcntl(out[0], F_GETFL);

        fcntl(out[0], F_SETFL, flags | O_NONBLOCK);
        fcntl(out[0], F_SETPIPE_SZ, 1 << 20);
        return true; /* the stream stays open until the process ends */
    }
    fclose(f);
    waitpid(*ret, NULL, 0);
    return false;
}

static inline pid_t rig_keep(pid_t pid)
{
    for (size_t i = 0; i < RIG_SERVERS_MAX; i++)
        if (rig_servers[i] == 0)
            return rig_servers[i] = pid;
    fail_msg("more than %d servers", RIG_SERVERS_MAX);
    return 0;
}

static inline void rig_end(pid_t pid, int signo)
{
    for (size_t i = 0; i < RIG_SERVERS_MAX; i++)
        if (rig_servers[i] == pid)
            rig_servers[i] = 0;
    kill(pid, signo);
    kill(pid, SIGCONT);
    waitpid(pid, NULL, 0);
}

static inline void rig_end_all(void)
{
    for (size_t i = 0; i < RIG_SERVERS_MAX; i++)
        if (rig_servers[i] != 0)
            rig_end(rig_servers[i], SIGKILL);
}

/* A redis-server on a free port: `args` has "%u" for it, and what else it needs; each has its own files. */
static inline uint16_t rig_redis(const char *args, pid_t *ret)
{
    static unsigned count;

    for (int i = 0; i < 20; i++) {
        uint16_t port = rig_free_port();
        CLEAN_FREE char *filled = mem_zero(1, strlen(args) + 16);
        CLEAN_FREE char *command = NULL;
        const char *at = strstr(args, "%u");
        pid_t pid;

        sprintf(filled, "%.*s%u%s", (int)(at - args), args, port, at + 2);
        command = mem_printf("redis-server --bind 127.0.0.1 --dbfilename r%u.rdb --appenddirname a%u %s",
                             count, count, filled);
        count++;
        if (!rig_try(command, "eady to accept", &pid))
            continue;
        rig_keep(pid);
        if (ret != NULL)
            *ret = pid;
        return port;
    }
    fail_msg("redis-server %s does not start", args);
    return 0;
}

/* One command by redis-cli; its answer must begin with `want`. */
static inline void rig_cli(uint16_t port, const char *auth, const char *words, const char *want)
{
    CLEAN_FREE char *command = mem_printf("redis-cli --no-auth-warning -p %u %s %s 2>&1", port, auth, words);
    char line[512] = "";
    FILE *f = popen(command, "r");

    if (fgets(line, sizeof(line), f) == NULL)
        line[0] = '\0';
    pclose(f);
    if (strncmp(line, want, strlen(want)) != 0)
        fail_msg("`%s` is answered with `%s`", words, line);
}

/* ---- answers --------------------------------------------------------------------------------- */

struct answer {
    bool over, more;
    struct err err;
    size_t count;
    struct store_claim claims[16];
    struct store_lease leases[16];
    enum job_status status;
    char out[64], message[80];
    uint32_t attempt;
    struct store_delivery delivery;
};

static inline void give_up(void *arg)
{
    (void)arg;
    fail_msg("nothing happened within %d ms", RIG_PATIENCE_MS);
}

static inline void until(const bool *flag)
{
    struct loop_timer *t = loop_timer_new(loop, give_up, NULL);

    loop_timer_arm(t, RIG_PATIENCE_MS);
    while (!*flag)
        loop_run(loop);
    loop_timer_free(t);
}

static inline void take_err(struct answer *a, const struct err *err)
{
    assert_false(a->over); /* exactly once */
    a->over = true;
    if (err != NULL)
        a->err = *err;
    loop_stop(loop);
}

static inline void on_done(void *arg, const struct err *err)
{
    take_err(arg, err);
}

static inline void on_beat(void *arg, const struct err *err, bool leave)
{
    take_err(arg, err);
    ((struct answer *)arg)->more = leave;
}

static inline void on_claim(void *arg, const struct err *err, struct store_claim *claims, size_t count,
                            bool more)
{
    struct answer *a = arg;

    (void)more;
    a->count = count;
    for (size_t i = 0; i < count; i++)
        a->claims[i] = claims[i];
    take_err(a, err);
}

static inline void on_lease(void *arg, const struct err *err, struct store_lease *leases, size_t count)
{
    struct answer *a = arg;

    a->count = count;
    for (size_t i = 0; i < count; i++)
        a->leases[i] = leases[i];
    take_err(a, err);
}

static inline void on_view(void *arg, const struct err *err, const struct store_view *v)
{
    struct answer *a = arg;

    if (v != NULL) {
        a->status = v->status;
        a->attempt = v->attempt;
        if (v->result != NULL && v->result->message != NULL)
            snprintf(a->message, sizeof(a->message), "%s", v->result->message);
        if (v->result != NULL && v->result->test_count > 0)
            snprintf(a->out, sizeof(a->out), "%s", v->result->tests[0].out.bytes.data);
    }
    take_err(a, err);
}

static inline void on_reap(void *arg, const struct err *err, size_t recovered, size_t overdue)
{
    (void)overdue;
    ((struct answer *)arg)->count = recovered;
    take_err(arg, err);
}

static inline void on_delivery(void *arg, const struct err *err, struct store_delivery *d, size_t count,
                               uint64_t next_ms)
{
    struct answer *a = arg;

    (void)next_ms;
    a->count = count;
    if (count > 0)
        a->delivery = *d;
    take_err(a, err);
}

static inline void on_settled(void *arg, const struct err *err, uint64_t paused_ms)
{
    (void)paused_ms;
    take_err(arg, err);
}

static inline void on_submitted(void *arg, const struct err *err, const struct store_submitted *r)
{
    (void)r;
    take_err(arg, err);
}

static inline void on_stats(void *arg, const struct err *err, const struct store_stats *st)
{
    if (st != NULL)
        ((struct answer *)arg)->count = st->worker_count;
    take_err(arg, err);
}

static inline void on_languages(void *arg, const struct err *err, const struct store_language *l,
                                size_t count)
{
    (void)l;
    ((struct answer *)arg)->count = count;
    take_err(arg, err);
}

#define ASK(a, call)                                                                                         \
    do {                                                                                                     \
        (a) = (struct answer){0};                                                                            \
        call;                                                                                                \
        until(&(a).over);                                                                                    \
    } while (0)

/* ---- stores ----------------------------------------------------------------------------------- */

static inline struct store_options rig_options(const char *url)
{
    return (struct store_options){.url = url,
                                  .prefix = "t",
                                  .lease_ms = 60000,
                                  .max_attempts = 2,
                                  .result_ttl_ms = 600000,
                                  .hook_ttl_ms = 600000,
                                  .queue_max_jobs = 1000,
                                  .queue_max_bytes = 64u << 20,
                                  .queue_max_wait_ms = 600000,
                                  .answer_ms = 30000,
                                  .unanswered_max = 64u << 20};
}

static inline void on_change(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

static inline void rig_connected(struct store *s, bool wanted)
{
    while (store_connected(s) != wanted) {
        bool changed = false;

        store_on_change(s, on_change, &changed);
        until(&changed);
    }
    store_on_change(s, NULL, NULL);
}

static inline struct store *rig_open(const struct store_options *o)
{
    struct store *s;
    struct err err = {0};

    if (store_open(loop, o, &s, &err) != 0)
        fail_msg("%s", err.text);
    rig_connected(s, true);
    return s;
}

static inline void rig_stop(void *arg)
{
    *(bool *)arg = true;
    loop_stop(loop);
}

static inline void rig_run_ms(uint64_t ms)
{
    bool over = false;
    struct loop_timer *t = loop_timer_new(loop, rig_stop, &over);

    loop_timer_arm(t, ms);
    while (!over)
        loop_run(loop);
    loop_timer_free(t);
}

/* ---- a job's way -------------------------------------------------------------------------------- */

static inline struct job *rig_job(size_t source_bytes, const char *callback)
{
    struct job *job = job_new();

    uuid_new(job->token);
    job->language_id = 71;
    job->tenant = mem_dup("tenant");
    job->priority = JOB_PRIORITY_NORMAL;
    job->callback_url = mem_dup(callback);
    job->created_ms = clock_wall_ms();
    while (job->source.len < source_bytes)
        buf_addf(&job->source, "%zu,", job->source.len);
    job_tests_add(job, bytes_of("in"), NULL);
    return job;
}

static const struct store_admission rig_tenant = {.tenant = "tenant"};
static const struct store_outbox_rules rig_outbox = {
    .lease_ms = 60000, .per_endpoint = 8, .window_ms = 600000};

static inline int rig_submit(struct store *s, struct job *job)
{
    struct answer a;

    ASK(a, store_submit(s, &job, 1, &rig_tenant, on_submitted, &a));
    return a.err.code;
}

static inline int rig_claim(struct store *s, struct answer *a)
{
    static const int32_t languages[] = {71};

    ASK(*a, store_claim(s, "w", languages, 1, 4, 4, on_claim, a));
    return a->err.code;
}

static inline int rig_finish(struct store *s, const char *token, uint32_t epoch)
{
    struct job_result r = {.status = JOB_COMPLETED, .finished_ms = 1};
    struct job_test_result *t = job_result_add(&r);
    struct answer a;

    t->status = JOB_COMPLETED;
    buf_adds(&t->out.bytes, "1\n");
    ASK(a, store_finish(s, "w", token, epoch, &r, NULL, 0, on_done, &a));
    job_result_done(&r);
    return a.err.code;
}

static inline void rig_is(struct store *s, const char *token, enum job_status status)
{
    struct answer a;

    ASK(a, store_get(s, token, on_view, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.status, status);
}

/* Everything that a store is asked in a job's life, whose program is of so many bytes. */
static inline void rig_way_of_a_job(struct store *s, size_t bytes)
{
    struct job *job = rig_job(bytes, "http://h/");
    struct store_lease lease = {0};
    struct store_worker w = {.id = "w", .slots = 1};
    struct store_language l = {.id = 71, .version = "3"};
    struct store_settlement settled = {.token = job->token, .outcome = STORE_DELIVERED, .reason = ""};
    struct answer a, b;

    assert_int_equal(rig_submit(s, job), 0);
    rig_is(s, job->token, JOB_QUEUED);
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(a.claims[0].job->source.len, job->source.len);
    assert_memory_equal(a.claims[0].job->source.data, job->source.data, job->source.len);
    memcpy(lease.token, job->token, UUID_SIZE);
    lease.epoch = a.claims[0].epoch;
    ASK(b, store_extend(s, "w", &lease, 1, on_lease, &b));
    assert_false(b.leases[0].lost);
    ASK(b, store_release(s, "w", job->token, lease.epoch, on_done, &b));
    assert_int_equal(b.err.code, 0);
    job_free(a.claims[0].job);
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(rig_finish(s, job->token, lease.epoch), ERR_CONFLICT);
    assert_int_equal(rig_finish(s, job->token, a.claims[0].epoch), 0);
    job_free(a.claims[0].job);
    rig_is(s, job->token, JOB_COMPLETED);
    ASK(a, store_outbox_claim(s, &rig_outbox, NULL, 1, on_delivery, &a));
    assert_int_equal(a.count, 1);
    settled.attempt = a.delivery.attempt;
    ASK(b, store_outbox_settle(s, &rig_outbox, &settled, on_settled, &b));
    assert_int_equal(b.err.code, 0);
    ASK(a, store_cancel(s, job->token, on_done, &a));
    assert_int_equal(a.err.code, ERR_CONFLICT);
    ASK(a, store_reap(s, on_reap, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_heartbeat(s, &w, 60000, on_beat, &a));
    assert_int_equal(a.err.code, 0);
    ASK(a, store_languages_put(s, &l, 1, on_done, &a));
    ASK(a, store_languages_get(s, on_languages, &a));
    assert_int_equal(a.count, 1);
    ASK(a, store_stats(s, on_stats, &a));
    assert_int_equal(a.err.code, 0);
    assert_int_equal(a.count, 1);
    job_free(job);
}

/* ---- before and after ------------------------------------------------------------------------------ */

static inline int rig_setup(void **state)
{
    struct err err = {0};

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    snprintf(rig_dir, sizeof(rig_dir), "/tmp/execd-store-XXXXXX");
    return mkdtemp(rig_dir) == NULL ? -1 : loop_new(&loop, &err);
}

static inline int rig_remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline int rig_after_each(void **state)
{
    (void)state;
    rig_end_all();
    return 0;
}

static inline int rig_teardown(void **state)
{
    (void)state;
    rig_end_all();
    loop_free(loop);
    return nftw(rig_dir, rig_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
