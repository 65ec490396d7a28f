/* store_sentinel_test.c - real sentinels, a master and a replica: found, and followed through a fail-over. */
#include "store_rig.h"

#define SENTINELS 3
#define SETUP "--appendonly yes --appendfsync always --requirepass p --masterauth p "

static uint16_t master, replica, sentinels[SENTINELS];
static pid_t master_pid;
static char url[512];

static pid_t start_sentinel(size_t i, const char *password)
{
    char path[128];

    for (int n = 0; n < 20; n++) {
        CLEAN_FREE char *command = NULL;
        pid_t pid;
        FILE *f;

        sentinels[i] = rig_free_port();
        snprintf(path, sizeof(path), "%s/sentinel%zu.conf", rig_dir, i);
        f = fopen(path, "we");
        assert_non_null(f);
        fprintf(f,
                "port %u\nbind 127.0.0.1\nsentinel monitor jobs 127.0.0.1 %u 2\nsentinel auth-pass jobs p\n"
                "sentinel down-after-milliseconds jobs 1000\nsentinel failover-timeout jobs 5000\n%s%s\n",
                sentinels[i], master, password != NULL ? "requirepass " : "",
                password != NULL ? password : "");
        fclose(f);
        command = mem_printf("redis-server %s --sentinel", path);
        if (rig_try(command, "+monitor", &pid))
            return rig_keep(pid);
    }
    fail_msg("redis-sentinel does not start");
    return 0;
}

/* Of one sentinel, until `field` of the master is what is wanted. */
static void until_sentinel_says(size_t i, const char *auth, const char *field, const char *wanted)
{
    CLEAN_FREE char *command = mem_printf(
        "redis-cli --no-auth-warning -p %u %s sentinel master jobs 2>&1 | grep -A1 '^%s$' | tail -n 1",
        sentinels[i], auth, field);

    for (int n = 0; n < RIG_PATIENCE_MS / 100; n++) {
        char line[64] = "";
        FILE *f = popen(command, "r");

        if (fgets(line, sizeof(line), f) == NULL)
            line[0] = '\0';
        pclose(f);
        line[strcspn(line, "\n")] = '\0';
        if (strcmp(line, wanted) == 0)
            return;
        rig_run_ms(100);
    }
    fail_msg("sentinel %zu does not say that %s is %s", i, field, wanted);
}

static void start_all(const char *password, const char *auth)
{
    CLEAN_FREE char *args = NULL;

    master = rig_redis("--port %u " SETUP, &master_pid);
    args = mem_printf("--port %%u " SETUP "--replicaof 127.0.0.1 %u", master);
    replica = rig_redis(args, NULL);
    for (size_t i = 0; i < SENTINELS; i++)
        start_sentinel(i, password);
    for (size_t i = 0; i < SENTINELS; i++) {
        until_sentinel_says(i, auth, "num-slaves", "1");
        until_sentinel_says(i, auth, "num-other-sentinels", "2");
    }
}

static struct job *submit(struct store *s)
{
    struct job *job = rig_job(10, NULL);

    assert_int_equal(rig_submit(s, job), 0);
    return job;
}

/* Until the replica has what its master has: a fail-over loses nothing then. */
static void until_replicated(const struct job *job)
{
    CLEAN_FREE char *words = mem_printf("exists {t}:job:%s", job->token);
    CLEAN_FREE char *command =
        mem_printf("redis-cli --no-auth-warning -a p -p %u %s 2>&1 | grep -q 1", replica, words);

    for (int n = 0; system(command) != 0; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        rig_run_ms(20);
    }
}

static void test_failover_is_followed(void **state)
{
    struct store_options o = rig_options(url);
    struct job *before, *after;
    struct store *s;
    struct answer a;

    (void)state;
    start_all(NULL, "");
    /* the first of them is not there at all */
    snprintf(url, sizeof(url), "sentinel://:p@127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u,127.0.0.1:%u/jobs/0",
             rig_free_port(), sentinels[0], sentinels[1], sentinels[2]);
    s = rig_open(&o);
    assert_int_equal(s->seats[0].shard->command.target.port, master);
    rig_way_of_a_job(s, 100);
    before = submit(s);
    until_replicated(before);
    rig_end(master_pid, SIGKILL);
    rig_connected(s, false);
    rig_connected(s, true);
    assert_int_equal(s->seats[0].shard->command.target.port, replica);
    rig_is(s, before->token, JOB_QUEUED);
    after = submit(s);
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.count, 2);
    for (size_t i = 0; i < a.count; i++) {
        assert_int_equal(rig_finish(s, a.claims[i].job->token, a.claims[i].epoch), 0);
        job_free(a.claims[i].job);
    }
    store_free(s);
    job_free(before);
    job_free(after);
}

/* The master lives, and is deposed: the connection to it ends, and the new one is found. */
static void test_deposed_master_is_left(void **state)
{
    struct store_options o = rig_options(url);
    struct job *job, *after = rig_job(10, NULL);
    struct store *s;

    (void)state;
    start_all("q", "-a q");
    snprintf(url, sizeof(url), "sentinel://:p@127.0.0.1:%u,127.0.0.1:%u/jobs", sentinels[0], sentinels[1]);
    o.sentinel_password = "q";
    s = rig_open(&o);
    job = submit(s);
    until_replicated(job);
    rig_cli(sentinels[0], "-a q", "sentinel failover jobs", "OK");
    while (!store_connected(s) || s->seats[0].shard->command.target.port != replica)
        rig_run_ms(20);
    while (rig_submit(s, after) != 0) /* sentinels may cut its clients once more */
        rig_run_ms(20);
    rig_is(s, job->token, JOB_QUEUED);
    rig_is(s, after->token, JOB_QUEUED);
    store_free(s);
    job_free(job);
    job_free(after);
}

/* One connection is at another server than the other: the older one follows, whichever that is. */
static void test_both_are_at_one_server(void **state)
{
    struct store_options o = rig_options(url);
    uint16_t ports[3];
    struct store *s;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ports); i++)
        ports[i] = rig_redis("--port %u --appendonly yes --appendfsync always ", NULL);
    snprintf(url, sizeof(url), "redis://127.0.0.1:%u", ports[0]);
    s = rig_open(&o);
    for (size_t i = 1; i < COUNT_OF(ports); i++) { /* as if sentinels named another */
        s->seats[0].shard->address.nodes[0].port = ports[i];
        store_link_drop(i == 1 ? &s->seats[0].shard->command : &s->seats[0].shard->subscription, "a test");
        rig_connected(s, true);
        assert_int_equal(s->seats[0].shard->command.target.port, ports[i]);
        assert_int_equal(s->seats[0].shard->subscription.target.port, ports[i]);
    }
    rig_way_of_a_job(s, 100);
    store_free(s);
}

static void test_unknown_name(void **state)
{
    struct store_options o = rig_options(url);
    struct err err = {0};
    struct store *s;

    (void)state;
    start_all(NULL, "");
    snprintf(url, sizeof(url), "sentinel://127.0.0.1:%u/others", sentinels[0]);
    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    while (strstr(store_trouble(s), "knows no master") == NULL)
        rig_run_ms(20);
    assert_false(store_connected(s));
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_failover_is_followed, rig_after_each),
        cmocka_unit_test_teardown(test_deposed_master_is_left, rig_after_each),
        cmocka_unit_test_teardown(test_both_are_at_one_server, rig_after_each),
        cmocka_unit_test_teardown(test_unknown_name, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
