/* wire_check_test.c - the strict reader against RFC 8259, against cJSON, and against what nobody should send.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cjson/cJSON.h>

#include "wire_internal.h"

static const struct wire_text_rules rules = {.values_max = 100000};

static int check(const char *text, size_t len, struct wire_fault *fault)
{
    /* In memory of its own size, so that a read behind the end is found. */
    CLEAN_FREE char *copy = malloc(MAX(len, (size_t)1));

    memcpy(copy, text, len);
    return wire_text_check((struct bytes){copy, len}, &rules, fault);
}

static void accepts(const char *text)
{
    struct wire_fault f = {0};

    if (check(text, strlen(text), &f) != 0)
        fail_msg("refused: %.80s: %s at %zu", text, f.text, f.offset);
}

static void refuses(const char *text, size_t len, enum wire_fault_kind kind, size_t offset)
{
    struct wire_fault f = {0};

    if (check(text, len, &f) == 0)
        fail_msg("accepted: %.80s", text);
    if (f.kind != kind || f.offset != offset)
        fail_msg("%.80s: kind %d at %zu (%s), not %d at %zu", text, f.kind, f.offset, f.text, kind, offset);
}

static void test_good_texts(void **state)
{
    static const char *const good[] = {
        "{}",
        "[]",
        "null",
        "true",
        "false",
        "0",
        "-0",
        "1.5e+3",
        "-0.1E-2",
        "\"\"",
        " \t\r\n[ ] ",
        "[1,2,[3]]",
        "{\"a\":1,\"b\":{\"a\":2}}",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\"",
        "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"",
        "\"\\ud83d\\ude00\"",
        "\"\x7f\"",
        "{\"\":0}",
        "\"\\uFFFF\"",
        "[\"\\u2028\"]",
        "1e999",
        "[[[[[[[[[[]]]]]]]]]]",
        "{\"a\":{},\"A\":{}}",
        "123456789012345678901234567890",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        accepts(good[i]);
}

#define BAD(text, kind, offset)                                                                              \
    {                                                                                                        \
        text, sizeof(text) - 1, WIRE_FAULT_##kind, offset                                                    \
    }

static void test_bad_texts(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        enum wire_fault_kind kind;
        size_t offset;
    } bad[] = {
        BAD("", GRAMMAR, 0),
        BAD("   ", GRAMMAR, 3),
        BAD("{", GRAMMAR, 1),
        BAD("[", GRAMMAR, 1),
        BAD("[1", GRAMMAR, 2),
        BAD("[1,", GRAMMAR, 3),
        BAD("[1,]", GRAMMAR, 3),
        BAD("[,1]", GRAMMAR, 1),
        BAD("[1 2]", GRAMMAR, 3),
        BAD("{\"a\"}", GRAMMAR, 4),
        BAD("{\"a\":}", GRAMMAR, 5),
        BAD("{\"a\":1,}", GRAMMAR, 7),
        BAD("{a:1}", GRAMMAR, 1),
        BAD("{'a':1}", GRAMMAR, 1),
        BAD("{\"a\":1]", GRAMMAR, 6),
        BAD("[1}", GRAMMAR, 2),
        BAD("{1:2}", GRAMMAR, 1),
        BAD("nul", GRAMMAR, 0),
        BAD("nulll", GRAMMAR, 4),
        BAD("True", GRAMMAR, 0),
        BAD("NaN", GRAMMAR, 0),
        BAD("Infinity", GRAMMAR, 0),
        BAD("-Infinity", GRAMMAR, 1),
        BAD("-", GRAMMAR, 1),
        BAD("+1", GRAMMAR, 0),
        BAD("01", GRAMMAR, 1),
        BAD("-01", GRAMMAR, 2),
        BAD("1.", GRAMMAR, 2),
        BAD(".5", GRAMMAR, 0),
        BAD("1e", GRAMMAR, 2),
        BAD("1e+", GRAMMAR, 3),
        BAD("1.e1", GRAMMAR, 2),
        BAD("0x10", GRAMMAR, 1),
        BAD("1_000", GRAMMAR, 1),
        BAD("\"", GRAMMAR, 1),
        BAD("\"a", GRAMMAR, 2),
        BAD("\"a\\", GRAMMAR, 3),
        BAD("\"\\x41\"", GRAMMAR, 2),
        BAD("\"\\u12\"", GRAMMAR, 1),
        BAD("\"\\u12g4\"", GRAMMAR, 1),
        BAD("\"\n\"", GRAMMAR, 1),
        BAD("\"\t\"", GRAMMAR, 1),
        BAD("\"\x1f\"", GRAMMAR, 1),
        BAD("\"\0\"", GRAMMAR, 1),
        BAD("\0", GRAMMAR, 0),
        BAD("{}\0", GRAMMAR, 2),
        BAD("{} {}", GRAMMAR, 3),
        BAD("1 2", GRAMMAR, 2),
        BAD("[]]", GRAMMAR, 2),
        BAD("//x\n1", GRAMMAR, 0),
        BAD("[1,/*x*/2]", GRAMMAR, 3),
        BAD("\xef\xbb\xbf{}", GRAMMAR, 0),
        BAD("\"\\ud800\"", GRAMMAR, 1),
        BAD("\"\\udc00\"", GRAMMAR, 1),
        BAD("\"\\ud800\\u0041\"", GRAMMAR, 1),
        BAD("\"\\ud800\\ud800\"", GRAMMAR, 1),
        BAD("\"\\ud800x\"", GRAMMAR, 1),
        BAD("\v1", GRAMMAR, 0),
        BAD("\xc2\xa0"
            "1",
            GRAMMAR, 0),
        BAD("\"\xff\"", UTF8, 1),
        BAD("\"\xc3\"", UTF8, 1),
        BAD("\"\xc0\x80\"", UTF8, 1),
        BAD("\"\xed\xa0\x80\"", UTF8, 1),
        BAD("\"\xf4\x90\x80\x80\"", UTF8, 1),
        BAD("\"\xe2\x82", UTF8, 1),
        BAD("[\"ok\", \"\x80\"]", UTF8, 8),
        BAD("\xfe\xff", UTF8, 0),
        BAD("\"\\u0000\"", NUL, 1),
        BAD("[\"a\\u0000\"]", NUL, 3),
        BAD("{\"\\u0000\":1}", NUL, 2),
        BAD("{\"a\":1,\"a\":2}", DUPLICATE, 7),
        BAD("{\"a\":1,\"\\u0061\":2}", DUPLICATE, 7),
        BAD("{\"\\u00e9\":1,\"\xc3\xa9\":2}", DUPLICATE, 12),
        BAD("{\"\xc3\xa9\":1,\"\\u00E9\":2}", DUPLICATE, 8),
        BAD("{\"\\ud83d\\ude00\":1,\"\xf0\x9f\x98\x80\":2}", DUPLICATE, 18),
        BAD("[{\"x\":0,\"a\":{\"b\":0},\"x\":0}]", DUPLICATE, 20),
        BAD("{\"\":1,\"\":2}", DUPLICATE, 6),
        BAD("{\"a\\/\":1,\"a/\":2}", DUPLICATE, 9),
        BAD("1234567890123456789012345678901234567890123456789012345678901234", NUMBER, 0),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        refuses(bad[i].text, bad[i].len, bad[i].kind, bad[i].offset);
}

static void test_names_that_only_look_alike(void **state)
{
    (void)state;
    accepts("{\"a\":1,\"a\\u0020\":2,\" a\":3,\"A\":4,\"\\\\u0061\":5}");
    accepts("{\"\xc3\xa9\":1,\"\\u00e8\":2,\"e\":3}");
    accepts("{\"\xf0\x9f\x98\x80\":1,\"\\ud83d\\ude01\":2,\"\xf0\x9f\x98\x80\\ud83d\\ude01\":3}");
}

static void test_place_of_a_fault(void **state)
{
    static const char text[] = "{\n  \"submissions\": [\n    {\"a\": 1},\n    {\"b\": \"\\u0000\"}\n  ]\n}";
    struct wire_fault f;

    (void)state;
    assert_int_equal(check(text, sizeof(text) - 1, &f), -1);
    assert_int_equal(f.line, 4);
    assert_int_equal(f.column, 12);
    assert_int_equal(f.offset, strstr(text, "\\u0000") - text);
    assert_int_equal(f.item, 1);
    assert_int_equal(f.name.len, 1);
    assert_memory_equal(f.name.ptr, "b", 1);
}

static void test_depth(void **state)
{
    char text[200];

    (void)state;
    memset(text, '[', 100);
    memset(text + 100, ']', 100);
    refuses(text, 200, WIRE_FAULT_DEPTH, 32);
    assert_int_equal(check(text + 68, 64, &(struct wire_fault){0}), 0);
    refuses(text + 67, 66, WIRE_FAULT_DEPTH, 32);
}

static void test_counts(void **state)
{
    CLEAN_BUF struct buf text = {0};
    struct wire_fault f;

    (void)state;
    buf_adds(&text, "{");
    for (int i = 0; i < 64; i++)
        buf_addf(&text, "%s\"k%d\":0", i > 0 ? "," : "", i);
    buf_adds(&text, "}");
    accepts(text.data);
    text.data[--text.len] = '\0';
    buf_adds(&text, ",\"k64\":0}");
    assert_int_equal(check(text.data, text.len, &f), -1);
    assert_int_equal(f.kind, WIRE_FAULT_MEMBERS);
    buf_clear(&text);
    buf_adds(&text, "[0");
    for (int i = 0; i < 100000; i++)
        buf_adds(&text, ",0");
    buf_adds(&text, "]");
    assert_int_equal(check(text.data, text.len, &f), -1);
    assert_int_equal(f.kind, WIRE_FAULT_VALUES);
}

/* Bad UTF-8 at every place of a long text is found at that very place. */
static void test_utf8_place(void **state)
{
    size_t len = 9000;
    CLEAN_FREE char *text = malloc(len);
    static const size_t places[] = {1,    2,    7,    8,    9,    4093, 4094, 4095,
                                    4096, 4097, 4098, 8190, 8191, 8192, 8998};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(places); i++) {
        text[0] = text[len - 1] = '"';
        for (size_t k = 1; k + 1 < len; k++) /* two-byte letters, shifted so that pieces would cut them */
            text[k] = (k + places[i]) % 2 == 0 ? '\xc3' : '\xa9';
        text[1] = (1 + places[i]) % 2 == 0 ? text[1] : 'x';
        text[len - 2] = (len - 2 + places[i]) % 2 == 0 ? 'x' : text[len - 2];
        text[places[i]] = '\xff';
        refuses(text, len, WIRE_FAULT_UTF8, places[i]);
    }
}

