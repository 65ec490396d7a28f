/* ctl_client_test.c - execctl as a child against a server of scripted answers: output, exit status, requests.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl_internal.h"

#define TOKEN "0f8fad5b-d9cb-469f-a165-70867728950e"
#define ACCEPTED "{\"token\":\"" TOKEN "\",\"status\":\"queued\"}"

struct reply {
    int status;
    const char *body;
    const char *retry_after;
};

struct fixture {
    struct loop *loop;
    struct loop_timer *guard;
    struct net_server *server;
    char url[64], dir[64];
    const struct reply *script; /* one answer after the other */
    size_t asked;
    struct buf seen; /* "METHOD path?wait=x [key] body\n" of each request */
    char idempotency[64];
    int keyed;     /* requests with an Idempotency-Key */
    bool same_key; /* of them, the last two had the same */
    bool hang;     /* the last of the script stays unanswered */
    pid_t child;
};

struct outcome {
    int status; /* of waitpid */
    struct buf out, err;
    bool over;
    struct loop *loop;
};

static void on_request(void *arg, struct net_request *r)
{
    struct fixture *fx = arg;
    const struct reply *reply = &fx->script[fx->asked++];
    const char *key = net_request_header(r, "Authorization"), *wait = net_request_query(r, "wait");
    const char *idempotency = net_request_header(r, "Idempotency-Key");
    struct bytes body = net_request_body(r);

    if (idempotency != NULL) {
        fx->keyed++;
        fx->same_key = fx->keyed == 1 || strcmp(fx->idempotency, idempotency) == 0;
        snprintf(fx->idempotency, sizeof(fx->idempotency), "%s", idempotency);
    }
    buf_addf(&fx->seen, "%s %s%s [%s] %.*s\n", net_request_method(r), net_request_path(r),
             wait == NULL ? "" : " waits", key == NULL ? "" : key, (int)body.len,
             body.ptr == NULL ? "" : body.ptr);
    if (reply->status == 0) { /* it may wait for ever: something else has to happen */
        kill(fx->child, SIGINT);
        fx->hang = true;
        return;
    }
    if (reply->retry_after != NULL)
        net_reply_header(r, "Retry-After", reply->retry_after);
    net_reply(r, reply->status, reply->status / 100 == 2 ? "application/json" : "application/problem+json",
              bytes_of(reply->body));
}

static void on_guard(void *arg)
{
    (void)arg;
    fputs("the test hangs\n", stderr);
    abort();
}

static int setup(void **state)
{
    struct fixture *fx = NEW(struct fixture);
    struct net_server_options so = {.address = "127.0.0.1",
                                    .header_max = 8192,
                                    .body_max = 1 << 20,
                                    .connections_max = 64,
                                    .idle_ms = 60000};
    struct err err = {0};

    if (loop_new(&fx->loop, &err) != 0 ||
        net_server_open(fx->loop, &so, on_request, fx, &fx->server, &err) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return -1;
    }
    fx->guard = loop_timer_new(fx->loop, on_guard, NULL);
    loop_timer_arm(fx->guard, 100000);
    snprintf(fx->url, sizeof(fx->url), "http://127.0.0.1:%u/", (unsigned)net_server_port(fx->server));
    snprintf(fx->dir, sizeof(fx->dir), "/tmp/execctl-XXXXXX");
    unsetenv("EXECD_API_KEY");
    unsetenv("EXECD_URL");
    *state = fx;
    return mkdtemp(fx->dir) == NULL ? -1 : chdir(fx->dir);
}

static int teardown(void **state)
{
    struct fixture *fx = *state;
    static const char *const files[] = {"a.py", "b.py", "a.txt", "in", "key"};

    for (size_t i = 0; i < COUNT_OF(files); i++)
        unlink(files[i]);
    if (chdir("/") != 0 || rmdir(fx->dir) != 0)
        return -1;
    loop_timer_free(fx->guard);
    net_server_free(fx->server);
    loop_free(fx->loop);
    buf_done(&fx->seen);
    free(fx);
    return 0;
}

