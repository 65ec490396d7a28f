/* webhook_verify.c - see webhook_verify.h. */
#include "webhook_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#define PREFIX "whsec_"
#define KEY_MAX 96 /* decoded; the scheme wants 24 to 64 bytes */
#define MAC_SIZE 32

/* Bytes of the base64 text, at most `max`; 0 if it is none. */
static size_t decode(const char *text, size_t len, unsigned char *out, size_t max)
{
    unsigned char bytes[KEY_MAX + 3];
    int n;

    if (len == 0 || len % 4 != 0 || len / 4 * 3 > sizeof(bytes))
        return 0;
    n = EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len);
    if (n <= 0)
        return 0;
    n -= (text[len - 1] == '=') + (text[len - 2] == '='); /* EVP_DecodeBlock() counts the padding */
    if (n <= 0 || (size_t)n > max)
        return 0;
    memcpy(out, bytes, (size_t)n);
    return (size_t)n;
}

static int read_timestamp(const char *text, time_t *ret)
{
    if (text[0] == '\0' || strlen(text) > 12 || text[strspn(text, "0123456789")] != '\0')
        return -1;
    *ret = (time_t)strtoll(text, NULL, 10);
    return 0;
}

/* HMAC-SHA256 of "id.timestamp.body"; -1: no memory. */
static int sign(const unsigned char *key, size_t key_len, const char *id, const char *timestamp,
                const void *body, size_t len, unsigned char mac[MAC_SIZE])
{
    size_t head = strlen(id) + strlen(timestamp) + 2;
    unsigned char *message = malloc(head + len + 1);
    unsigned n = MAC_SIZE;
    int rc = -1;

    if (message != NULL) {
        snprintf((char *)message, head + 1, "%s.%s.", id, timestamp);
        if (len > 0)
            memcpy(message + head, body, len);
        rc = HMAC(EVP_sha256(), key, (int)key_len, message, head + len, mac, &n) == NULL ? -1 : 0;
    }
    free(message);
    return rc;
}

/* There may be several, with blanks between them: of other schemes, or of two secrets while they change. */
static int any_fits(const char *signatures, const unsigned char mac[MAC_SIZE])
{
    unsigned char theirs[MAC_SIZE];
    const char *p = signatures;

    while (*p != '\0') {
        size_t len = strcspn(p, " ");

        if (len > 3 && strncmp(p, "v1,", 3) == 0 && decode(p + 3, len - 3, theirs, MAC_SIZE) == MAC_SIZE &&
            CRYPTO_memcmp(theirs, mac, MAC_SIZE) == 0) /* takes the same time wherever they differ */
            return 1;
        p += len + (p[len] == ' ');
    }
    return 0;
}

enum webhook_verdict webhook_verify(const char *secret, const char *id, const char *timestamp,
                                    const char *signatures, const void *body, size_t len, time_t now)
{
    unsigned char key[KEY_MAX], mac[MAC_SIZE];
    size_t key_len;
    time_t signed_at;
    int rc;

    if (secret == NULL || strncmp(secret, PREFIX, strlen(PREFIX)) != 0 ||
        (key_len = decode(secret + strlen(PREFIX), strlen(secret) - strlen(PREFIX), key, sizeof(key))) == 0)
        return WEBHOOK_BAD_SECRET;
    if (id == NULL || id[0] == '\0' || timestamp == NULL || signatures == NULL ||
        read_timestamp(timestamp, &signed_at) != 0)
        return WEBHOOK_MALFORMED;
    if (signed_at < now - WEBHOOK_TOLERANCE_S || signed_at > now + WEBHOOK_TOLERANCE_S)
        return WEBHOOK_STALE;
    rc = sign(key, key_len, id, timestamp, body, len, mac);
    OPENSSL_cleanse(key, sizeof(key));
    return rc == 0 && any_fits(signatures, mac) ? WEBHOOK_VALID : WEBHOOK_FORGED;
}
