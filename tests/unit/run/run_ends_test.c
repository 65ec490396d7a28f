/* run_ends_test.c - an output is kept whole up to its cap; of more, both ends are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "run_internal.h"

/* What is kept of `text` with this cap, given in pieces of `piece` bytes. */
static struct buf kept(const char *text, size_t len, size_t cap, size_t piece)
{
    struct run_ends e = {.cap = cap};
    struct buf out = {0};

    for (size_t at = 0; at < len; at += piece) {
        assert_int_equal(run_ends_add(&e, text + at, MIN(piece, len - at)), 0);
        assert_true(e.head.len + e.ring.len <= cap); /* however much comes */
        assert_int_equal(run_ends_cut(&e), MIN(at + piece, len) > cap);
    }
    assert_int_equal(run_ends_take(&e, &out), 0);
    return out;
}

static void expect(const char *text, size_t cap, const char *expected)
{
    for (size_t piece = 1; piece <= strlen(text) + 1; piece++) {
        struct buf out = kept(text, strlen(text), cap, piece);

        assert_string_equal(out.len == 0 ? "" : out.data, expected);
        assert_int_equal(out.len, strlen(expected));
        buf_done(&out);
    }
}

static void test_within_the_cap_nothing_changes(void **state)
{
    (void)state;
    expect("", 8, "");
    expect("abc", 8, "abc");
    expect("abcde", 8, "abcde");
    expect("abcdefgh", 8, "abcdefgh");
    expect("abcdefg", 7, "abcdefg");
}

static void test_beyond_it_both_ends_stay(void **state)
{
    (void)state;
    expect("abcdefghi", 8, "abcd\n[... 1 bytes are left out here ...]\nfghi");
    expect("abcdefghijklmnopqrstuvwxyz", 8, "abcd\n[... 18 bytes are left out here ...]\nwxyz");
    expect("abcdefghijklmnopqrstuvwxyz", 7, "abcd\n[... 19 bytes are left out here ...]\nxyz");
    expect("abc\nefghijklmnopqrstuvwxyz", 8, "abc\n[... 18 bytes are left out here ...]\nwxyz");
}

/* "é" is two bytes, "€" three: neither is cut in two, and what is dropped is counted. */
static void test_text_stays_text(void **state)
{
    (void)state;
    expect("abc\xc3\xa9 456 890", 8, "abc\n[... 6 bytes are left out here ...]\n 890");
    expect("abcd 456 \xe2\x82\xac\x39\x30", 8, "abcd\n[... 8 bytes are left out here ...]\n90");
    expect("\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac", 8,
           "\xe2\x82\xac\n[... 3 bytes are left out here ...]\n\xe2\x82\xac");
}

static void test_a_flood_costs_its_cap(void **state)
{
    static char flood[100003];
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(flood); i++)
        flood[i] = (char)('a' + i % 23);
    out = kept(flood, sizeof(flood), 1024, 997);
    assert_memory_equal(out.data, flood, 512);
    assert_memory_equal(out.data + out.len - 512, flood + sizeof(flood) - 512, 512);
    assert_non_null(strstr(out.data, "\n[... 98979 bytes are left out here ...]\n"));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_within_the_cap_nothing_changes),
        cmocka_unit_test(test_beyond_it_both_ends_stay),
        cmocka_unit_test(test_text_stays_text),
        cmocka_unit_test(test_a_flood_costs_its_cap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
