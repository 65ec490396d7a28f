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

int hook_keys_read(const struct conf *conf, struct hook_keys *ret, struct err *reterr)
{
    const struct {
        const char *name, *secret;
    } from[COUNT_OF(ret->list)] = {{"hook.secret", conf->hook_secret},
                                   {"hook.previous_secret", conf->hook_previous_secret}};

    *ret = (struct hook_keys){.count = 0};
    for (size_t i = 0; i < COUNT_OF(from); i++) {
        int rc = from[i].secret == NULL
                     ? 0
                     : hook_key_read(from[i].name, from[i].secret, &ret->list[ret->count++], reterr);

        if (rc != 0)
            return rc;
    }
    return 0;
}

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
