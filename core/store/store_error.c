/* store_error.c - what an error of Redis means for who asked.
 *
 * Errors begin with a word.  None of those that tell of Redis' own state is ever a job's fault or a client's:
 * a submission is answered with 503, and workers keep what they have and ask again.  What the operator has to
 * change (rights, disk, memory) is logged, once a minute at most.  Redis 6 puts its own words before those of
 * a command that failed inside of a script, and Redis 7 after them. */
#include "log/log.h"
#include "store_internal.h"

#define SAY_AGAIN_MS 60000

static const struct {
    const char *word;
    enum store_after after;
    bool operators; /* it does not pass by itself */
} classes[] = {
    {"LOADING", STORE_AFTER_NOTHING, false},   /* it reads its file after a start */
    {"BUSY", STORE_AFTER_NOTHING, false},      /* somebody's script runs on and on */
    {"TRYAGAIN", STORE_AFTER_LEAVE, false},    /* a slot of a cluster is on its way */
    {"CLUSTERDOWN", STORE_AFTER_LEAVE, false}, /* or has no master */
    {"MASTERDOWN", STORE_AFTER_LEAVE, false},  /* a replica that has lost its master */
    {"READONLY", STORE_AFTER_LEAVE, false},    /* a replica: a fail-over went past us */
    {"NOSCRIPT", STORE_AFTER_LEAVE, false},    /* flushed; they are loaded with the next connection */
    {"NOAUTH", STORE_AFTER_LEAVE, true},       /* a password was set meanwhile */
    {"WRONGPASS", STORE_AFTER_LEAVE, true},
    {"MOVED", STORE_AFTER_LEAVE, false}, /* store_cluster.c */
    {"ASK", STORE_AFTER_LEAVE, false},
    {"NOPERM", STORE_AFTER_NOTHING, true},     /* the ACL's user may not */
    {"MISCONF", STORE_AFTER_NOTHING, true},    /* it cannot write its file: the disk is full, or broken */
    {"NOREPLICAS", STORE_AFTER_NOTHING, true}, /* fewer than min-replicas-to-write */
    {"OOM", STORE_AFTER_NOTHING, true},        /* maxmemory is reached */
};

/* Is `word` the first of the text, or of an error that the text tells of? */
static bool tells(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (const char *at = strstr(text, word); at != NULL; at = strstr(at + 1, word)) {
        bool begins = at == text || (at[-1] == '-' && (at - 1 == text || at[-2] == ' '));

        if (begins && (at[len] == ' ' || at[len] == '\0'))
            return true;
    }
    return false;
}

static enum store_after by_class(struct shard *s, const char *text, bool clients, struct err *ret)
{
    for (size_t i = 0; i < COUNT_OF(classes); i++) {
        if (!tells(text, classes[i].word))
            continue;
        if (classes[i].operators)
            store_error_say(s, classes[i].word, text);
        if (clients && strcmp(classes[i].word, "OOM") == 0)
            err_set(ret, ERR_FULL, "Redis is out of memory");
        else
            err_set(ret, ERR_AGAIN, "Redis cannot answer now: %.120s", text);
        return classes[i].after;
    }
    if (strstr(text, "Script killed by user") != NULL)
        err_set(ret, ERR_AGAIN, "somebody has ended the script (SCRIPT KILL)");
    else
        err_set(ret, ERR_INTERNAL, "Redis: %.200s", text);
    return STORE_AFTER_NOTHING;
}

enum store_after store_error_judge(struct shard *s, const char *text, bool clients, struct err *ret)
{
    if (strncmp(text, "FULL jobs", 9) == 0)
        err_set(ret, ERR_FULL, "the queue holds as many jobs as queue.max_jobs allows");
    else if (strncmp(text, "FULL bytes", 10) == 0)
        err_set(ret, ERR_FULL, "the queue holds as many bytes as queue.max_bytes allows");
    else if (strncmp(text, "NOTFOUND ", 9) == 0)
        err_set(ret, ERR_NOT_FOUND, "%s", text + 9);
    else if (strncmp(text, "CONFLICT ", 9) == 0)
        err_set(ret, ERR_CONFLICT, "%s", text + 9);
    else
        return by_class(s, text, clients, ret);
    return STORE_AFTER_NOTHING;
}

void store_error_say(struct shard *s, const char *word, const char *text)
{
    uint64_t now = loop_now_ms(s->loop);

    if (s->said == word && now - s->said_ms < SAY_AGAIN_MS)
        return;
    s->said = word;
    s->said_ms = now;
    LOG_ERROR("redis_refuses", F_STR("reason", text),
              F_STR("hint", "jobs wait and results are kept until that is changed"));
}
