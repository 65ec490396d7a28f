/* store_cluster_test.c - a Redis Cluster of three masters: shards find theirs, follow their slot when it
 * moves, touch nothing while it does, and go on with the replica of a master that dies. */
#include "store_rig.h"

#define MASTERS 3
#define SHARDS 6
#define NODE_TIMEOUT_MS 2000

struct node {
    uint16_t port, bus;
    pid_t pid;
    char id[48];
};
static struct node nodes[2 * MASTERS];
static char url[256];

/* ---- the cluster ------------------------------------------------------------------------------ */

/* The first line of what a node answers. */
static void ask_node(const struct node *n, char *ret, size_t size, const char *words)
{
    CLEAN_FREE char *command = mem_printf("redis-cli -p %u %s 2>&1", n->port, words);
    FILE *f = popen(command, "r");

    ret[0] = '\0';
    if (fgets(ret, (int)size, f) == NULL)
        ret[0] = '\0';
    pclose(f);
    ret[strcspn(ret, "\r\n")] = '\0';
}

static void start_node(struct node *n)
{
    CLEAN_FREE char *args = NULL;

    n->bus = rig_free_port();
    args = mem_printf("--port %%u --cluster-enabled yes --cluster-port %u --cluster-config-file nodes%u.conf "
                      "--cluster-node-timeout %d --appendonly yes --appendfsync always --save ''",
                      n->bus, n->bus, NODE_TIMEOUT_MS);
    n->port = rig_redis(args, &n->pid);
    ask_node(n, n->id, sizeof(n->id), "cluster myid");
    assert_int_equal(strlen(n->id), 40);
}

static void until_node_says(const struct node *n, const char *words, const char *wanted)
{
    CLEAN_FREE char *command =
        mem_printf("redis-cli -p %u %s 2>&1 | tr -d '\\r' | grep -q '%s'", n->port, words, wanted);

    for (int i = 0; system(command) != 0; i++) {
        if (i == RIG_PATIENCE_MS / 50)
            fail_msg("node %u does not say `%s`", n->port, wanted);
        rig_run_ms(50);
    }
}

/* As `redis-cli --cluster create` does it. */
static void start_cluster(size_t count)
{
    for (size_t i = 0; i < count; i++)
        start_node(&nodes[i]);
    for (unsigned i = 0; i < MASTERS; i++) {
        CLEAN_FREE char *slots = mem_printf("cluster addslotsrange %u %u", i * STORE_SLOTS / MASTERS,
                                            (i + 1) * STORE_SLOTS / MASTERS - 1);

        rig_cli(nodes[i].port, "", slots, "OK");
    }
    for (size_t i = 1; i < count; i++) {
        CLEAN_FREE char *epoch = mem_printf("cluster set-config-epoch %zu", i + 1);
        CLEAN_FREE char *meet = mem_printf("cluster meet 127.0.0.1 %u %u", nodes[0].port, nodes[0].bus);

        rig_cli(nodes[i].port, "", epoch, "OK");
        rig_cli(nodes[i].port, "", meet, "OK");
    }
    for (size_t i = 0; i < count; i++) {
        CLEAN_FREE char *known = mem_printf("cluster_known_nodes:%zu", count);

        until_node_says(&nodes[i], "cluster info", known);
        until_node_says(&nodes[i], "cluster info", "cluster_state:ok");
    }
    for (size_t i = MASTERS; i < count; i++) {
        CLEAN_FREE char *follow = mem_printf("cluster replicate %s", nodes[i - MASTERS].id);

        rig_cli(nodes[i].port, "", follow, "OK");
    }
    for (size_t i = MASTERS; i < count; i++)
        until_node_says(&nodes[i], "info replication", "master_link_status:up");
    snprintf(url, sizeof(url), "cluster://127.0.0.1:%u", nodes[1].port); /* one is enough */
}

static struct store_options options(uint32_t shards)
{
    struct store_options o = rig_options(url);

    o.shards = shards;
    return o;
}

static unsigned master_of(unsigned slot)
{
    return slot * MASTERS / STORE_SLOTS;
}

