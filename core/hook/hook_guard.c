/* hook_guard.c - the guard against requests that a client makes us send into our own network (SSRF).
 *
 * Every address is seen as IPv6, IPv4 as ::ffff:a.b.c.d; forms of IPv6 that carry an IPv4 address and lead to
 * it (mapped, compatible, translated, NAT64, ISATAP, 6to4, Teredo) are judged by that one too.  Ranges: the
 * IANA special-purpose registries (RFC 6890 and its updates), those that are reachable from everywhere
 * included. What the file denies is refused though the file allows it as well. */
#include "hook_internal.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char *const refused_networks[] = {
    "0.0.0.0/8",         "10.0.0.0/8",       "100.64.0.0/10",
    "127.0.0.0/8",       "168.63.129.16/32", /* the host's services for a machine in Azure; of no
                                                special-purpose network */
    "169.254.0.0/16",    "172.16.0.0/12",    "192.0.0.0/24",
    "192.0.2.0/24",      "192.31.196.0/24",  "192.52.193.0/24",
    "192.88.99.0/24",    "192.168.0.0/16",   "192.175.48.0/24",
    "198.18.0.0/15",     "198.51.100.0/24",  "203.0.113.0/24",
    "224.0.0.0/4",       "240.0.0.0/4",      "::/128",
    "::1/128",           "64:ff9b:1::/48",   "100::/64",
    "100:0:0:1::/64",    "2001::/23", /* protocols' own, Teredo and ORCHID among them */
    "2001:db8::/32",     "2002::/16", /* 6to4: given up (RFC 7526), and every one of it carries an IPv4
                                         address */
    "2620:4f:8000::/48", "3fff::/20",        "5f00::/16",
    "fc00::/7",          "fe80::/10",        "fec0::/10",
    "ff00::/8",
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

/* Forms of IPv6 that carry an IPv4 address: `len` bytes of `prefix` at `at`, and where the address' four
 * bytes are.  Within NAT64's local network (RFC 8215) each length of prefix that RFC 6052 has may be in use.
 */
static const struct carrier {
    size_t at, len;
    unsigned char prefix[12], from[4], mask; /* mask: what the bytes are xored with */
} carriers[] = {
    {0, 12, {0}, {12, 13, 14, 15}, 0},                                        /* ::a.b.c.d, IPv4-compatible */
    {0, 12, {0, 0x64, 0xff, 0x9b}, {12, 13, 14, 15}, 0},                      /* 64:ff9b::/96, NAT64 */
    {0, 12, {0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0}, {12, 13, 14, 15}, 0}, /* IPv4-translated */
    {8, 4, {0, 0, 0x5e, 0xfe}, {12, 13, 14, 15}, 0},                          /* ISATAP, of any network */
    {8, 4, {2, 0, 0x5e, 0xfe}, {12, 13, 14, 15}, 0},
    {0, 2, {0x20, 0x02}, {2, 3, 4, 5}, 0},                    /* 6to4 */
    {0, 4, {0x20, 0x01, 0, 0}, {4, 5, 6, 7}, 0},              /* Teredo: its server, */
    {0, 4, {0x20, 0x01, 0, 0}, {12, 13, 14, 15}, 0xff},       /* and whom it leads to */
    {0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {6, 7, 9, 10}, 0},    /* 64:ff9b:1::/48, NAT64 of one's own: /48, */
    {0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {7, 9, 10, 11}, 0},   /* /56, */
    {0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {9, 10, 11, 12}, 0},  /* /64, */
    {0, 6, {0, 0x64, 0xff, 0x9b, 0, 1}, {12, 13, 14, 15}, 0}, /* /96 */
};

/* The IPv4 address that is inside by this form, as ::ffff:a.b.c.d; false if the address is not of it. */
static bool embedded(const struct carrier *c, const unsigned char a[16], unsigned char out[16])
{
    if (memcmp(a + c->at, c->prefix, c->len) != 0)
        return false;
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    for (size_t i = 0; i < 4; i++)
        out[12 + i] = a[c->from[i]] ^ c->mask;
    return true;
}

static int parse_list(const char *name, char *const *texts, size_t count,
                      struct hook_network ret[HOOK_NETWORKS_MAX], size_t *ret_count, struct err *reterr)
{
    *ret_count = 0;
    if (count > HOOK_NETWORKS_MAX)
        return err_set(reterr, ERR_CONFIG, "hook.%s: %zu networks are more than %d", name, count,
                       HOOK_NETWORKS_MAX);
    for (size_t i = 0; i < count; i++)
        if (!parse_network(texts[i], &ret[(*ret_count)++]))
            return err_set(reterr, ERR_CONFIG, "hook.%s: `%.60s` is no network like 10.1.0.0/16 or fd00::/8",
                           name, texts[i]);
    return 0;
}

int hook_guard_open(struct hook_guard *g, const struct conf *conf, struct err *reterr)
{
    int rc;

    *g = (struct hook_guard){.allow_private = conf->hook_allow_private};
    rc = parse_list("allow_networks", conf->hook_allow_networks, conf->hook_allow_network_count, g->allowed,
                    &g->allowed_count, reterr);
    if (rc != 0)
        return rc;
    return parse_list("deny_networks", conf->hook_deny_networks, conf->hook_deny_network_count, g->denied,
                      &g->denied_count, reterr);
}

static bool within_any(const struct hook_network *list, size_t count, const unsigned char a[16])
{
    for (size_t i = 0; i < count; i++)
        if (within(&list[i], a))
            return true;
    return false;
}

static bool denied(const struct hook_guard *g, const unsigned char a[16])
{
    unsigned char inner[16];

    if (within_any(g->denied, g->denied_count, a))
        return true;
    for (size_t i = 0; i < COUNT_OF(carriers); i++)
        if (embedded(&carriers[i], a, inner) && within_any(g->denied, g->denied_count, inner))
            return true;
    return false;
}

static bool special(const unsigned char a[16])
{
    unsigned char inner[16];

    if (refused(a))
        return true;
    for (size_t i = 0; i < COUNT_OF(carriers); i++)
        if (embedded(&carriers[i], a, inner) && refused(inner))
            return true;
    return false;
}

bool hook_guard_allows(const struct hook_guard *g, const char *address)
{
    unsigned char a[16];
    bool v4;

    if (!parse_address(address, a, &v4) || denied(g, a))
        return false;
    return g->allow_private || within_any(g->allowed, g->allowed_count, a) || !special(a);
}
