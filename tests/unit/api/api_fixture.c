/* api_fixture.c - see api_fixture.h. */
#include "api_fixture.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 100000

static void on_guard(void *arg)
{
    (void)arg;
    fputs("the test hangs\n", stderr);
    abort();
}

static void stop_loop(void *arg)
{
    struct fixture *fx = arg;

    loop_stop(fx->loop);
}

void fixture_spin(struct fixture *fx, const bool *flag)
{
    loop_timer_arm(fx->guard, PATIENCE_MS);
    while (!*flag)
        loop_run(fx->loop);
    loop_timer_cancel(fx->guard);
}

static void done_flag(void *arg, const struct err *err)
{
    struct fixture *fx = arg;

    if (err != NULL)
        fprintf(stderr, "store: %s\n", err->text);
    assert_null(err);
    fx->flag = true;
    loop_stop(fx->loop);
}

static void beat_flag(void *arg, const struct err *err, bool leave)
{
    assert_false(leave);
    done_flag(arg, err);
}

int fixture_group_setup(void **state)
{
    struct fixture *fx = NEW(struct fixture);
    struct err err = {0};

    log_setup(LOG_FORMAT_KV, LOG_LEVEL_ERROR, STDERR_FILENO);
    snprintf(fx->dir, sizeof(fx->dir), "/tmp/execd-api-XXXXXX");
    if (mkdtemp(fx->dir) == NULL || (fx->dir_fd = open(fx->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
        return -1;
    if (loop_new(&fx->loop, &err) != 0 ||
        store_embedded_start(fx->loop, "redis-server", fx->dir_fd, fx->redis_url, sizeof(fx->redis_url),
                             &fx->redis, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    fx->guard = loop_timer_new(fx->loop, on_guard, NULL);
    *state = fx;
    return 0;
}

static void remove_below(int fd)
{
    DIR *d = fdopendir(dup(fd));
    struct dirent *e;
    int sub;

    while (d != NULL && (e = readdir(d)) != NULL) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, e->d_name, 0) == 0 || (sub = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY)) < 0)
            continue;
        remove_below(sub);
        close(sub);
        unlinkat(fd, e->d_name, AT_REMOVEDIR);
    }
    if (d != NULL)
        closedir(d);
}

int fixture_group_teardown(void **state)
{
    struct fixture *fx = *state;

    store_embedded_free(fx->redis);
    loop_timer_free(fx->guard);
    loop_free(fx->loop);
    remove_below(fx->dir_fd);
    close(fx->dir_fd);
    rmdir(fx->dir);
    free(fx);
    return 0;
}

int fixture_setup(void **state)
{
    struct fixture *fx = *state;
    CLEAN_BUF struct buf mistakes = {0};

    assert_int_equal(conf_load(NULL, &fx->conf, &mistakes), 0);
    fx->conf->port = 0;
    free(fx->conf->queue_prefix);
    fx->conf->queue_prefix = mem_printf("t%llu", (unsigned long long)clock_mono_ns());
    return 0;
}

int fixture_teardown(void **state)
{
    struct fixture *fx = *state;

    if (fx->client != NULL)
        net_client_free(fx->client);
    fx->client = NULL;
    api_free(fx->api);
    fx->api = NULL;
    if (fx->store != NULL)
        store_free(fx->store);
    fx->store = NULL;
    if (fx->plugins != NULL)
        plugin_set_free(fx->plugins);
    fx->plugins = NULL;
    fx->untold = false;
    fx->lease_ms = 0;
    fx->conf = conf_free(fx->conf);
    return 0;
}

static void wait_connected(struct fixture *fx)
{
    loop_timer_arm(fx->guard, PATIENCE_MS);
    store_on_change(fx->store, stop_loop, fx);
    while (!store_connected(fx->store))
        loop_run(fx->loop);
    store_on_change(fx->store, NULL, NULL);
    loop_timer_cancel(fx->guard);
}

void fixture_tell(struct fixture *fx)
{
    const struct store_language python = {71, "Python (3.11.2)"};

    fx->flag = false;
    store_languages_put(fx->store, &python, 1, done_flag, fx);
    fixture_spin(fx, &fx->flag);
}

void fixture_open(struct fixture *fx)
{
    const struct conf *c = fx->conf;
    struct store_options so = {.url = fx->redis_url,
                               .prefix = c->queue_prefix,
                               .lease_ms = fx->lease_ms == 0 ? 60000 : fx->lease_ms,
                               .max_attempts = 3,
                               .result_ttl_ms = 60000,
                               .queue_max_jobs = c->queue_max_jobs,
                               .queue_max_bytes = c->queue_max_bytes,
                               .queue_max_wait_ms = c->queue_max_wait_ms,
                               .dead_max = c->dead_max,
                               .dead_max_bytes = c->dead_max_bytes,
                               .dead_ttl_ms = c->dead_ttl_ms,
                               .answer_ms = 20000,
                               .unanswered_max = 64u << 20};
    struct api_options ao = {.loop = fx->loop, .conf = c, .plugins = fx->plugins, .roles = 1};
    struct net_client_options co = {.connections_max = 8, .user_agent = "test"};
    struct answer a = {0};
    struct err err = {0};

    if (fx->store == NULL) {
        assert_int_equal(store_open(fx->loop, &so, &fx->store, &err), 0);
        wait_connected(fx);
        if (!fx->untold)
            fixture_tell(fx);
    }
    ao.store = fx->store;
    assert_int_equal(api_start(&ao, &fx->api, &err), 0);
    assert_int_equal(net_client_open(fx->loop, &co, &fx->client, &err), 0);
    if (store_connected(fx->store)) { /* behind this answer the languages are there as well */
        http(fx, &a, "GET", "/readyz", NULL, NULL);
        assert_int_equal(a.status, 200);
        answer_done(&a);
    }
}

/* ---- HTTP ------------------------------------------------------------------------------ */

static void on_answer(void *arg, const struct err *err, const struct net_answer *answer)
{
    struct answer *a = arg;

    a->done = true;
    a->failed = err != NULL;
    if (err == NULL) {
        a->status = answer->status;
        a->retry_after_s = answer->retry_after_s;
        buf_add(&a->body, answer->body.ptr, answer->body.len);
        buf_add(&a->body, "", 0);
    }
    loop_stop(a->fx->loop);
}

void http_begin(struct fixture *fx, struct answer *a, const char *method, const char *path,
                const char *header, const char *body)
{
    CLEAN_FREE char *url = mem_printf("http://127.0.0.1:%u%s", (unsigned)api_port(fx->api), path);
    const char *headers[] = {header == NULL ? "X-Nothing: 1" : header,
                             header != NULL && strncasecmp(header, "Content-Type", 12) == 0
                                 ? NULL
                                 : "Content-Type: application/json",
                             NULL};
    struct net_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .body = bytes_of(body),
                            .deadline_ms = PATIENCE_MS,
                            .answer_max = 16 << 20};
    struct net_exchange *x;
    struct err err = {0};

    *a = (struct answer){.fx = fx};
    assert_int_equal(net_call(fx->client, &call, on_answer, a, &x, &err), 0);
}

