/* webhook_verify.h - is this webhook from who knows the secret, as it was sent, and not an old one?
 *
 * Standard Webhooks (standardwebhooks.com), symmetric signatures `v1`.  Needs libcrypto.  Thread-safe. */
#ifndef WEBHOOK_VERIFY_H
#define WEBHOOK_VERIFY_H

#include <stddef.h>
#include <time.h>

#define WEBHOOK_TOLERANCE_S 300 /* how far the clocks of sender and receiver may be apart */

enum webhook_verdict {
    WEBHOOK_VALID,
    WEBHOOK_FORGED,     /* no signature fits */
    WEBHOOK_STALE,      /* it was signed longer ago, or later, than the tolerance */
    WEBHOOK_MALFORMED,  /* a header is missing or cannot be read */
    WEBHOOK_BAD_SECRET, /* ours: it is not "whsec_" and base64 */
};

/* The three headers as they came (NULL: there was none), and the body as it came, before any parser.  `now`
 * is time(NULL). */
enum webhook_verdict webhook_verify(const char *secret, const char *id, const char *timestamp,
                                    const char *signatures, const void *body, size_t len, time_t now);

#endif