/* ---- finding ------------------------------------------------------------------------------------ */

static void test_shards_are_on_all_masters(void **state)
{
    struct store_options o = options(SHARDS);
    unsigned has[MASTERS] = {0};
    struct store *s;

    (void)state;
    start_cluster(MASTERS);
    s = rig_open(&o);
    for (unsigned i = 0; i < SHARDS; i++) {
        const struct shard *shard = s->seats[i].shard;

        assert_int_equal(shard->command.target.port, nodes[master_of(shard->slot)].port);
        assert_int_equal(shard->subscription.target.port, shard->command.target.port);
        has[master_of(shard->slot)]++;
    }
    for (unsigned i = 0; i < MASTERS; i++)
        assert_int_equal(has[i], SHARDS / MASTERS);
    assert_string_equal(store_facts(s)->findings[STORE_CHECK_FSYNC].text, "appendfsync always");
    for (int i = 0; i < 3 * SHARDS; i++)
        rig_way_of_a_job(s, 100);
    store_free(s);
}

/* What docs/deploy.md says that a user of the ACL needs is enough. */
static void test_user_with_just_enough_rights(void **state)
{
    struct store_options o = options(SHARDS);
    struct store *s;

    (void)state;
    start_cluster(MASTERS);
    for (unsigned i = 0; i < MASTERS; i++) {
        rig_cli(nodes[i].port, "",
                "\"acl\" setuser execd on '>pass' '~{t*' '&{t*' -@all +@read +@write +@pubsub "
                "+@scripting +@connection +@fast +info '+config|get' '+cluster|slots'",
                "OK");
        rig_cli(nodes[i].port, "", "acl setuser default off", "OK");
    }
    snprintf(url, sizeof(url), "cluster://execd@127.0.0.1:%u", nodes[2].port);
    o.password = "pass";
    s = rig_open(&o);
    for (int i = 0; i < 2 * SHARDS; i++)
        rig_way_of_a_job(s, 100);
    store_free(s);
}

static void refused(const char *where, const char *why)
{
    struct store_options o = rig_options(where);
    struct err err = {0};
    struct store *s;

    assert_int_equal(store_open(loop, &o, &s, &err), 0);
    for (int n = 0; strstr(store_trouble(s), why) == NULL; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        rig_run_ms(20);
    }
    assert_false(store_connected(s));
    store_free(s);
}

/* Each by its own name, and no other. */
static void test_what_is_no_cluster(void **state)
{
    char where[64];

    (void)state;
    snprintf(where, sizeof(where), "cluster://127.0.0.1:%u", rig_redis("--port %u --appendonly yes", NULL));
    refused(where, "cluster support disabled");
    start_node(&nodes[0]);
    snprintf(where, sizeof(where), "redis://127.0.0.1:%u", nodes[0].port);
    refused(where, "queue.url = \"cluster://");
    snprintf(where, sizeof(where), "cluster://127.0.0.1:%u", nodes[0].port);
    refused(where, "no master of the cluster has slot");
}

/* ---- a slot that moves ------------------------------------------------------------------------------ */

static struct node *move_from, *move_to;
static unsigned move_slot;

static void set_slot(const struct node *at, const char *state, const struct node *other)
{
    CLEAN_FREE char *words = mem_printf("cluster setslot %u %s %s", move_slot, state, other->id);

    rig_cli(at->port, "", words, "OK");
}

static void begin_move(unsigned slot)
{
    move_slot = slot;
    move_from = &nodes[master_of(slot)];
    move_to = &nodes[(master_of(slot) + 1) % MASTERS];
    set_slot(move_to, "importing", move_from);
    set_slot(move_from, "migrating", move_to);
}

/* At most so many of its keys. */
static void move_keys(size_t max)
{
    for (size_t i = 0; i < max; i++) {
        CLEAN_FREE char *list = mem_printf("cluster getkeysinslot %u 1", move_slot);
        CLEAN_FREE char *words = NULL;
        char key[256];

        ask_node(move_from, key, sizeof(key), list);
        if (key[0] == '\0')
            return;
        words = mem_printf("migrate 127.0.0.1 %u '%s' 0 10000", move_to->port, key);
        rig_cli(move_from->port, "", words, "OK");
    }
}

