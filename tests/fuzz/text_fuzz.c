/* text_fuzz.c - small readers of text: base64, UTF-8, numbers, ids; URLs and addresses that webhooks may go
 * to. */
#include <arpa/inet.h>
#include <netinet/in.h>

#include "fuzz.h"
#include "hook_internal.h"
#include "json_second.h"
#include "net/net.h"

static void base64_holds(const char *text, size_t len)
{
    CLEAN_BUF struct buf raw = {0};
    CLEAN_BUF struct buf again = {0};
    CLEAN_BUF struct buf back = {0};

    if (base64_decode(&raw, text, len) == 0) { /* canonical: there is one text for these bytes */
        FUZZ_CHECK(base64_encode(&again, raw.data, raw.len) == 0);
        FUZZ_CHECK(again.len == len && (len == 0 || memcmp(again.data, text, len) == 0));
    } else {
        FUZZ_CHECK(raw.len == 0);
    }
    buf_clear(&again);
    FUZZ_CHECK(base64_encode(&again, text, len) == 0 && again.len == (len + 2) / 3 * 4);
    FUZZ_CHECK(base64_decode(&back, again.data, again.len) == 0 && back.len == len);
    FUZZ_CHECK(len == 0 || memcmp(back.data, text, len) == 0);
}

static void utf8_holds(const char *text, size_t len)
{
    bool valid = utf8_valid(text, len);

    FUZZ_CHECK(valid == json_second_utf8(text, len));
    for (size_t cut = len; valid && cut > 0; cut--) {
        size_t n = utf8_cut(text, cut);

        FUZZ_CHECK(n <= cut && cut - n <= 3 && utf8_valid(text, n));
    }
}

/* Against strtoull(3), which takes more: blanks, signs, prefixes. */
static void numbers_hold(const char *s)
{
    uint64_t n = 0, bytes = 0, millis = 0;
    int64_t i = 0;
    bool plain = s[0] != '\0' && s[strspn(s, "0123456789")] == '\0';
    int rc = num_u64(s, 0, UINT64_MAX, &n);

    FUZZ_CHECK((rc == -EINVAL) == !plain || rc == -ERANGE);
    if (rc == 0) {
        errno = 0;
        FUZZ_CHECK(strtoull(s, NULL, 10) == n && errno == 0);
    }
    if (num_i64(s, INT64_MIN, INT64_MAX, &i) == 0) {
        errno = 0;
        FUZZ_CHECK(strtoll(s, NULL, 10) == i && errno == 0);
    }
    if (num_bytes(s, INT64_MAX, &bytes) == 0)
        FUZZ_CHECK(bytes <= INT64_MAX && bytes >= strtoull(s, NULL, 10));
    if (num_cpu_millis(s, &millis) == 0)
        FUZZ_CHECK(millis <= UINT64_C(1000000) * 1000 + 1000);
    FUZZ_CHECK(!uuid_valid(s) || strlen(s) == UUID_SIZE - 1);
}

/* ---- webhooks ------------------------------------------------------------------------------- */

/* One address, however it is written: IPv4, or the forms of IPv6 that carry one. */
static void guard_holds(const struct hook_guard *g, const unsigned char a[4])
{
    static const char *const forms[] = {"::ffff:%u.%u.%u.%u",
                                        "64:ff9b::%u.%u.%u.%u",
                                        "2002:%02x%02x:%02x%02x::1",
                                        "::%u.%u.%u.%u",
                                        "::ffff:0:%u.%u.%u.%u",
                                        "2606:4700::5efe:%u.%u.%u.%u",
                                        "2606:4700::200:5efe:%u.%u.%u.%u"};
    char v4[64], v6[64];
    bool allowed;

    snprintf(v4, sizeof(v4), "%u.%u.%u.%u", a[0], a[1], a[2], a[3]);
    allowed = hook_guard_allows(g, v4);
    FUZZ_CHECK(!(a[0] == 10 || a[0] == 127 || a[0] == 0 || a[0] >= 224) || !allowed);
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(v6, sizeof(v6), forms[i], a[0], a[1], a[2], a[3]);
#pragma GCC diagnostic pop
        FUZZ_CHECK(allowed || !hook_guard_allows(g, v6));
    }
}

static void hook_holds(const char *s)
{
    char *networks[] = {(char *)(uintptr_t)s};
    struct conf conf = {.hook_allow_networks = networks, .hook_allow_network_count = 1};
    struct hook_guard strict = {0}, open = {0};
    struct hook_key key = {0};
    struct err err = {0};

    (void)hook_guard_allows(&strict, s);
    guard_holds(&strict, (const unsigned char *)(strlen(s) >= 4 ? s : "\x0a\0\0\1"));
    if (hook_guard_open(&open, &conf, &err) == 0)
        FUZZ_CHECK(open.allowed_count == 1 && open.allowed[0].bits <= 128);
    if (hook_key_read("hook.secret", s, &key, &err) == 0)
        FUZZ_CHECK(key.len >= 24 && key.len <= HOOK_KEY_MAX);
    if (net_url_check(s, &err) == 0)
        FUZZ_CHECK(strncasecmp(s, "http", 4) == 0 && strlen(s) <= 2048 && strchr(s, ' ') == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *copy = fuzz_copy(data, size), *text = fuzz_text(data, size);

    base64_holds(copy, size);
    utf8_holds(copy, size);
    numbers_hold(text);
    hook_holds(text);
    free(copy);
    free(text);
    return 0;
}