void http(struct fixture *fx, struct answer *a, const char *method, const char *path, const char *header,
          const char *body)
{
    http_begin(fx, a, method, path, header, body);
    fixture_spin(fx, &a->done);
    assert_false(a->failed);
}

void answer_done(struct answer *a)
{
    buf_done(&a->body);
    *a = (struct answer){0};
}

static const char *text(const struct answer *a)
{
    return a->body.data == NULL ? "" : a->body.data;
}

void assert_has(const struct answer *a, const char *wanted)
{
    if (strstr(text(a), wanted) == NULL)
        fail_msg("status %d: `%s` is not in: %s", a->status, wanted, text(a));
}

void assert_has_not(const struct answer *a, const char *wanted)
{
    if (strstr(text(a), wanted) != NULL)
        fail_msg("status %d: `%s` is in: %s", a->status, wanted, text(a));
}

/* ---- raw sockets ------------------------------------------------------------------------- */

int raw_connect(struct fixture *fx)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons(api_port(fx->api)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

struct reader {
    struct fixture *fx;
    int fd;
    struct buf text;
    bool done;
};

static void on_readable(void *arg, int events)
{
    struct reader *r = arg;
    char chunk[4096];
    ssize_t n = read(r->fd, chunk, sizeof(chunk));

    (void)events;
    if (n > 0) {
        buf_add(&r->text, chunk, (size_t)n);
        return;
    }
    r->done = true;
    loop_stop(r->fx->loop);
}

char *raw(struct fixture *fx, const char *request)
{
    struct reader r = {.fx = fx, .fd = raw_connect(fx)};
    struct loop_io *io;

    assert_int_equal(write(r.fd, request, strlen(request)), strlen(request));
    io = loop_io_new(fx->loop, r.fd, LOOP_READ, on_readable, &r);
    fixture_spin(fx, &r.done);
    loop_io_free(io);
    close(r.fd);
    buf_add(&r.text, "", 0);
    return r.text.data;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

void token_of(const struct answer *a, char out[UUID_SIZE])
{
    const char *p = text(a);

    for (; *p != '\0'; p++) {
        snprintf(out, UUID_SIZE, "%s", p);
        if (uuid_valid(out))
            return;
    }
    fail_msg("no token in: %s", text(a));
}

void submit(struct fixture *fx, const char *header, char token[UUID_SIZE])
{
    struct answer a;

    http(fx, &a, "POST", "/v1/jobs", header, "{\"source_code\":\"print(1)\",\"language_id\":71}");
    assert_int_equal(a.status, 202);
    token_of(&a, token);
    answer_done(&a);
}

void worker_beat(struct fixture *fx, const char *id)
{
    struct store_worker w = {.slots = 2,
                             .running = 1,
                             .cpu_ratio = 0.25,
                             .memory_bytes = 4096,
                             .started_ms = 1,
                             .seen_ms = clock_wall_ms(),
                             .warm_count = 1,
                             .warm = {{.language_id = 71,
                                       .booting = 1,
                                       .idle = 2,
                                       .busy = 3,
                                       .memory_bytes = 4097,
                                       .steps = {[WARM_WAY_SERVICE] = 8},
                                       .misses = {[WARM_MISS_DIED] = 9}}}};

    snprintf(w.id, sizeof(w.id), "%s", id);
    fx->flag = false;
    store_heartbeat(fx->store, &w, 60000, beat_flag, fx);
    fixture_spin(fx, &fx->flag);
}

struct claimed {
    struct fixture *fx;
    struct store_claim claim;
    bool done;
};

static void on_claimed(void *arg, const struct err *err, struct store_claim *claims, size_t count, bool more)
{
    struct claimed *c = arg;

    assert_null(err);
    assert_int_equal(count, 1);
    assert_false(more);
    c->claim = claims[0];
    c->done = true;
    loop_stop(c->fx->loop);
}

struct store_claim worker_claim(struct fixture *fx)
{
    static const int32_t python = 71;
    struct claimed c = {.fx = fx};

    store_claim(fx->store, "worker", &python, 1, 1, 1, on_claimed, &c);
    fixture_spin(fx, &c.done);
    return c.claim;
}

void worker_finish(struct fixture *fx, const struct store_claim *claim, const char *out)
{
    struct job_result r = {
        .status = JOB_COMPLETED, .started_ms = clock_wall_ms(), .finished_ms = clock_wall_ms(), .attempt = 1};
    struct job_test_result *t = job_result_add(&r);

    t->status = JOB_COMPLETED;
    t->measure =
        (struct job_measure){.ran = true, .wall_ns = 20000000, .cpu_ns = 10000000, .memory_bytes = 1 << 20};
    buf_adds(&t->out.bytes, out);
    fx->flag = false;
    store_finish(fx->store, "worker", claim->job->token, claim->epoch, &r, NULL, 0, done_flag, fx);
    fixture_spin(fx, &fx->flag);
    job_result_done(&r);
}
