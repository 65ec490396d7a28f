/* hook_guard.c - the guard against requests that a client makes us send into our own network (SSRF).
 *
 * Every address is seen as IPv6, IPv4 as ::ffff:a.b.c.d; forms of IPv6 that carry an IPv4 address (mapped,
 * compatible, NAT64, 6to4, Teredo) are judged by that one too.  Ranges: the IANA special-purpose
 * registries (RFC 6890 and its updates). */
#include "hook_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *const refused_networks[] = {
    "0.0.0.0/8",      "10.0.0.0/8",   "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24",   "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",  "198.51.100.0/24",
    "203.0.113.0/24", "224.0.0.0/4",  "240.0.0.0/4",    "::/128",         "::1/128",        "64:ff9b:1::/48",
    "100::/64",       "2001:2::/48",  "2001:10::/28",   "2001:20::/28",   "2001:db8::/32",  "3fff::/20",
    "5f00::/16",      "fc00::/7",     "fe80::/10",      "fec0::/10",      "ff00::/8",
};

static bool parse_address(const char *text, unsigned char out[16], bool *ret_v4)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char bare[64];

    snprintf(bare, sizeof(bare), "%s", text);
    bare[strcspn(bare, "%")] = '\0'; /* a scope: fe80::1%eth0 */
    *ret_v4 = inet_pton(AF_INET, bare, out + 12) == 1;
    if (*ret_v4) {
        memcpy(out, mapped, sizeof(mapped));
        return true;
    }
    return inet_pton(AF_INET6, bare, out) == 1;
}

static bool parse_network(const char *text, struct hook_network *ret)
{
    char address[64];
    const char *slash = strchr(text, '/');
    uint64_t bits;
    bool v4;

    snprintf(address, sizeof(address), "%.*s",
             (int)MIN(slash == NULL ? strlen(text) : (size_t)(slash - text), (size_t)63), text);
    if (!parse_address(address, ret->address, &v4))
        return false;
    if (slash == NULL) {
        ret->bits = 128;
        return true;
    }
    if (num_u64(slash + 1, 0, v4 ? 32 : 128, &bits) != 0)
        return false;
    ret->bits = (unsigned)bits + (v4 ? 96 : 0);
    return true;
}

static bool within(const struct hook_network *n, const unsigned char a[16])
{
    unsigned whole = n->bits / 8, rest = n->bits % 8;

    if (memcmp(n->address, a, whole) != 0)
        return false;
    return rest == 0 || (n->address[whole] >> (8 - rest)) == (a[whole] >> (8 - rest));
}

static bool refused(const unsigned char a[16])
{
    for (size_t i = 0; i < COUNT_OF(refused_networks); i++) {
        struct hook_network n;

        if (!parse_network(refused_networks[i], &n) || within(&n, a))
            return true; /* a table that cannot be read refuses everything; a test reads it */
    }
    return false;
}

/* The IPv4 address inside an IPv6 one, as ::ffff:a.b.c.d; false if there is none. */
static bool embedded(const unsigned char a[16], unsigned char out[16])
{
    static const unsigned char zero[12] = {0};
    static const unsigned char nat64[12] = {0, 0x64, 0xff, 0x9b};
    const unsigned char *v4 = NULL;
    unsigned char teredo[4];

    if ((memcmp(a, zero, 12) == 0 && (a[12] | a[13] | a[14]) != 0) || memcmp(a, nat64, 12) == 0)
        v4 = a + 12; /* ::a.b.c.d, 64:ff9b::a.b.c.d */
    else if (a[0] == 0x20 && a[1] == 0x02)
        v4 = a + 2; /* 6to4 */
    else if (a[0] == 0x20 && a[1] == 0x01 && a[2] == 0 && a[3] == 0) {
        for (size_t i = 0; i < 4; i++)
            teredo[i] = (unsigned char)~a[12 + i]; /* RFC 4380: the client's address is inverted */
        v4 = teredo;
    }
    if (v4 == NULL)
        return false;
    memcpy(out, (const unsigned char[12]){0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, 12);
    memcpy(out + 12, v4, 4);
    return true;
}

int hook_guard_open(struct hook_guard *g, const struct conf *conf, struct err *reterr)
{
    *g = (struct hook_guard){.allow_private = conf->hook_allow_private};
    if (conf->hook_allow_network_count > HOOK_NETWORKS_MAX)
        return err_set(reterr, ERR_CONFIG, "hook.allow_networks: %zu networks; at most %d are possible",
                       conf->hook_allow_network_count, HOOK_NETWORKS_MAX);
    for (size_t i = 0; i < conf->hook_allow_network_count; i++)
        if (!parse_network(conf->hook_allow_networks[i], &g->allowed[g->allowed_count++]))
            return err_set(reterr, ERR_CONFIG,
                           "hook.allow_networks: `%.60s` is no network like 10.1.0.0/16 or fd00::/8",
                           conf->hook_allow_networks[i]);
    return 0;
}

bool hook_guard_allows(const struct hook_guard *g, const char *address)
{
    unsigned char a[16], inner[16];
    bool v4;

    if (!parse_address(address, a, &v4))
        return false;
    for (size_t i = 0; i < g->allowed_count; i++)
        if (within(&g->allowed[i], a))
            return true;
    if (g->allow_private)
        return true;
    return !refused(a) && !(embedded(a, inner) && refused(inner));
}
