/* store_facts.c - what this Redis is, and which promises it can keep.
 *
 * Asked with every connection, before anything else is: a fail-over may lead to a server that is set up in
 * another way than the one before.  A replica is left at once.  What is asked needs +info and +config|get of
 * an ACL's user; what is refused is not known, and said so. */
#include <inttypes.h>

#include "store_internal.h"

#define VERSION_MIN 60000 /* 6.0.0: scripts that ask the time before they write, users with rights */

static const char *const check_names[STORE_CHECK_COUNT] = {"version", "persistence", "fsync", "eviction"};

int store_accept_find(const char *name, uint32_t *bits)
{
    static const enum store_check may_lack[] = {STORE_CHECK_PERSISTENCE, STORE_CHECK_EVICTION};

    for (size_t i = 0; i < COUNT_OF(may_lack); i++)
        if (strcmp(name, check_names[may_lack[i]]) == 0) {
            *bits |= UINT32_C(1) << may_lack[i];
            return 0;
        }
    return -1;
}

/* ---- reading --------------------------------------------------------------------------- */

/* The value of `name` in what INFO answers, lines of name:value; "" if there is none. */
static void info_value(const char *info, const char *name, char *ret, size_t size)
{
    size_t len = strlen(name);

    ret[0] = '\0';
    for (const char *line = info; line != NULL && *line != '\0';) {
        if (strncmp(line, name, len) == 0 && line[len] == ':') {
            snprintf(ret, size, "%.*s", (int)strcspn(line + len + 1, "\r\n"), line + len + 1);
            return;
        }
        line = strchr(line, '\n');
        line += line != NULL;
    }
}

static uint64_t info_u64(const char *info, const char *name)
{
    char text[32];
    uint64_t n = 0;

    info_value(info, name, text, sizeof(text));
    return num_u64(text, 0, UINT64_MAX, &n) == 0 ? n : 0;
}

/* "7.0.15" as 70015; 0 if it is none. */
static unsigned version_number(const char *text)
{
    unsigned a = 0, b = 0, c = 0;

    return sscanf(text, "%3u.%2u.%2u", &a, &b, &c) >= 2 ? a * 10000 + b * 100 + c : 0;
}

/* ---- judging ----------------------------------------------------------------------------- */

static void find(struct store_facts *f, enum store_check check, enum store_grade grade, const char *fmt, ...)
    PRINTF(4, 5);
static void find(struct store_facts *f, enum store_check check, enum store_grade grade, const char *fmt, ...)
{
    struct store_finding *to = &f->findings[check];
    va_list ap;

    to->name = check_names[check];
    to->grade = grade;
    va_start(ap, fmt);
    vsnprintf(to->text, sizeof(to->text), fmt, ap);
    va_end(ap);
}

static void judge_version(struct store_facts *f, const char *info)
{
    char text[sizeof(f->version)];
    unsigned n;

    info_value(info, "redis_version", text, sizeof(text));
    memcpy(f->version, text, sizeof(text));
    n = version_number(text);
    if (n == 0)
        find(f, STORE_CHECK_VERSION, STORE_UNTOLD, "INFO is refused, or tells no version");
    else if (n < VERSION_MIN)
        find(f, STORE_CHECK_VERSION, STORE_BROKEN, "Redis %s; execd needs 6.0 or newer", text);
    else
        find(f, STORE_CHECK_VERSION, STORE_GOOD, "Redis %s", text);
}

static bool judge_persistence(struct store_facts *f, const struct store_told *t)
{
    char aof[8];

    info_value(t->info, "aof_enabled", aof, sizeof(aof));
    if (strcmp(aof, "1") == 0)
        find(f, STORE_CHECK_PERSISTENCE, STORE_GOOD, "append-only file");
    else if (aof[0] == '\0')
        find(f, STORE_CHECK_PERSISTENCE, STORE_UNTOLD, "INFO is refused, or tells nothing of it");
    else if (t->save[0] != '\0')
        find(f, STORE_CHECK_PERSISTENCE, STORE_BROKEN,
             "snapshots only (appendonly no): what was accepted since the last one dies with Redis");
    else
        find(f, STORE_CHECK_PERSISTENCE, STORE_BROKEN,
             "no append-only file (appendonly no): every accepted job dies with Redis");
    return strcmp(aof, "1") == 0;
}

static void judge_fsync(struct store_facts *f, const struct store_told *t, bool aof)
{
    if (!aof)
        find(f, STORE_CHECK_FSYNC, STORE_GOOD, "of no matter without an append-only file");
    else if (t->appendfsync[0] == '\0')
        find(f, STORE_CHECK_FSYNC, STORE_UNTOLD,
             "CONFIG GET is refused: whether a power cut loses accepted jobs is not known");
    else if (strcmp(t->appendfsync, "always") != 0)
        find(f, STORE_CHECK_FSYNC, STORE_WEAKER,
             "appendfsync %s: a power cut of its machine loses the jobs accepted in the last %s",
             t->appendfsync, strcmp(t->appendfsync, "everysec") == 0 ? "2 s" : "half a minute");
    else if (strcmp(t->no_fsync_on_rewrite, "yes") == 0)
        find(f, STORE_CHECK_FSYNC, STORE_WEAKER,
             "no-appendfsync-on-rewrite yes: a power cut during a rewrite loses what was accepted in it");
    else
        find(f, STORE_CHECK_FSYNC, STORE_GOOD, "appendfsync always");
}