static void end_move(void)
{
    set_slot(move_to, "node", move_to);
    set_slot(move_from, "node", move_to);
    for (unsigned i = 0; i < MASTERS; i++)
        if (&nodes[i] != move_to && &nodes[i] != move_from)
            set_slot(&nodes[i], "node", move_to);
}

static size_t keys_at(const struct node *n)
{
    CLEAN_FREE char *words = mem_printf("cluster countkeysinslot %u", move_slot);
    char text[32];

    ask_node(n, text, sizeof(text), words);
    return strtoul(text, NULL, 10);
}

static void until_away(struct store *s, unsigned count)
{
    struct answer a;

    for (int n = 0; store_away(s) != count; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        ASK(a, store_reap(s, on_reap, &a)); /* as every role does each second */
        rig_run_ms(20);
    }
}

/* Jobs in every state are there when the slot has arrived; in between nothing is done by halves, whoever
 * asks, and the other shards go on. */
static void test_moving_slot(void **state)
{
    static const struct store_admission anybody = {.tenant = "tenant"};
    struct store_options o = options(SHARDS);
    struct job *queued, *running, *other;
    struct store *s, *late;
    struct err err = {0};
    struct answer a, b;
    size_t before;

    (void)state;
    start_cluster(MASTERS);
    s = rig_open(&o);
    queued = rig_job(10, NULL);
    running = rig_job(10, NULL);
    other = rig_job(10, NULL);
    store_token_place(running->token, 2, SHARDS);
    store_token_place(queued->token, 2, SHARDS);
    assert_int_equal(rig_submit(s, running), 0);
    assert_int_equal(rig_claim(s, &a), 0);
    assert_int_equal(a.count, 1);
    assert_int_equal(rig_submit(s, queued), 0);

    begin_move(s->seats[2].shard->slot);
    move_keys(4);
    before = keys_at(move_to);
    assert_int_equal(before, 4);
    assert_int_not_equal(keys_at(move_from), 0);
    until_away(s, 1);
    assert_true(store_connected(s));
    assert_int_equal(rig_finish(s, running->token, a.claims[0].epoch), ERR_AGAIN);
    assert_int_equal(store_open(loop, &o, &late, &err), 0); /* one that comes now must not begin, either */
    for (int i = 0; i < 2 * SHARDS; i++) {
        store_place(s, &anybody, &other, 1);
        assert_int_not_equal(store_token_shard(other->token, SHARDS), 2);
    }
    assert_int_equal(rig_submit(s, other), 0);
    rig_is(s, other->token, JOB_QUEUED);
    rig_run_ms(500);
    assert_false(store_connected(late));
    assert_int_equal(keys_at(move_to), before);

    move_keys(SIZE_MAX);
    assert_int_equal(keys_at(move_from), 0);
    end_move();
    until_away(s, 0);
    rig_connected(late, true);
    assert_int_equal(s->seats[2].shard->command.target.port, move_to->port);
    assert_int_equal(s->seats[2].shard->subscription.target.port, move_to->port);
    rig_is(s, queued->token, JOB_QUEUED);
    assert_int_equal(rig_finish(s, running->token, a.claims[0].epoch), 0);
    job_free(a.claims[0].job);
    for (size_t got = 0; got < 2; got += b.count) {
        assert_int_equal(rig_claim(late, &b), 0);
        for (size_t i = 0; i < b.count; i++)
            job_free(b.claims[i].job);
    }
    rig_is(s, running->token, JOB_COMPLETED);
    store_free(s);
    store_free(late);
    job_free(queued);
    job_free(running);
    job_free(other);
}

