/* store_url.c - redis://[[user]:password@]host[:port][/db] and unix:/path[?db=N]. */
#include "store_internal.h"

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* RFC 3986 percent-decoding; NULL if it is malformed. */
static char *decode(const char *s, size_t len)
{
    char *out = mem_zero(1, len + 1), *p = out;

    for (size_t i = 0; i < len; i++) {
        if (s[i] != '%') {
            *p++ = s[i];
        } else if (i + 2 < len && hex(s[i + 1]) >= 0 && hex(s[i + 2]) >= 0 &&
                   hex(s[i + 1]) + hex(s[i + 2]) > 0) {
            *p++ = (char)(hex(s[i + 1]) * 16 + hex(s[i + 2]));
            i += 2;
        } else {
            free(out);
            return NULL;
        }
    }
    return out;
}

static int bad(struct err *reterr, const char *why)
{
    return err_set(reterr, ERR_CONFIG,
                   "queue.url: %s; it is `embedded`, redis://[:password@]host:port/db or "
                   "unix:/path?db=N",
                   why); /* never the url itself: it may hold a password */
}

static int parse_db(const char *text, struct store_address *a, struct err *reterr)
{
    uint64_t n = 0;

    if (text[0] != '\0' && num_u64(text, 0, 1023, &n) != 0)
        return bad(reterr, "the database is no number from 0 to 1023");
    a->db = (int)n;
    return 0;
}

static int parse_unix(const char *path, struct store_address *a, struct err *reterr)
{
    const char *query = strchr(path, '?');
    size_t len = query == NULL ? strlen(path) : (size_t)(query - path);

    a->is_unix = true;
    if (len >= 2 && strncmp(path, "//", 2) == 0) {
        path += 2;
        len -= 2;
    }
    if (len == 0 || path[0] != '/' || len >= 108)
        return bad(reterr, "an absolute path of at most 107 bytes must follow unix:");
    memcpy(a->host, path, len);
    a->host[len] = '\0';
    if (query == NULL)
        return 0;
    if (strncmp(query, "?db=", 4) != 0)
        return bad(reterr, "only ?db=N may follow the socket's path");
    return parse_db(query + 4, a, reterr);
}

static int parse_user(const char *text, size_t len, struct store_address *a, struct err *reterr)
{
    const char *colon = memchr(text, ':', len);
    size_t user = colon == NULL ? len : (size_t)(colon - text);

    if (user > 0 && (a->user = decode(text, user)) == NULL)
        return bad(reterr, "the user's name is not percent-encoded");
    if (colon != NULL && (a->password = decode(colon + 1, len - user - 1)) == NULL)
        return bad(reterr, "the password is not percent-encoded");
    return 0;
}

static int parse_host(const char *text, size_t len, struct store_address *a, struct err *reterr)
{
    const char *end = text + len, *colon;
    char port[8] = "6379";
    uint64_t n;

    if (len > 0 && text[0] == '[') { /* an IPv6 address */
        const char *close = memchr(text, ']', len);

        if (close == NULL || (close + 1 < end && close[1] != ':'))
            return bad(reterr, "an IPv6 address stands between brackets");
        colon = close + 1 < end ? close + 1 : NULL;
        text++;
        len = (size_t)(close - text);
    } else {
        colon = memchr(text, ':', len);
        len = colon == NULL ? len : (size_t)(colon - text);
    }
    if (len == 0 || len >= sizeof(a->host))
        return bad(reterr, "it names no host");
    memcpy(a->host, text, len);
    a->host[len] = '\0';
    if (colon != NULL)
        snprintf(port, sizeof(port), "%.*s", (int)MIN(end - colon - 1, (ptrdiff_t)7), colon + 1);
    if (num_u64(port, 1, 65535, &n) != 0)
        return bad(reterr, "the port is no number from 1 to 65535");
    a->port = (uint16_t)n;
    return 0;
}

int store_url_parse(const char *url, struct store_address *ret, struct err *reterr)
{
    const char *rest, *slash, *at;
    size_t len;
    int rc;

    *ret = (struct store_address){0};
    if (strncmp(url, "unix:", 5) == 0)
        return parse_unix(url + 5, ret, reterr);
    if (strncmp(url, "redis://", 8) != 0)
        return bad(reterr, "an unknown scheme");
    rest = url + 8;
    slash = strchr(rest, '/');
    len = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
    at = memrchr(rest, '@', len);
    if (at != NULL && (rc = parse_user(rest, (size_t)(at - rest), ret, reterr)) != 0)
        return rc;
    if (at != NULL) {
        len -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    if ((rc = parse_host(rest, len, ret, reterr)) != 0)
        return rc;
    return slash == NULL ? 0 : parse_db(slash + 1, ret, reterr);
}

void store_address_done(struct store_address *a)
{
    if (a->password != NULL)
        explicit_bzero(a->password, strlen(a->password));
    free(a->user);
    free(a->password);
    *a = (struct store_address){0};
}

int store_url_check(const char *url, struct err *reterr)
{
    struct store_address a = {0};
    int rc = store_url_parse(url, &a, reterr);

    store_address_done(&a);
    return rc;
}