static void judge_eviction(struct store_facts *f, const struct store_told *t)
{
    uint64_t max = info_u64(t->info, "maxmemory");
    char policy[32];

    info_value(t->info, "maxmemory_policy", policy, sizeof(policy));
    if (policy[0] == '\0')
        find(f, STORE_CHECK_EVICTION, STORE_UNTOLD, "INFO is refused, or tells nothing of it");
    else if (strcmp(policy, "noeviction") == 0)
        find(f, STORE_CHECK_EVICTION, STORE_GOOD, "noeviction");
    else if (max == 0)
        find(f, STORE_CHECK_EVICTION, STORE_WEAKER,
             "maxmemory-policy %s would throw away jobs if maxmemory were set; noeviction would not", policy);
    else
        find(f, STORE_CHECK_EVICTION, STORE_BROKEN,
             "maxmemory-policy %s throws away jobs and results beyond %" PRIu64
             " bytes; execd needs noeviction",
             policy, max);
}

void store_facts_judge(const struct store_told *t, uint32_t accept, struct store_facts *ret)
{
    *ret = (struct store_facts){0};
    judge_version(ret, t->info);
    judge_fsync(ret, t, judge_persistence(ret, t));
    judge_eviction(ret, t);
    for (unsigned i = 0; i < STORE_CHECK_COUNT; i++)
        ret->findings[i].accepted = (accept & UINT32_C(1) << i) != 0;
}

const struct store_finding *store_facts_refused(const struct store_facts *f)
{
    for (unsigned i = 0; i < STORE_CHECK_COUNT; i++)
        if (f->findings[i].grade == STORE_BROKEN && !f->findings[i].accepted)
            return &f->findings[i];
    return NULL;
}

const struct store_facts *shard_facts(const struct shard *s)
{
    return s->facts.findings[0].name == NULL ? NULL : &s->facts;
}

/* ---- asking ---------------------------------------------------------------------------------- */

static void told_done(struct store_told *t)
{
    free(t->info);
    *t = (struct store_told){0};
}

void store_facts_server(struct store_link *l, const char *info)
{
    info_value(info, "run_id", l->server, sizeof(l->server));
}

static void on_info(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    const redisReply *r = reply;
    char role[16];

    if (l->ac != ac || r == NULL)
        return;
    told_done(&l->shard->told);
    if (r->type != REDIS_REPLY_STRING && r->type != REDIS_REPLY_ERROR)
        return;
    l->shard->told.info = mem_dup(r->type == REDIS_REPLY_STRING ? r->str : "");
    store_facts_server(l, l->shard->told.info);
    info_value(l->shard->told.info, "role", role, sizeof(role));
    if (strcmp(role, "slave") == 0)
        store_link_drop(l, "it is a replica, which takes no writes");
    else if (info_u64(l->shard->told.info, "cluster_enabled") == 1 && !l->shard->address.cluster)
        store_link_drop(l,
                        "it is a node of a Redis Cluster: queue.url = \"cluster://HOST:PORT\" is for these");
}

/* {"appendfsync", "always"} */
static void take_setting(const redisReply *r, char *ret, size_t size)
{
    if (r->type == REDIS_REPLY_ARRAY && r->elements == 2 && r->element[1]->type == REDIS_REPLY_STRING)
        snprintf(ret, size, "%s", r->element[1]->str);
}

static void on_fsync(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;

    if (l->ac == ac && reply != NULL)
        take_setting(reply, l->shard->told.appendfsync, sizeof(l->shard->told.appendfsync));
}

static void on_rewrite(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;

    if (l->ac == ac && reply != NULL)
        take_setting(reply, l->shard->told.no_fsync_on_rewrite, sizeof(l->shard->told.no_fsync_on_rewrite));
}

static void on_save(redisAsyncContext *ac, void *reply, void *arg)
{
    struct store_link *l = arg;
    struct shard *s = l->shard;

    if (l->ac != ac || reply == NULL)
        return;
    take_setting(reply, s->told.save, sizeof(s->told.save));
    store_facts_judge(&s->told, s->o.accept_missing, &s->facts);
    told_done(&s->told);
}

void store_facts_ask(struct store_link *l)
{
    redisAsyncCommand(l->ac, on_info, l, "INFO");
    redisAsyncCommand(l->ac, on_fsync, l, "CONFIG GET appendfsync");
    redisAsyncCommand(l->ac, on_rewrite, l, "CONFIG GET no-appendfsync-on-rewrite");
    redisAsyncCommand(l->ac, on_save, l, "CONFIG GET save");
}

void store_facts_done(struct shard *s)
{
    told_done(&s->told);
}
