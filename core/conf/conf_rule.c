/* conf_rule.c - what single texts must look like. */
#include "conf_internal.h"

#include <arpa/inet.h>
#include <ctype.h>

#define ALNUM "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* ---- plain texts ------------------------------------------------------------------ */

int conf_rule_line(const char *text, struct err *why)
{
    for (const char *p = text; *p != '\0'; p++)
        if (iscntrl((unsigned char)*p))
            return err_set(why, -1, "must have no control characters");
    return 0;
}

int conf_rule_filled(const char *text, struct err *why)
{
    return text[0] == '\0' ? err_set(why, -1, "must not be empty") : conf_rule_line(text, why);
}

int conf_rule_path(const char *text, struct err *why)
{
    if (text[0] != '\0' && text[0] != '/')
        return err_set(why, -1, "must be an absolute path, or empty");
    return conf_rule_line(text, why);
}

int conf_rule_plugin(const char *text, struct err *why)
{
    bool bare = strchr(text, '/') == NULL && text[0] != '.';

    if (text[0] == '\0' || (text[0] != '/' && !bare))
        return err_set(why, -1, "must be a file's name without a path, or an absolute path");
    return conf_rule_line(text, why);
}

static bool consists_of(const char *text, const char *set, size_t max)
{
    size_t n = strspn(text, set);

    return n > 0 && n <= max && text[n] == '\0';
}

int conf_rule_prefix(const char *text, struct err *why)
{
    return consists_of(text, ALNUM "._:-", 32) ? 0
                                               : err_set(why, -1, "must be 1 to 32 of A-Z a-z 0-9 . _ : -");
}

int conf_rule_name(const char *text, struct err *why)
{
    return consists_of(text, ALNUM "._-", 64) ? 0 : err_set(why, -1, "must be 1 to 64 of A-Z a-z 0-9 . _ -");
}

/* ---- secrets ------------------------------------------------------------------------- */

int conf_rule_api_key(const char *text, struct err *why)
{
    size_t n = 0;

    for (; text[n] != '\0'; n++)
        if (!isgraph((unsigned char)text[n]))
            return err_set(why, -1, "must be printable ASCII without blanks");
    return n >= 16 && n <= 512 ? 0 : err_set(why, -1, "must have 16 to 512 characters, and has %zu", n);
}

int conf_rule_hook_secret(const char *text, struct err *why)
{
    static const char prefix[] = "whsec_";
    CLEAN_BUF struct buf raw = {.max = 64};
    bool ok = strncmp(text, prefix, sizeof(prefix) - 1) == 0 &&
              base64_decode(&raw, text + sizeof(prefix) - 1, strlen(text) - (sizeof(prefix) - 1)) == 0 &&
              raw.len >= 24;

    if (raw.data != NULL)
        explicit_bzero(raw.data, raw.len);
    return ok ? 0
              : err_set(why, -1,
                        "must be \"whsec_\" and 24 to 64 bytes in base64; make one with: "
                        "printf 'whsec_%%s\\n' \"$(openssl rand -base64 32)\"");
}

/* ---- the net --------------------------------------------------------------------------- */

int conf_rule_address(const char *text, struct err *why)
{
    unsigned char raw[16];

    if (inet_pton(AF_INET, text, raw) == 1 || inet_pton(AF_INET6, text, raw) == 1)
        return 0;
    return err_set(why, -1, "must be a numeric address, as 127.0.0.1 or ::1");
}

bool conf_address_is_loopback(const char *address)
{
    static const unsigned char one[16] = {[15] = 1}, mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char raw[16];

    if (inet_pton(AF_INET, address, raw) == 1)
        return raw[0] == 127;
    return inet_pton(AF_INET6, address, raw) == 1 &&
           (memcmp(raw, one, 16) == 0 || (memcmp(raw, mapped, 12) == 0 && raw[12] == 127));
}

int conf_rule_network(const char *text, struct err *why)
{
    const char *slash = strchr(text, '/');
    char address[64];
    unsigned char raw[16];
    uint64_t bits;

    if (slash != NULL && (size_t)(slash - text) < sizeof(address)) {
        memcpy(address, text, (size_t)(slash - text));
        address[slash - text] = '\0';
        if ((inet_pton(AF_INET, address, raw) == 1 && num_u64(slash + 1, 0, 32, &bits) == 0) ||
            (inet_pton(AF_INET6, address, raw) == 1 && num_u64(slash + 1, 0, 128, &bits) == 0))
            return 0;
    }
    return err_set(why, -1, "must be a network, as 10.1.0.0/16 or fd00::/8");
}

/* The beginning alone: store/ reads the rest when it is opened, and `execd check` asks it. */
int conf_rule_queue_url(const char *text, struct err *why)
{
    static const char *const schemes[] = {"redis://",   "rediss://",   "sentinel://", "sentinels://",
                                          "cluster://", "clusters://", "unix:/"};
    bool ok = strcmp(text, "embedded") == 0;

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i]);

        if (strncmp(text, schemes[i], len) == 0)
            ok = text[len] != '\0' && (text[len] != '/' || schemes[i][0] == 'u');
    }
    for (const char *p = text; *p != '\0'; p++)
        ok = ok && isgraph((unsigned char)*p);
    return ok ? 0
              : err_set(why, -1,
                        "must be \"embedded\", \"redis://HOST:PORT/DB\", \"rediss://...\" (TLS), "
                        "\"sentinel://HOST:PORT,HOST:PORT/NAME\", \"sentinels://...\", "
                        "\"cluster://HOST:PORT,HOST:PORT\", "
                        "\"clusters://...\" or \"unix:/PATH?db=N\"");
}
