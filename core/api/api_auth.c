/* api_auth.c - keys: who asks, and what that key may see. */
#include "api_internal.h"

#include <strings.h>

/* Looks at every key whatever it finds, so that time tells nothing about them. */
static const struct conf_key *key_find(const struct conf *conf, const char *secret)
{
    const struct conf_key *found = NULL;
    size_t len = strlen(secret);

    for (size_t i = 0; i < conf->key_count; i++) {
        const char *key = conf->keys[i].key;

        if (equal_secret(key, strlen(key), secret, len) && found == NULL)
            found = &conf->keys[i];
    }
    return found;
}

/* The credential of `Authorization: Bearer X`, or NULL. */
static const char *bearer(const char *header)
{
    if (header == NULL || strncasecmp(header, "Bearer ", 7) != 0)
        return NULL;
    return header + 7 + strspn(header + 7, " ");
}

bool api_auth_check(struct api_call *call)
{
    const struct conf *conf = call->api->o.conf;
    const char *sent[] = {bearer(net_request_header(call->request, "Authorization")),
                          net_request_header(call->request, "X-Auth-Token")};
    const struct conf_key *key = NULL;

    if (conf->key_count == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(sent) && key == NULL; i++) {
        if (sent[i] != NULL && sent[i][0] != '\0')
            key = key_find(conf, sent[i]);
    }
    if (key == NULL)
        return false;
    call->key = key;
    call->tenant = key->name;
    return true;
}

bool api_auth_owns(const struct api_call *call, const struct job *job)
{
    return call->tenant == NULL || strcmp(job->tenant == NULL ? "" : job->tenant, call->tenant) == 0;
}
