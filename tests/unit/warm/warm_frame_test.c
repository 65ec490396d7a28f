/* warm_frame_test.c - frames as they are written, and as they are read from somebody who may send anything.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "warm_internal.h"

static struct warm_reader reader(void)
{
    struct warm_reader r = {.head_len = 0};

    warm_reader_refuse_all(&r);
    return r;
}

/* What one reader makes of `text` in pieces of that many bytes: "kind:payload ..." and how it ended. */
static struct buf read_pieces(struct warm_reader *r, const void *text, size_t len, size_t piece)
{
    struct buf out = {0};
    struct warm_frame f;
    int rc = 0;

    for (size_t at = 0; at < len && rc >= 0; at += piece) {
        struct bytes in = {(const char *)text + at, MIN(piece, len - at)};

        while ((rc = warm_reader_next(r, &in, &f)) > 0) {
            buf_addf(&out, "%u:%.*s ", f.kind, (int)f.payload.len, f.payload.ptr);
            assert_true(r->payload.len <= (uint64_t)r->max[f.kind]);
        }
        if (rc == 0)
            assert_int_equal(in.len, 0);
    }
    buf_addf(&out, "%s", rc == 0 ? "open" : rc == -EPROTO ? "fault" : "?");
    warm_reader_done(r);
    return out;
}

static void expect(struct warm_reader r, const void *text, size_t len, const char *expected)
{
    for (size_t piece = 1; piece <= len; piece++) {
        struct warm_reader one = r;
        struct buf out = read_pieces(&one, text, len, piece);

        assert_string_equal(out.data, expected);
        buf_done(&out);
    }
}

static void test_what_is_written_is_read(void **state)
{
    const char *const words[] = {"a", "", "bc", NULL};
    struct warm_reader r = reader();
    struct buf b = {0};

    (void)state;
    r.max[EXECD_FRAME_OUTPUT] = 4;
    r.max[EXECD_FRAME_GO] = 0;
    r.max[EXECD_FRAME_FILE] = 3;
    assert_int_equal(warm_frame_put(&b, EXECD_FRAME_OUTPUT, bytes_of("one"), bytes_of("!")), 0);
    assert_int_equal(warm_frame_put(&b, EXECD_FRAME_GO, bytes_of(""), bytes_of("")), 0);
    assert_int_equal(warm_frame_put(&b, EXECD_FRAME_FILE, bytes_of("xyz"), bytes_of("")), 0);
    expect(r, b.data, b.len, "5:one! 4: 3:xyz open");
    buf_done(&b);
    assert_int_equal(warm_frame_put_words(&b, EXECD_FRAME_ARGV, words), 0);
    assert_memory_equal(b.data, "\2\0\0\0\6\0\0\0a\0\0bc\0", 14);
    assert_int_equal(b.len, 14);
    buf_done(&b);
}

static void test_what_does_not_belong_is_a_fault_before_its_payload(void **state)
{
    struct warm_reader r = reader();

    (void)state;
    r.max[EXECD_FRAME_OUTPUT] = 4;
    expect(r, "\5\0\0\0\5\0\0\0", 8, "fault");         /* one too long */
    expect(r, "\5\0\0\0\xff\xff\xff\xff", 8, "fault"); /* by far */
    expect(r, "\4\0\0\0\0\0\0\0", 8, "fault");         /* refused now */
    expect(r, "\0\0\0\0\0\0\0\0", 8, "fault");
    expect(r, "\7\0\0\0\0\0\0\0", 8, "fault"); /* unknown */
    expect(r, "\5\1\0\0\0\0\0\0", 8, "fault");
    expect(r, "\xff\xff\xff\xff\0\0\0\0", 8, "fault");
    expect(r, "\5\0\0\0\1\0\0\0x\4\0\0\0\0\0\0\0", 17, "5:x fault");
}

static void test_what_is_not_whole_is_no_frame(void **state)
{
    struct warm_reader r = reader();

    (void)state;
    r.max[EXECD_FRAME_OUTPUT] = 4;
    expect(r, "\5\0\0", 3, "open");
    expect(r, "\5\0\0\0\4\0\0\0abc", 11, "open");
}

/* Bounds may become less between two frames of one read. */
static void test_bounds_hold_from_frame_to_frame(void **state)
{
    const char text[] = "\5\0\0\0\1\0\0\0x\5\0\0\0\1\0\0\0y";
    struct bytes in = {text, sizeof(text) - 1};
    struct warm_reader r = reader();
    struct warm_frame f;

    (void)state;
    r.max[EXECD_FRAME_OUTPUT] = 1;
    assert_int_equal(warm_reader_next(&r, &in, &f), 1);
    r.max[EXECD_FRAME_OUTPUT] = 0;
    assert_int_equal(warm_reader_next(&r, &in, &f), -EPROTO);
    warm_reader_done(&r);
}

static void test_a_payload_has_its_bound(void **state)
{
    struct buf b = {0};
    char *large = mem_zero(1, EXECD_FRAME_MAX);

    (void)state;
    assert_int_equal(
        warm_frame_put(&b, EXECD_FRAME_FILE, (struct bytes){large, EXECD_FRAME_MAX}, bytes_of("x")),
        -EMSGSIZE);
    assert_int_equal(b.len, 0);
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_written_is_read),
        cmocka_unit_test(test_what_does_not_belong_is_a_fault_before_its_payload),
        cmocka_unit_test(test_what_is_not_whole_is_no_frame),
        cmocka_unit_test(test_bounds_hold_from_frame_to_frame),
        cmocka_unit_test(test_a_payload_has_its_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