static void file(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");

    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void on_child(void *arg, int status)
{
    struct outcome *o = arg;

    o->status = status;
    o->over = true;
    loop_stop(o->loop);
}

static void slurp(int fd, struct buf *out)
{
    char chunk[4096];
    ssize_t n;

    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    while ((n = read(fd, chunk, sizeof(chunk))) > 0)
        buf_add(out, chunk, (size_t)n);
    buf_add(out, "", 0);
    close(fd);
}

/* Runs execctl with these words in a child of its own. */
static struct outcome execctl(struct fixture *fx, const struct reply *script, const char *const *words)
{
    struct outcome o = {.loop = fx->loop};
    int out = open("/tmp", O_TMPFILE | O_RDWR, 0600), err = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    struct loop_child *child;
    struct err e = {0};
    char *argv[16];
    int argc = 0;

    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    argv[argc] = NULL;
    fx->script = script;
    fx->asked = 0;
    buf_clear(&fx->seen);
    fflush(NULL);
    if ((fx->child = fork()) == 0) {
        dup2(out, STDOUT_FILENO);
        dup2(err, STDERR_FILENO);
        _exit((argc = ctl_main(argc, argv), fflush(NULL), argc));
    }
    assert_int_equal(loop_child_new(fx->loop, fx->child, on_child, &o, &child, &e), 0);
    while (!o.over)
        loop_run(fx->loop);
    loop_child_free(child);
    slurp(out, &o.out);
    slurp(err, &o.err);
    return o;
}
#define EXECCTL(script, ...)                                                                                 \
    execctl(fx, script, (const char *const[]){"execctl", "--url", fx->url, __VA_ARGS__, NULL})

static void outcome_done(struct outcome *o)
{
    buf_done(&o->out);
    buf_done(&o->err);
}

static void assert_exit(const struct outcome *o, int status)
{
    if (!WIFEXITED(o->status) || WEXITSTATUS(o->status) != status)
        fail_msg("status %#x: %s%s", o->status, o->out.data, o->err.data);
}

static void assert_has(const struct buf *b, const char *text)
{
    if (b->data == NULL || strstr(b->data, text) == NULL)
        fail_msg("`%s` is not in: %s", text, b->data == NULL ? "" : b->data);
}

#define DONE(status, more) "{\"token\":\"" TOKEN "\",\"status\":\"" status "\"," more "}"

static void test_run(void **state)
{
    static const struct reply script[] = {
        {202, ACCEPTED, NULL},
        {200, DONE("running", "\"exit_code\":null"), NULL},
        {200,
         DONE("runtime_error",
              "\"stdout\":\"b3V0AA==\",\"stdout_encoding\":\"base64\",\"stderr\":\"oops\\n\","
              "\"stderr_encoding\":\"utf-8\",\"exit_code\":3,\"signal\":null"),
         NULL},
    };
    struct fixture *fx = *state;
    struct outcome o;

    file("a.py", "print(1)");
    file("in", "input");
    o = EXECCTL(script, "run", "a.py", "--stdin", "in", "--timeout", "500", "--", "x", "y z");
    assert_exit(&o, 3);
    assert_int_equal(o.out.len, 4);
    assert_memory_equal(o.out.data, "out\0", 4);
    assert_string_equal(o.err.data, "oops\n");
    assert_int_equal(fx->asked, 3);
    assert_has(&fx->seen, "POST /v1/jobs [] {");
    assert_has(&fx->seen, "\"language_id\":71");
    assert_has(&fx->seen, "\"stdin\":\"input\"");
    assert_has(&fx->seen, "\"args\":[\"x\",\"y z\"]");
    assert_has(&fx->seen, "\"timeout\":500");
    assert_has(&fx->seen, "GET /v1/jobs/" TOKEN " waits [] \n");
    outcome_done(&o);
}

static void test_compile_error_and_limits(void **state)
{
    static const struct reply compile[] = {
        {202, ACCEPTED, NULL},
        {200,
         DONE("compile_error", "\"compile_output\":\"a.c: wrong\\n\",\"compile_output_encoding\":\"utf-8\""),
         NULL},
    };
    static const struct reply limit[] = {
        {202, ACCEPTED, NULL},
        {200,
         DONE("time_limit_exceeded", "\"stdout\":\"partial\",\"stdout_encoding\":\"utf-8\",\"signal\":9"),
         NULL},
    };
    struct fixture *fx = *state;
    struct outcome o;

    file("a.txt", "x");
    o = EXECCTL(compile, "run", "a.txt", "--language", "50");
    assert_exit(&o, 1);
    assert_string_equal(o.out.data, "");
    assert_has(&o.err, "a.c: wrong\n");
    assert_has(&fx->seen, "\"language_id\":50");
    outcome_done(&o);
    o = EXECCTL(limit, "run", "a.txt", "--language", "50");
    assert_exit(&o, 124);
    assert_string_equal(o.out.data, "partial");
    assert_string_equal(o.err.data, "execctl: time limit exceeded\n");
    outcome_done(&o);
}

static void test_come_again(void **state)
{
    static const struct reply script[] = {
        {503, "{\"title\":\"full\"}", "1"},
        {202, ACCEPTED, NULL},
        {503, "{}", NULL},
        {200, DONE("completed", "\"exit_code\":0"), NULL},
    };
    struct fixture *fx = *state;
    struct outcome o;

    file("a.py", "x");
    o = EXECCTL(script, "run", "a.py");
    assert_exit(&o, 0);
    assert_int_equal(fx->asked, 4);
    assert_int_equal(fx->keyed, 2); /* the submission and its repetition, and nothing else */
    assert_true(fx->same_key);
    outcome_done(&o);
}

static void test_refused(void **state)
{
    static const struct reply bad[] = {{422,
                                        "{\"type\":\"urn:execd:problem:out-of-range\",\"title\":\"t\","
                                        "\"status\":422,\"detail\":\"too small\","
                                        "\"field\":\"timeout\",\"value\":\"1\",\"bound\":\"10..60000 ms\"}",
                                        NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    file("a.py", "x");
    o = EXECCTL(bad, "run", "a.py");
    assert_exit(&o, 125);
    assert_has(&o.err, "a.py: ");
    assert_has(&o.err, "timeout");
    assert_has(&o.err, "10..60000 ms");
    outcome_done(&o);
    o = EXECCTL(bad, "run", "missing.py");
    assert_exit(&o, 125);
    assert_has(&o.err, "missing.py: No such file");
    assert_int_equal(fx->asked, 0);
    outcome_done(&o);
    file("a.txt", "x");
    o = EXECCTL(bad, "run", "a.txt");
    assert_exit(&o, 125);
    assert_has(&o.err, "--language");
    outcome_done(&o);
    o = EXECCTL(bad, "result", "nonsense");
    assert_exit(&o, 2);
    outcome_done(&o);
    o = execctl(fx, bad, (const char *const[]){"execctl", "--url", "ftp://x", "health", NULL});
    assert_exit(&o, 2);
    outcome_done(&o);
    o = execctl(fx, bad, (const char *const[]){"execctl", "--url", "http://127.0.0.1:1", "health", NULL});
    assert_exit(&o, 125);
    assert_has(&o.err, "127.0.0.1:1");
    outcome_done(&o);
}

static void test_key(void **state)
{
    static const struct reply script[] = {{200, "{\"status\":\"healthy\"}", NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    file("key", "from-file\n");
    o = EXECCTL(script, "--key-file", "key", "health");
    assert_exit(&o, 0);
    assert_has(&o.out, "healthy");
    assert_has(&fx->seen, "[Bearer from-file]");
    outcome_done(&o);
    setenv("EXECD_API_KEY", "from-env", 1);
    o = EXECCTL(script, "health");
    assert_has(&fx->seen, "[Bearer from-env]");
    outcome_done(&o);
    file("key", "two\nlines\n");
    o = EXECCTL(script, "--key-file", "key", "health");
    assert_exit(&o, 2);
    assert_null(strstr(o.err.data, "lines"));
    outcome_done(&o);
    unsetenv("EXECD_API_KEY");
}

static void test_dead(void **state)
{
    static const char list[] = "{\"total\":1,\"jobs\":[{\"token\":\"" TOKEN
                               "\",\"language_id\":71,\"problem_id\":null,\"attempts\":3,"
                               "\"bytes\":140,\"created_at\":\"2026-01-01T00:00:00.000Z\",\"ended_at\":"
                               "\"2026-01-01T00:00:09.000Z\"}]}";
    static const struct reply one[] = {{200, list, NULL}}, whole[] = {{200, "{\"source_code\":\"x\"}", NULL}},
                              again[] = {{202, ACCEPTED, NULL}},
                              gone[] = {{404, "{\"detail\":\"gone\"}", NULL}},
                              broken[] = {{200, "{\"total\":1,\"jobs\":[{\"token\":7}]}", NULL}};
    static const char *const wrong[][4] = {{"execctl", "dead", "bury", NULL},
                                           {"execctl", "dead", "show", NULL},
                                           {"execctl", "dead", NULL, NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    o = EXECCTL(one, "dead", "list");
    assert_exit(&o, 0);
    assert_string_equal(o.out.data, TOKEN "  2026-01-01T00:00:09.000Z  language 71, 3 attempts, 140 bytes\n");
    assert_has(&fx->seen, "GET /v1/dead ");
    outcome_done(&o);
    o = EXECCTL(whole, "dead", "show", TOKEN);
    assert_exit(&o, 0);
    assert_has(&o.out, "source_code");
    assert_has(&fx->seen, "GET /v1/dead/" TOKEN " ");
    outcome_done(&o);
    o = EXECCTL(again, "dead", "retry", TOKEN);
    assert_exit(&o, 0);
    assert_string_equal(o.out.data, TOKEN "\n");
    assert_has(&fx->seen, "POST /v1/dead/" TOKEN " ");
    outcome_done(&o);
    o = EXECCTL(gone, "dead", "retry", TOKEN);
    assert_exit(&o, 125);
    assert_has(&o.err, "gone");
    outcome_done(&o);
    o = EXECCTL(broken, "dead", "list");
    assert_exit(&o, 125);
    outcome_done(&o);
    o = EXECCTL(gone, "dead", "show", "nonsense");
    assert_exit(&o, 2);
    outcome_done(&o);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        o = execctl(fx, gone, wrong[i]);
        assert_exit(&o, 2);
        outcome_done(&o);
    }
}

static void test_languages_and_names(void **state)
{
    static const char list[] = "[{\"id\":71,\"name\":\"Python\",\"version\":\"Python (3.11.2)\"},"
                               "{\"id\":99,\"name\":\"Ruby\",\"version\":\"Ruby (3.1)\"}]";
    static const struct reply one[] = {{200, list, NULL}};
    static const struct reply named[] = {{200, list, NULL}, {202, ACCEPTED, NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    o = EXECCTL(one, "languages");
    assert_exit(&o, 0);
    assert_has(&o.out, "71     Python           Python (3.11.2)\n");
    outcome_done(&o);
    file("a.txt", "puts 1");
    o = EXECCTL(named, "submit", "a.txt", "--language", "ruby");
    assert_exit(&o, 0);
    assert_string_equal(o.out.data, TOKEN "\n");
    assert_has(&fx->seen, "\"language_id\":99");
    outcome_done(&o);
    o = EXECCTL(one, "submit", "a.txt", "--language", "Cobol");
    assert_exit(&o, 125);
    assert_has(&o.err, "Cobol");
    outcome_done(&o);
}

static void test_result(void **state)
{
    static const struct reply running[] = {{200, DONE("running", "\"exit_code\":null"), NULL}};
    static const struct reply gone[] = {
        {404, "{\"title\":\"Not Found\",\"detail\":\"there is no such job\"}", NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    o = EXECCTL(running, "result", TOKEN);
    assert_exit(&o, 75);
    assert_has(&o.err, "it still runs");
    outcome_done(&o);
    o = EXECCTL(running, "result", TOKEN, "--json");
    assert_exit(&o, 75);
    assert_has(&o.out, "\"status\":\"running\"");
    outcome_done(&o);
    o = EXECCTL(gone, "result", TOKEN);
    assert_exit(&o, 125);
    assert_has(&o.err, "there is no such job");
    outcome_done(&o);
}

#define LOG                                                                                                  \
    "[{\"attempt\":1,\"at\":\"2026-01-02T03:04:05.000Z\",\"duration_ms\":7,\"status\":null,"                 \
    "\"outcome\":\"failed\",\"reason\":\"no route\\u001b[2J\",\"next_attempt_at\":null},"                    \
    "{\"attempt\":2,\"at\":\"2026-01-02T03:05:05.000Z\",\"duration_ms\":12,\"status\":204,"                  \
    "\"outcome\":\"delivered\",\"reason\":\"status 204\",\"next_attempt_at\":null}]}"
#define STATE(state, next)                                                                                   \
    "{\"token\":\"" TOKEN "\",\"state\":\"" state "\",\"attempts\":2,\"next_attempt_at\":" next              \
    ",\"deliveries\":" LOG

static void test_deliveries(void **state)
{
    static const struct reply delivered[] = {{200, STATE("delivered", "null"), NULL}};
    static const struct reply pending[] = {{200, STATE("pending", "\"2026-01-02T04:00:00.000Z\""), NULL}};
    static const struct reply given_up[] = {{200, STATE("given_up", "null"), NULL}};
    static const struct reply odd[] = {{200, "{}", NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    o = EXECCTL(delivered, "deliveries", TOKEN);
    assert_exit(&o, 0);
    assert_has(&fx->seen, "GET /v1/jobs/" TOKEN "/deliveries [] \n");
    assert_has(&o.out, "delivered, attempts: 2\n");
    assert_has(&o.out, "1   2026-01-02T03:04:05.000Z      7 ms -   failed    no route");
    assert_has(&o.out, "2   2026-01-02T03:05:05.000Z     12 ms 204 delivered status 204\n");
    assert_null(strchr(o.out.data, '\033')); /* a receiver's words do not command a terminal */
    outcome_done(&o);
    o = EXECCTL(pending, "deliveries", TOKEN);
    assert_exit(&o, 75);
    assert_has(&o.out, "pending, attempts: 2, next: 2026-01-02T04:00:00.000Z\n");
    outcome_done(&o);
    o = EXECCTL(given_up, "deliveries", TOKEN, "--json");
    assert_exit(&o, 1);
    assert_string_equal(o.out.data, STATE("given_up", "null") "\n");
    outcome_done(&o);
    o = EXECCTL(odd, "deliveries", TOKEN);
    assert_exit(&o, 125);
    assert_has(&o.err, "tells of no deliveries");
    outcome_done(&o);
    o = EXECCTL(odd, "deliveries", "nonsense");
    assert_exit(&o, 2);
    outcome_done(&o);
}

static void test_redeliver(void **state)
{
    static const struct reply script[] = {
        {202, STATE("pending", "null"), NULL},
        {409, "{\"title\":\"Conflict\",\"detail\":\"the job has no callback_url\"}", NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    o = EXECCTL(script, "redeliver", TOKEN);
    assert_exit(&o, 0);
    assert_has(&fx->seen, "POST /v1/jobs/" TOKEN "/deliveries [] \n");
    outcome_done(&o);
    o = EXECCTL(script, "redeliver", TOKEN, TOKEN);
    assert_exit(&o, 125);
    assert_has(&o.err, TOKEN ": the job has no callback_url");
    outcome_done(&o);
}

static void test_interrupt_cancels(void **state)
{
    static const struct reply script[] = {{202, ACCEPTED, NULL}, {0, NULL, NULL}, {202, ACCEPTED, NULL}};
    struct fixture *fx = *state;
    struct outcome o;

    file("a.py", "x");
    o = EXECCTL(script, "run", "a.py");
    assert_exit(&o, 130);
    assert_has(&fx->seen, "DELETE /v1/jobs/" TOKEN " [] \n");
    assert_true(fx->hang);
    outcome_done(&o);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_run),
        TEST(test_compile_error_and_limits),
        TEST(test_come_again),
        TEST(test_refused),
        TEST(test_key),
        TEST(test_languages_and_names),
        TEST(test_dead),
        TEST(test_result),
        TEST(test_interrupt_cancels),
        TEST(test_deliveries),
        TEST(test_redeliver),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