/* ---- agreement with cJSON ------------------------------------------------------------- */

static uint64_t random_state = 88172645463325252u;

static unsigned rnd(unsigned below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (unsigned)(random_state % below);
}

/* The same value, as far as a reader without a tree can tell. */
static void compare(struct bytes value, const cJSON *node)
{
    struct wire_walk walk;
    struct bytes name, element;
    double number;

    if (cJSON_IsString(node)) {
        CLEAN_BUF struct buf text = {0};

        assert_true(wire_walk_is_string(value));
        assert_int_equal(wire_string_decode(value, &text), 0);
        assert_string_equal(text.len > 0 ? text.data : "", node->valuestring);
        assert_true(wire_string_is(value, node->valuestring));
    } else if (cJSON_IsNumber(node)) {
        assert_true(wire_number_read(value, &number));
        assert_true(number == node->valuedouble);
    } else if (cJSON_IsArray(node) || cJSON_IsObject(node)) {
        bool object = cJSON_IsObject(node);

        assert_true(wire_walk_into(value, object ? '{' : '[', &walk));
        for (node = node->child; node != NULL; node = node->next) {
            assert_true(wire_walk_next(&walk, object ? &name : NULL, &element));
            if (object)
                assert_true(wire_string_is(name, node->string));
            compare(element, node);
        }
        assert_false(wire_walk_next(&walk, object ? &name : NULL, &element));
    } else {
        assert_true(value.len == (cJSON_IsFalse(node) ? 5u : 4u));
    }
}

