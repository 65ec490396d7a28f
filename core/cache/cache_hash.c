/* cache_hash.c - SHA-256 of fields, each with its length before it. */
#include "cache_internal.h"

#include <endian.h>
#include <openssl/evp.h>

struct cache_hash {
    EVP_MD_CTX *ctx;
    bool failed;
};

struct cache_hash *cache_hash_new(void)
{
    struct cache_hash *h = NEW(struct cache_hash);

    h->ctx = EVP_MD_CTX_new();
    h->failed = h->ctx == NULL || EVP_DigestInit_ex(h->ctx, EVP_sha256(), NULL) != 1;
    return h;
}

static void update(struct cache_hash *h, const void *bytes, size_t len)
{
    h->failed = h->failed || (len > 0 && EVP_DigestUpdate(h->ctx, bytes, len) != 1);
}

void cache_hash_add_u64(struct cache_hash *h, uint64_t value)
{
    uint64_t le = htole64(value);

    update(h, &le, sizeof(le));
}

void cache_hash_add(struct cache_hash *h, const void *bytes, size_t len)
{
    cache_hash_add_u64(h, len);
    update(h, bytes, len);
}

bool cache_hash_end(struct cache_hash *h, unsigned char ret_key[CACHE_KEY_SIZE])
{
    bool ok = !h->failed && EVP_DigestFinal_ex(h->ctx, ret_key, NULL) == 1;

    EVP_MD_CTX_free(h->ctx);
    free(h);
    return ok;
}

void cache_sha256(const struct bytes *pieces, size_t count, unsigned char ret[CACHE_KEY_SIZE], bool *ret_ok)
{
    struct cache_hash *h = cache_hash_new();

    for (size_t i = 0; i < count; i++)
        update(h, pieces[i].ptr, pieces[i].len);
    *ret_ok = cache_hash_end(h, ret);
}
