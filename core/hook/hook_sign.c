/* hook_sign.c - the Standard Webhooks signature, symmetric scheme v1. */
#include "hook_internal.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#define PREFIX "whsec_"
#define KEY_MIN 24

int hook_key_read(const char *name, const char *secret, struct hook_key *ret, struct err *reterr)
{
    CLEAN_BUF struct buf bytes = {.max = HOOK_KEY_MAX};
    int rc;

    *ret = (struct hook_key){.len = 0};
    if (strncmp(secret, PREFIX, strlen(PREFIX)) != 0)
        return err_set(reterr, ERR_CONFIG, "%s: it begins with " PREFIX ", as Standard Webhooks writes keys",
                       name);
    rc = base64_decode(&bytes, secret + strlen(PREFIX), strlen(secret) - strlen(PREFIX));
    if (rc == 0 && bytes.len >= KEY_MIN) {
        memcpy(ret->bytes, bytes.data, bytes.len);
        ret->len = bytes.len;
    }
    if (bytes.data != NULL)
        explicit_bzero(bytes.data, bytes.cap);
    return ret->len > 0 ? 0
                        : err_set(reterr, ERR_CONFIG, "%s: base64 of %d to %d bytes follows " PREFIX, name,
                                  KEY_MIN, HOOK_KEY_MAX);
}

int hook_keys_read(const char *whose, const char *secret, const char *previous, struct hook_keys *ret,
                   struct err *reterr)
{
    const struct {
        const char *name, *secret;
    } from[COUNT_OF(ret->list)] = {{"secret", secret}, {"previous_secret", previous}};
    char name[128];

    *ret = (struct hook_keys){.count = 0};
    for (size_t i = 0; i < COUNT_OF(from) && from[i].secret != NULL; i++) {
        int rc;

        snprintf(name, sizeof(name), "%s%s", whose, from[i].name);
        if ((rc = hook_key_read(name, from[i].secret, &ret->list[ret->count++], reterr)) != 0)
            return rc;
    }
    return 0;
}

/* ---- whose -------------------------------------------------------------------------------- */

static int own_read(struct hook_secrets *x, const struct conf_key *key, struct err *reterr)
{
    struct hook_own *own = &x->own[x->own_count++];
    char whose[96];

    own->tenant = mem_dup(key->name);
    snprintf(whose, sizeof(whose), "api.keys: `%.64s`: hook_", key->name);
    return hook_keys_read(whose, key->hook_secret, key->hook_previous_secret, &own->keys, reterr);
}

int hook_secrets_open(struct hook_secrets *x, const struct conf *conf, struct err *reterr)
{
    int rc = hook_keys_read("hook.", conf->hook_secret, conf->hook_previous_secret, &x->common, reterr);

    x->own = mem_zero(MAX(conf->key_count, (size_t)1), sizeof(*x->own));
    x->own_count = 0;
    for (size_t i = 0; i < conf->key_count && rc == 0; i++)
        if (conf->keys[i].hook_secret != NULL)
            rc = own_read(x, &conf->keys[i], reterr);
    if (rc != 0)
        hook_secrets_close(x);
    return rc;
}

void hook_secrets_close(struct hook_secrets *x)
{
    for (size_t i = 0; i < x->own_count; i++) {
        free(x->own[i].tenant);
        explicit_bzero(&x->own[i], sizeof(x->own[i]));
    }
    free(x->own);
    explicit_bzero(x, sizeof(*x));
}

const struct hook_keys *hook_secrets_of(const struct hook_secrets *x, const char *tenant)
{
    for (size_t i = 0; i < x->own_count; i++)
        if (strcmp(x->own[i].tenant, tenant) == 0)
            return &x->own[i].keys;
    return &x->common;
}

/* ---- signatures ---------------------------------------------------------------------------- */

int hook_sign(const struct hook_key *key, const char *id, uint64_t timestamp, struct bytes body,
              struct buf *out)
{
    CLEAN_BUF struct buf message = {0};
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    int rc = buf_addf(&message, "%s.%llu.", id, (unsigned long long)timestamp);

    if (rc == 0)
        rc = buf_add(&message, body.ptr, body.len);
    if (rc != 0)
        return rc;
    if (HMAC(EVP_sha256(), key->bytes, (int)key->len, (const unsigned char *)message.data, message.len, mac,
             &len) == NULL)
        return -ENOMEM;
    rc = buf_adds(out, "v1,");
    return rc == 0 ? base64_encode(out, mac, len) : rc;
}

int hook_sign_all(const struct hook_keys *keys, const char *id, uint64_t timestamp, struct bytes body,
                  struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; i < keys->count && rc == 0; i++) {
        rc = i == 0 ? 0 : buf_adds(out, " ");
        if (rc == 0)
            rc = hook_sign(&keys->list[i], id, timestamp, body, out);
    }
    return rc;
}