/* The connection for messages is cut, and comes up again. */
static void until_listening_again(struct shard *shard)
{
    rig_cli(move_from->port, "", "client kill type pubsub", "1");
    for (int n = 0; shard->subscription.up; n++) {
        assert_true(n < RIG_PATIENCE_MS / 5);
        rig_run_ms(5);
    }
    for (int n = 0; !shard->connected || shard->subscription.target.port != shard->command.target.port; n++) {
        assert_true(n < RIG_PATIENCE_MS / 20);
        rig_run_ms(20);
    }
}

/* It has moved while nobody asked: the old node tells where to, and a submission that met it there is made.
 */
static void test_moved_slot_is_followed(void **state)
{
    struct store_options o = options(1);
    struct job *job;
    struct store *s;

    (void)state;
    start_cluster(MASTERS);
    s = rig_open(&o);
    begin_move(s->seats[0].shard->slot);
    move_keys(SIZE_MAX);
    end_move();
    assert_true(store_connected(s));
    until_listening_again(s->seats[0].shard); /* where questions still go, whatever other nodes say */
    assert_int_equal(s->seats[0].shard->subscription.target.port, move_from->port);
    job = rig_job(10, NULL);
    assert_int_equal(rig_submit(s, job), 0);
    assert_int_equal(s->seats[0].shard->command.target.port, move_to->port);
    rig_is(s, job->token, JOB_QUEUED);
    store_free(s);
    job_free(job);
}

/* ---- fail-over -------------------------------------------------------------------------------------- */

/* A master dies: its shards go on at its replica with all that it had, and those of others never stop. */
static void test_failover_is_followed(void **state)
{
    struct store_options o = options(SHARDS);
    struct job *jobs[SHARDS];
    size_t finished = 0;
    unsigned dead;
    struct store *s;
    struct answer a;

    (void)state;
    start_cluster(2 * MASTERS);
    for (unsigned i = 0; i < 2 * MASTERS; i++)
        rig_cli(nodes[i].port, "", "config set cluster-require-full-coverage no", "OK");
    s = rig_open(&o);
    dead = 1; /* the one of the url */
    for (unsigned i = 0; i < SHARDS; i++) {
        jobs[i] = rig_job(10, NULL);
        store_token_place(jobs[i]->token, i, SHARDS);
        assert_int_equal(rig_submit(s, jobs[i]), 0);
    }
    rig_cli(nodes[dead].port, "", "wait 1 10000", "1"); /* a fail-over loses nothing then */
    rig_end(nodes[dead].pid, SIGKILL);
    until_away(s, SHARDS / MASTERS);
    for (unsigned i = 0; i < SHARDS; i++)
        if (master_of(s->seats[i].shard->slot) != dead)
            rig_is(s, jobs[i]->token, JOB_QUEUED);
    until_away(s, 0);
    for (unsigned i = 0; i < SHARDS; i++) {
        unsigned master = master_of(s->seats[i].shard->slot);

        assert_int_equal(s->seats[i].shard->command.target.port,
                         nodes[master == dead ? master + MASTERS : master].port);
        rig_is(s, jobs[i]->token, JOB_QUEUED);
    }
    while (finished < SHARDS) {
        assert_int_equal(rig_claim(s, &a), 0);
        for (size_t i = 0; i < a.count; i++, finished++) {
            assert_int_equal(rig_finish(s, a.claims[i].job->token, a.claims[i].epoch), 0);
            job_free(a.claims[i].job);
        }
    }
    for (unsigned i = 0; i < SHARDS; i++) {
        rig_is(s, jobs[i]->token, JOB_COMPLETED);
        job_free(jobs[i]);
    }
    store_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_shards_are_on_all_masters, rig_after_each),
        cmocka_unit_test_teardown(test_user_with_just_enough_rights, rig_after_each),
        cmocka_unit_test_teardown(test_what_is_no_cluster, rig_after_each),
        cmocka_unit_test_teardown(test_moving_slot, rig_after_each),
        cmocka_unit_test_teardown(test_moved_slot_is_followed, rig_after_each),
        cmocka_unit_test_teardown(test_failover_is_followed, rig_after_each),
    };

    return cmocka_run_group_tests(tests, rig_setup, rig_teardown);
}
