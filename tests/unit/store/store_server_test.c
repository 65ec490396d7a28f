/* store_server_test.c - one Redis of the operator's: passwords, users of an ACL, databases, TLS. */
#include "store_rig.h"

#define DURABLE "--appendonly yes --appendfsync always --save '' "

static char url[512];

/* ---- who may ------------------------------------------------------------------------------- */

static void test_password_and_database(void **state)
{
    uint16_t port = rig_redis("--port %u --requirepass the-password " DURABLE, NULL);
    struct store_options o = rig_options(url);
    struct store *s;

    (void)state;
    snprintf(url, sizeof(url), "redis://:the%%2Dpassword@127.0.0.1:%u/5", port);
    s = rig_open(&o);
    rig_way_of_a_job(s, 100);
    store_free(s);
    rig_cli(port, "-a the-password -n 5", "exists {t}:count", "1");
    rig_cli(port, "-a the-password -n 0", "dbsize", "0");
}

static void test_user_with_just_enough_rights(void **state)
{
    uint16_t port = rig_redis("--port %u " DURABLE, NULL);
    struct store_options o = rig_options(url);
    struct store *s;

    (void)state;
    rig_cli(port, "",
            "\"acl\" setuser execd "
            "on '>pass' '~{t}*' '&{t}:*' -@all +@read +@write +@pubsub "
            "+@scripting +@connection +@fast +info '+config|get'",
            "OK");
    rig_cli(port, "", "acl setuser default off", "OK");
    snprintf(url, sizeof(url), "redis://execd@127.0.0.1:%u", port);
    o.password = "pass";
    s = rig_open(&o);
    rig_way_of_a_job(s, 100);
    store_free(s);
}

/* It goes on trying, and says why it is in vain. */
static void test_wrong_password(void **state)
{
    uint16_t port = rig_redis("--port %u --requirepass right " DURABLE, NULL);
    struct store_options o = rig_options(url);
    struct err err = {0};
    struct store *s;

    (void)state;
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", port);
    o.password = "wrong";
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    rig_run_ms(500);
    assert_false(store_connected(s));
    assert_non_null(strstr(store_trouble(s), "WRONGPASS"));
    rig_cli(port, "-a right", "config set requirepass wrong", "OK");
    rig_connected(s, true);
    assert_string_equal(store_trouble(s), "");
    store_free(s);
}

/* ---- TLS ------------------------------------------------------------------------------------- */

static void shell(const char *fmt, ...) PRINTF(1, 2);
static void shell(const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    assert_int_equal(system(text), 0);
}

/* NAME.ca signs NAME.crt, which is for 127.0.0.1 and redis.example. */
static void make_certificates(const char *name)
{
    shell("cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "
          "/CN=ca-%s "
          "-keyout %s.cakey -out %s.ca 2>/dev/null",
          rig_dir, name, name, name);
    shell("cd %s && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=server "
          "-keyout %s.key -out %s.csr 2>/dev/null && "
          "printf 'subjectAltName=IP:127.0.0.1,DNS:redis.example' > %s.ext && openssl x509 -req -in %s.csr "
          "-CA %s.ca -CAkey %s.cakey -days 2 -extfile %s.ext -out %s.crt 2>/dev/null",
          rig_dir, name, name, name, name, name, name, name, name);
}

static const char *file(const char *name)
{
    static char paths[8][128];
    static unsigned next;
    char *p = paths[next++ % COUNT_OF(paths)];

    snprintf(p, sizeof(paths[0]), "%s/%s", rig_dir, name);
    return p;
}

#define TLS_SERVER                                                                                           \
    "--port 0 --tls-port %u --tls-cert-file one.crt --tls-key-file one.key --tls-ca-cert-file "              \
    "one.ca " DURABLE

static void is_refused(const struct store_options *o, const char *why)
{
    struct err err = {0};
    struct store *s;

    assert_int_equal(store_open(loop, o, &s, &err), 0);
    rig_run_ms(500);
    assert_false(store_connected(s));
    if (strstr(store_trouble(s), why) == NULL)
        fail_msg("`%s` is not in `%s`", why, store_trouble(s));
    store_free(s);
}