static void compare_text(struct bytes text, const cJSON *tree)
{
    for (; text.len > 0 && strchr(" \t\r\n", text.ptr[0]) != NULL; text.len--)
        text.ptr++;
    while (text.len > 0 && strchr(" \t\r\n", text.ptr[text.len - 1]) != NULL)
        text.len--;
    compare(text, tree);
}

static size_t mutate(char *text, size_t len, size_t room)
{
    static const char alphabet[] = "{}[]\",:\\/ntru0123456789eE.+- \n\tfals\xc3\xa9\xff\0\x1f";
    unsigned count = rnd(5);

    for (unsigned i = 0; i < count; i++) {
        size_t at = rnd((unsigned)len + 1);
        unsigned what = rnd(3);

        if (what == 0 && len < room) {
            memmove(text + at + 1, text + at, len - at);
            text[at] = alphabet[rnd(sizeof(alphabet) - 1)];
            len++;
        } else if (what == 1 && at < len) {
            memmove(text + at, text + at + 1, len - at - 1);
            len--;
        } else if (at < len) {
            text[at] = alphabet[rnd(sizeof(alphabet) - 1)];
        }
    }
    return len;
}

static void test_agreement_with_cjson(void **state)
{
    static const char *const seeds[] = {
        "{\"submissions\":[{\"source_code\":\"print(1)\\n\",\"language_id\":71,\"timeout\":1e3,\"args\":["
        "\"a\",\"\\u00e9\"]}]}",
        "[1,-2.5e+10,true,false,null,\"\\ud83d\\ude00\",{\"a\":{\"b\":[]}}]",
        "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"b\":[[],{},[{}]],\"c\":0.125}",
    };
    unsigned accepted = 0, refused = 0;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        const char *seed = seeds[rnd(COUNT_OF(seeds))];
        char text[256];
        size_t len = strlen(seed);
        struct wire_fault f;
        cJSON *tree;

        memcpy(text, seed, len);
        len = mutate(text, len, sizeof(text));
        tree = cJSON_ParseWithLength(text, len);
        if (check(text, len, &f) == 0) {
            if (tree == NULL)
                fail_msg("accepted, but cJSON does not: %.*s", (int)len, text);
            compare_text((struct bytes){text, len}, tree);
            accepted++;
        } else {
            assert_true(f.offset <= len);
            refused++;
        }
        cJSON_Delete(tree);
    }
    assert_true(accepted > 20000 && refused > 20000);
}

