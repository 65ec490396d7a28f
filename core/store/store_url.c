/* store_url.c - where Redis is, as one word:
 *
 *   unix:/path[?db=N]
 *   redis://[[user]:password@]host[:port][/db]            rediss:// is the same by TLS
 *   sentinel://[[user]:password@]host[:port],.../name[/db]  the master that sentinels know as `name`;
 *                                                         sentinels:// speaks TLS with all of them
 *   cluster://[[user]:password@]host[:port],...           a Redis Cluster, of which these are some nodes;
 *                                                         clusters:// speaks TLS with all of them */
#include <ctype.h>

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
    return err_set(
        reterr, ERR_CONFIG,
        "queue.url: %s; it is `embedded`, unix:/path?db=N, redis://[user:password@]host:port/db, "
        "sentinel://host:port,host:port/name/db, cluster://host:port,host:port, or one of the last "
        "three with TLS: rediss://, sentinels://, clusters://",
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
    memcpy(a->nodes[0].host, path, len);
    a->nodes[0].host[len] = '\0';
    a->node_count = 1;
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

static int parse_host(const char *text, size_t len, const char *default_port, struct store_node *ret,
                      struct err *reterr)
{
    const char *end = text + len, *colon;
    char port[8];
    uint64_t n;

    snprintf(port, sizeof(port), "%s", default_port);
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
    if (len == 0 || len >= sizeof(ret->host))
        return bad(reterr, "it names no host");
    memcpy(ret->host, text, len);
    ret->host[len] = '\0';
    if (colon != NULL)
        snprintf(port, sizeof(port), "%.*s", (int)MIN(end - colon - 1, (ptrdiff_t)7), colon + 1);
    if (num_u64(port, 1, 65535, &n) != 0)
        return bad(reterr, "the port is no number from 1 to 65535");
    ret->port = (uint16_t)n;
    return 0;
}

/* host[:port],host[:port]... */
static int parse_nodes(const char *text, size_t len, struct store_address *a, struct err *reterr)
{
    const char *end = text + len;

    for (;;) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        const char *stop = comma == NULL ? end : comma;
        int rc;

        if (a->node_count == STORE_NODES_MAX)
            return bad(reterr, "more than 16 hosts");
        rc = parse_host(text, (size_t)(stop - text), a->sentinel ? "26379" : "6379", &a->nodes[a->node_count],
                        reterr);
        if (rc != 0)
            return rc;
        a->node_count++;
        if (comma == NULL)
            return 0;
        text = comma + 1;
    }
}

/* name[/db]; of the letters that sentinels take in a name. */
static int parse_master(const char *text, struct store_address *a, struct err *reterr)
{
    const char *slash = strchr(text, '/');
    size_t len = slash == NULL ? strlen(text) : (size_t)(slash - text);

    if (len == 0 || len >= sizeof(a->master))
        return bad(reterr, "the name that the sentinels know the master by must follow, of at most 63 bytes");
    for (size_t i = 0; i < len; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-", text[i]) == NULL)
            return bad(reterr, "the master's name is of letters, digits and `.-_`");
    memcpy(a->master, text, len);
    a->master[len] = '\0';
    return slash == NULL ? 0 : parse_db(slash + 1, a, reterr);
}

static const char *parse_scheme(const char *url, struct store_address *a)
{
    static const struct {
        const char *text;
        bool tls, sentinel, cluster;
    } schemes[] = {{"redis://", false, false, false},   {"rediss://", true, false, false},
                   {"sentinel://", false, true, false}, {"sentinels://", true, true, false},
                   {"cluster://", false, false, true},  {"clusters://", true, false, true}};

    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        size_t len = strlen(schemes[i].text);

        if (strncmp(url, schemes[i].text, len) != 0)
            continue;
        a->tls = schemes[i].tls;
        a->sentinel = schemes[i].sentinel;
        a->cluster = schemes[i].cluster;
        return url + len;
    }
    return NULL;
}

int store_url_parse(const char *url, struct store_address *ret, struct err *reterr)
{
    const char *rest, *slash, *at;
    size_t len;
    int rc;

    *ret = (struct store_address){0};
    if (strncmp(url, "unix:", 5) == 0)
        return parse_unix(url + 5, ret, reterr);
    if ((rest = parse_scheme(url, ret)) == NULL)
        return bad(reterr, "an unknown scheme");
    slash = strchr(rest, '/');
    len = slash == NULL ? strlen(rest) : (size_t)(slash - rest);
    at = memrchr(rest, '@', len);
    if (at != NULL && (rc = parse_user(rest, (size_t)(at - rest), ret, reterr)) != 0)
        return rc;
    if (at != NULL) {
        len -= (size_t)(at + 1 - rest);
        rest = at + 1;
    }
    if (ret->sentinel) {
        rc = parse_nodes(rest, len, ret, reterr);
        return rc != 0 ? rc : parse_master(slash == NULL ? "" : slash + 1, ret, reterr);
    }
    if (ret->cluster) {
        if (slash != NULL && slash[1] != '\0' && strcmp(slash, "/0") != 0)
            return bad(reterr, "a cluster has no database but 0");
        return parse_nodes(rest, len, ret, reterr);
    }
    if (memchr(rest, ',', len) != NULL)
        return bad(reterr, "it names several hosts, as only sentinels' and clusters' do");
    if ((rc = parse_host(rest, len, "6379", &ret->nodes[0], reterr)) != 0)
        return rc;
    ret->node_count = 1;
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