static void test_tls(void **state)
{
    uint16_t port = rig_redis(TLS_SERVER "--tls-auth-clients no --requirepass p", NULL);
    struct store_options o = rig_options(url);
    struct store *s;

    (void)state;
    snprintf(url, sizeof(url), "rediss://:p@127.0.0.1:%u/1", port);
    o.tls_ca = file("one.ca");
    s = rig_open(&o);
    rig_way_of_a_job(s, 100);
    store_free(s);
    o.tls_name = "redis.example";
    s = rig_open(&o);
    for (int i = 0; i < 3; i++) /* more than any buffer on the way holds */
        rig_way_of_a_job(s, 5u << 20);
    store_free(s);
    o.tls_name = "other.example";
    is_refused(&o, "ostname mismatch");
    o.tls_name = NULL;
    o.tls_ca = file("two.ca");
    is_refused(&o, "certificate");
    o.tls_ca = NULL;
    is_refused(&o, "certificate");
    snprintf(url, sizeof(url), "redis://:p@127.0.0.1:%u/1", port); /* in clear */
    is_refused(&o, "");
}

static void test_tls_of_both_sides(void **state)
{
    uint16_t port = rig_redis(TLS_SERVER "--tls-auth-clients yes", NULL);
    struct store_options o = rig_options(url);
    struct store *s;

    (void)state;
    snprintf(url, sizeof(url), "rediss://127.0.0.1:%u", port);
    o.tls_ca = file("one.ca");
    is_refused(&o, "");
    o.tls_cert = file("one.crt");
    o.tls_key = file("one.key");
    s = rig_open(&o);
    rig_way_of_a_job(s, 100);
    store_free(s);
}

static void test_tls_server_that_dies(void **state)
{
    pid_t pid;
    uint16_t port = rig_redis(TLS_SERVER "--tls-auth-clients no", &pid);
    struct store_options o = rig_options(url);
    struct store *s;
    struct answer a;

    (void)state;
    snprintf(url, sizeof(url), "rediss://127.0.0.1:%u", port);
    o.tls_ca = file("one.ca");
    s = rig_open(&o);
    rig_end(pid, SIGKILL);
    rig_connected(s, false);
    ASK(a, store_ping(s, on_done, &a));
    assert_int_equal(a.err.code, ERR_AGAIN);
    store_free(s);
}

static void test_tls_files_are_read_at_once(void **state)
{
    struct store_options o = rig_options("rediss://h");
    struct err err = {0};
    struct store *s;

    (void)state;
    o.tls_ca = file("nothing");
    assert_int_equal(store_open(loop, &o, &s, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "queue.tls_ca"));
    o.tls_ca = file("one.ca");
    o.tls_cert = file("one.key");
    assert_int_equal(store_open(loop, &o, &s, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "queue.tls_cert"));
    o.tls_cert = file("one.crt");
    o.tls_key = file("two.key");
    assert_int_equal(store_open(loop, &o, &s, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "queue.tls_key"));
    o.tls_cert = NULL;
    assert_int_equal(store_open(loop, &o, &s, &err), ERR_CONFIG);
    assert_non_null(strstr(err.text, "queue.tls_cert"));
}

static int setup(void **state)
{
    if (rig_setup(state) != 0)
        return -1;
    make_certificates("one");
    make_certificates("two");
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_password_and_database, rig_after_each),
        cmocka_unit_test_teardown(test_user_with_just_enough_rights, rig_after_each),
        cmocka_unit_test_teardown(test_wrong_password, rig_after_each),
        cmocka_unit_test_teardown(test_tls, rig_after_each),
        cmocka_unit_test_teardown(test_tls_of_both_sides, rig_after_each),
        cmocka_unit_test_teardown(test_tls_server_that_dies, rig_after_each),
        cmocka_unit_test_teardown(test_tls_files_are_read_at_once, rig_after_each),
    };

    return cmocka_run_group_tests(tests, setup, rig_teardown);
}