/* Nothing but grammar: random tokens, where most is refused, and reading never leaves the text. */
static void test_token_soup(void **state)
{
    static const char *const tokens[] = {"{", "}",      "[",    "]",    ",", ":",           "\"a\"", "\"b\"",
                                         "1", "-1.5e3", "true", "null", " ", "\"\\u0041\"", "\"",    "\\"};
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < 200000; i++) {
        char text[128] = "";
        size_t len = 0;
        struct wire_fault f;
        cJSON *tree;

        for (unsigned n = 1 + rnd(7); n > 0; n--) {
            const char *t = tokens[rnd(COUNT_OF(tokens))];

            memcpy(text + len, t, strlen(t));
            len += strlen(t);
        }
        if (check(text, len, &f) != 0)
            continue;
        accepted++;
        tree = cJSON_ParseWithLength(text, len);
        assert_non_null(tree);
        compare_text((struct bytes){text, len}, tree);
        cJSON_Delete(tree);
    }
    assert_true(accepted > 1000);
}

static void test_nul_when_allowed(void **state)
{
    static const struct wire_text_rules lax = {.nul_allowed = true, .values_max = 10};
    static const char text[] = "{\"a\":\"x\\u0000y\\ud83d\\ude00\"}";
    struct wire_fault f;
    struct wire_walk walk;
    struct bytes name, value;
    CLEAN_BUF struct buf out = {0};

    (void)state;
    assert_int_equal(wire_text_check(bytes_of(text), &lax, &f), 0);
    assert_true(wire_walk_into(bytes_of(text), '{', &walk));
    assert_true(wire_walk_next(&walk, &name, &value));
    assert_int_equal(wire_string_decode(value, &out), 0);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.data, "x\0y\xf0\x9f\x98\x80", 7);
}

/* The worst that a body can be must not take long: names that all collide in length and beginning. */
static void test_hostile_sizes(void **state)
{
    CLEAN_BUF struct buf text = {0};
    uint64_t begin = clock_mono_ns();
    struct wire_fault f;

    (void)state;
    buf_adds(&text, "[");
    for (int object = 0; object < 1000; object++) {
        buf_adds(&text, object > 0 ? ",{" : "{");
        for (int i = 0; i < 64; i++)
            buf_addf(&text, "%s\"\\u0061%0240d\":0", i > 0 ? "," : "", i);
        buf_adds(&text, "}");
    }
    buf_adds(&text, "]");
    assert_int_equal(wire_text_check((struct bytes){text.data, text.len}, &rules, &f), 0);
    assert_true(clock_mono_ns() - begin < UINT64_C(20000000000)); /* quadratic work would take minutes */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good_texts),
        cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_names_that_only_look_alike),
        cmocka_unit_test(test_place_of_a_fault),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_utf8_place),
        cmocka_unit_test(test_agreement_with_cjson),
        cmocka_unit_test(test_token_soup),
        cmocka_unit_test(test_nul_when_allowed),
        cmocka_unit_test(test_hostile_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
