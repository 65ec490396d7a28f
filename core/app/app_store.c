/* app_store.c - the store as the configuration describes it, and what its Redis can keep of the promises. */
#include "app.h"

#include <fcntl.h>
#include <unistd.h>

#include "hook/hook.h"

#define SOCKET_PATH_MAX 107 /* bytes, of a unix socket's address */

int app_queue_accept(const struct conf *conf, uint32_t *ret_bits, struct err *reterr)
{
    *ret_bits = 0;
    for (size_t i = 0; i < conf->queue_accept_count; i++)
        if (store_accept_find(conf->queue_accept[i], ret_bits) != 0)
            return err_set(
                reterr, ERR_CONFIG,
                "queue.accept_missing: `%.40s` is none of what Redis may lack; these are: persistence "
                "eviction",
                conf->queue_accept[i]);
    return 0;
}

int app_store_folder(const char *url)
{
    CLEAN_FREE char *path = strncmp(url, "unix:/", 6) == 0 ? mem_dup(url + 5) : NULL;

    if (path == NULL)
        return -1;
    path[strcspn(path, "?")] = '\0';
    *strrchr(path, '/') = '\0';
    return open(path[0] == '\0' ? "/" : path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* By its name it is found again where the folder is made anew, as a supervisor does at a server's restart; by
 * the descriptor it is reached where the name does not lead there. */
char *app_store_url(const char *url, int folder_fd)
{
    CLEAN_FREE char *folder = folder_fd < 0 ? NULL : mem_dup(url + 5);
    size_t length, at;

    if (folder == NULL)
        return mem_dup(url);
    length = strcspn(folder, "?");
    folder[length] = '\0';
    at = (size_t)(strrchr(folder, '/') + 1 - folder);
    folder[at] = '\0';
    if (length <= SOCKET_PATH_MAX && (access(folder, X_OK) == 0 || errno != EACCES))
        return mem_dup(url);
    return mem_printf("unix:/proc/self/fd/%d/%s", folder_fd, url + 5 + at);
}

static const char *said(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

int app_store_open(struct loop *loop, const struct conf *c, const char *url, struct store **ret,
                   struct err *reterr)
{
    struct store_options so = {.url = url,
                               .password = c->queue_password,
                               .sentinel_password = c->sentinel_password,
                               .tls_ca = said(c->tls_ca),
                               .tls_cert = said(c->tls_cert),
                               .tls_key = said(c->tls_key),
                               .tls_name = said(c->tls_name),
                               .prefix = c->queue_prefix,
                               .shards = (uint32_t)c->queue_shards,
                               .lease_ms = c->lease_ms,
                               .max_attempts = (uint32_t)c->max_attempts,
                               .result_ttl_ms = c->result_ttl_ms,
                               .hook_ttl_ms = hook_horizon_ms(c),
                               .queue_max_jobs = c->queue_max_jobs,
                               .queue_max_bytes = c->queue_max_bytes,
                               .queue_max_wait_ms = c->queue_max_wait_ms,
                               .dead_max = c->dead_max,
                               .dead_max_bytes = c->dead_max_bytes,
                               .dead_ttl_ms = c->dead_ttl_ms,
                               .answer_ms = c->answer_ms,
                               .unanswered_max = c->buffers_max};
    int rc = app_queue_accept(c, &so.accept_missing, reterr);

    return rc != 0 ? rc : store_open(loop, &so, ret, reterr);
}

int app_store_judge(const struct store *s, struct err *reterr)
{
    const struct store_facts *f = store_facts(s);
    const struct store_finding *no;

    if (f == NULL)
        return 0;
    for (unsigned i = 0; i < STORE_CHECK_COUNT; i++)
        if (f->findings[i].grade != STORE_GOOD)
            LOG_WARN("redis_promises_less", F_STR("what", f->findings[i].name),
                     F_STR("detail", f->findings[i].text));
    if ((no = store_facts_refused(f)) == NULL)
        return 0;
    if (strcmp(no->name, "version") == 0)
        return err_set(reterr, ERR_CONFIG, "this Redis (queue.url) cannot be used: %s", no->text);
    return err_set(reterr, ERR_CONFIG,
                   "this Redis (queue.url) does not keep what is accepted: %s; change that, or accept it by "
                   "queue.accept_missing = ( \"%s\" )",
                   no->text, no->name);
}
