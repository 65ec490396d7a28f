/* plugin_c_direct_test.c - what gcc says that it would run, made into a script; and whatever is not
 * understood is gcc's to do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "c_direct.h"

#define TOOLS "@as /usr/bin/as\n@ld /usr/bin/ld\n"
#define GOLD "@ld.gold /usr/bin/ld.gold\n"
#define TALK "gcc (Debian 12.2.0-14) 12.2.0\nCopyright\n" TOOLS
#define OPTIONS "COLLECT_GCC_OPTIONS='-O2' '-o' 'main'\n"
#define CC1 " /usr/lib/gcc/12/cc1 -quiet main.c -quiet -dumpbase main.c \"-std=gnu17\" -O2 -o /tmp/ccA.s\n"
#define AS " as --64 -o /tmp/ccB.o /tmp/ccA.s\n"
#define LD                                                                                                   \
    " /usr/lib/gcc/12/collect2 -plugin /usr/lib/gcc/12/liblto_plugin.so "                                    \
    "\"-plugin-opt=-fresolution=/tmp/ccC.res\" --build-id -m elf_x86_64 \"--hash-style=gnu\" "               \
    "-dynamic-linker /lib64/ld-linux-x86-64.so.2 -pie -o main /usr/lib/crt1.o -L/usr/lib /tmp/ccB.o -lm "    \
    "-lc "                                                                                                   \
    "/usr/lib/crtn.o\n"
#define STEPS OPTIONS CC1 OPTIONS AS OPTIONS LD OPTIONS

static const char *const driver[] = {"/usr/bin/gcc", "-O2", "-o", "main", "main.c", "-lm", NULL};

/* The script; NULL: refused. */
static char *learn(const char *said, char why[160])
{
    const struct execd_bytes bytes = {said, strlen(said)};
    struct c_direct d;
    char *script;

    memset(why, 0, 160);
    if (c_direct_learn(bytes, driver, &d, why, 160) != 0) {
        assert_null(d.script);
        assert_null(d.steps);
        return NULL;
    }
    script = d.script;
    d.script = NULL;
    c_direct_done(&d);
    return script;
}

static void holds(const char *script, const char *words)
{
    if (strstr(script, words) == NULL)
        fail_msg("the script has no `%s`:\n%s", words, script);
}

static void three_steps(void **state)
{
    char why[160];
    char *script = learn(TALK GOLD STEPS, why);

    (void)state;
    assert_string_equal(why, "");
    assert_non_null(script);
    holds(script, " '/usr/lib/gcc/12/cc1' '-quiet' 'main.c' '-quiet' '-dumpbase' 'main.c' '-std=gnu17' '-O2' "
                  "'-o' '-' ");
    holds(script, " '/usr/bin/as' '--64' '-o' '/tmp/ccdirect.o' ");
    holds(script,
          " '/usr/bin/ld.gold' '--warn-execstack' '-nostdlib' '--no-map-whole-files' '--build-id' '-m' ");
    holds(script,
          " '-o' 'main' '/usr/lib/crt1.o' '-L/usr/lib' '/tmp/ccdirect.o' '-lm' '-lc' '/usr/lib/crtn.o' ");
    holds(script, "exec '/usr/bin/gcc' '-O2' '-o' 'main' 'main.c' '-lm' -w\n");
    holds(script, "exec '/usr/bin/gcc' '-O2' '-o' 'main' '/tmp/ccdirect.o' '-lm'\n");
    assert_null(strstr(script, "plugin"));
    free(script);
}

static void without_gold_the_linker_is_the_drivers(void **state)
{
    static const char *const none[] = {TALK STEPS, TALK "@ld.gold \n" STEPS};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(none); i++) {
        char why[160];
        char *script = learn(none[i], why);

        assert_non_null(script);
        holds(script, " '/usr/bin/ld' '--build-id' ");
        assert_null(strstr(script, "gold"));
        free(script);
    }
}

static void the_words_of_its_programs(void **state)
{
    const struct execd_bytes with = {TALK GOLD STEPS, strlen(TALK GOLD STEPS)},
                             without = {TALK STEPS, strlen(TALK STEPS)};
    struct c_direct d;
    char why[160];

    (void)state;
    assert_int_equal(c_direct_learn(with, driver, &d, why, sizeof(why)), 0);
    assert_string_equal(
        d.steps,
        "/usr/lib/gcc/12/cc1\n-quiet\nmain.c\n-quiet\n-dumpbase\nmain.c\n-std=gnu17\n-O2\n-o\n-\n\n"
        "/usr/bin/as\n--64\n-o\n/tmp/ccdirect.o\n\n"
        "/usr/bin/ld.gold\n--warn-execstack\n-nostdlib\n--no-map-whole-files\n--build-id\n-m\n"
        "elf_x86_64\n--hash-style=gnu\n-dynamic-linker\n/lib64/ld-linux-x86-64.so.2\n-pie\n-o\nmain\n"
        "/usr/lib/crt1.o\n-L/usr/lib\n/tmp/ccdirect.o\n-lm\n-lc\n/usr/lib/crtn.o\n\n");
    c_direct_done(&d);
    assert_int_equal(c_direct_learn(without, driver, &d, why, sizeof(why)), 0);
    assert_non_null(d.script);
    assert_null(d.steps);
    c_direct_done(&d);
}

static void gold_searches_a_folder_once(void **state)
{
    static const char said[] =
        CC1 AS " /x/collect2 -o main -L/a -L/b/../a -L/c -L/gone -L/gone -L/odd /tmp/ccB.o -L/d/../c\n"
               "@folder -L/a /a\n@folder -L/b/../a /a\n@folder -L/c /c\n@folder -L/gone sh: 1: cd\n@folder "
               "-L/gone \n"
               "@folder -L/d/../c /c\n@folder\n@folder \n@folder -L/odd\n";
    char why[160], *script, text[2048];

    (void)state;
    snprintf(text, sizeof(text), TOOLS GOLD "%s", said);
    script = learn(text, why);
    assert_non_null(script);
    holds(script, " '-o' 'main' '-L/a' '-L/c' '-L/gone' '-L/gone' '-L/odd' '/tmp/ccdirect.o' 3>&- ");
    free(script);
    snprintf(text, sizeof(text), TOOLS "%s", said); /* ld opens what it is told of */
    script = learn(text, why);
    assert_non_null(script);
    holds(script,
          " '-L/a' '-L/b/../a' '-L/c' '-L/gone' '-L/gone' '-L/odd' '/tmp/ccdirect.o' '-L/d/../c' 3>&- ");
    free(script);
}

static const struct {
    const char *said, *why;
} refused[] = {
    {"", "fewer than three steps"},
    {TALK, "fewer than three steps"},
    {TALK CC1 AS, "fewer than three steps"},
    {TALK CC1 AS LD LD, "more than three steps"},
    {CC1 AS LD, "as or ld is not found"},
    {"@as as\n@ld /usr/bin/ld\n" CC1 AS LD, "as or ld is not found"},
    /* another compiler, other work */
    {TALK " \"/usr/lib/llvm-14/bin/clang\" \"-cc1\" \"-o\" \"/tmp/main-1.o\" main.c\n" AS LD,
     "not cc1: /usr/lib/llvm"},
    {TALK " cc1 main.c -o /tmp/ccA.s\n" AS LD, "not cc1: cc1"},
    {TALK " /usr/lib/gcc/12/cc1 -quiet main.c -o - |\n" AS LD, "not expected: |"},
    {TALK " /usr/lib/gcc/12/cc1 main.c -flto -o /tmp/ccA.s\n" AS LD, "not expected: -flto"},
    {TALK " /usr/lib/gcc/12/cc1 main.c @/tmp/x -o /tmp/ccA.s\n" AS LD, "not expected: @/tmp/x"},
    {TALK " /usr/lib/gcc/12/cc1 main.c /tmp/x -o /tmp/ccA.s\n" AS LD, "not expected: /tmp/x"},
    {TALK " /usr/lib/gcc/12/cc1 main.c main.c -o /tmp/ccA.s\n" AS LD, "one file of one source"},
    {TALK " /usr/lib/gcc/12/cc1 main.c -o main.s\n" AS LD, "one file of one source"},
    {TALK CC1 " as --64 -alh -o /tmp/ccB.o /tmp/ccA.s\n" LD, "not expected: -alh"},
    {TALK CC1 " as --64 -o /tmp/ccB.o /tmp/other.s\n" LD, "not expected: /tmp/other.s"},
    {TALK CC1 " as --64 -o /tmp/ccB.o\n" LD, "one object of one file"},
    {TALK CC1 " objcopy a b\n" LD, "not as: objcopy"},
    {TALK CC1 AS " /usr/bin/ld -o main /tmp/ccB.o\n", "not collect2"},
    {TALK CC1 AS " /x/collect2 \"-fuse-ld=lld\" -o main /tmp/ccB.o\n", "not expected: -fuse-ld=lld"},
    {TALK CC1 AS " /x/collect2 \"-fuse-ld=gold\" -o main /tmp/ccB.o\n", "not expected: -fuse-ld=gold"},
    {TALK CC1 AS " /x/collect2 -o main /tmp/ccB.o --wrap malloc\n", "not expected: --wrap"},
    {TALK CC1 AS " /x/collect2 -o main /tmp/ccB.o /tmp/ccZ.o\n", "not expected: /tmp/ccZ.o"},
    {TALK CC1 AS " /x/collect2 -o main.exe /tmp/ccB.o\n", "not expected: -o"},
    {TALK CC1 AS " /x/collect2 -o main\n", "main of one object"},
    {TALK CC1 AS " /x/collect2 -o main /tmp/ccB.o -m\n", "not expected: -m"},
    /* what no shell must get */
    {TALK " /usr/lib/gcc/12/cc1 \"-DX='a'\" main.c -o /tmp/ccA.s\n" AS LD, "cannot be read"},
    {TALK " /usr/lib/gcc/12/cc1 \"-DX main.c -o /tmp/ccA.s\n" AS LD, "cannot be read"},
    {TALK " /usr/lib/gcc/12/cc1 \"-D\"X main.c -o /tmp/ccA.s\n" AS LD, "cannot be read"},
};

static void whatever_is_not_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        char why[160];
        char *script = learn(refused[i].said, why);

        if (script != NULL)
            fail_msg("row %zu became a script", i);
        if (strstr(why, refused[i].why) == NULL)
            fail_msg("row %zu: `%s`, not `%s`", i, why, refused[i].why);
    }
}

static void words_keep_what_was_quoted(void **state)
{
    char why[160];
    char *script = learn(TALK " /x/cc1 \"-DX=\\\"a b\\\\c\\\"\" main.c -o /tmp/ccA.s\n" AS LD, why);

    (void)state;
    assert_non_null(script);
    holds(script, " '-DX=\"a b\\c\"' ");
    free(script);
}

static void too_much_is_refused(void **state)
{
    CLEAN_BUF struct buf text = {0};
    char why[160];

    (void)state;
    assert_int_equal(buf_adds(&text, TALK " /x/cc1 main.c -o /tmp/ccA.s"), 0);
    for (int i = 0; i < 300; i++)
        assert_int_equal(buf_adds(&text, " -O2"), 0);
    assert_int_equal(buf_adds(&text, "\n" AS LD), 0);
    assert_null(learn(text.data, why));
    assert_non_null(strstr(why, "too many words"));
    buf_clear(&text);
    assert_int_equal(buf_adds(&text, TALK " /x/cc1 main.c -D"), 0);
    for (int i = 0; i < 40000; i++)
        assert_int_equal(buf_adds(&text, "x"), 0);
    assert_int_equal(buf_adds(&text, " -o /tmp/ccA.s\n" AS LD), 0);
    assert_null(learn(text.data, why));
    assert_non_null(strstr(why, "too long"));
}

static void words_of_the_driver(void **state)
{
    static const char *const wrong[][4] = {{"/usr/bin/gcc", "-DX='a'", "main.c"},
                                           {"/usr/bin/gcc", "-xc", "main.c"},
                                           {"/usr/bin/gcc", "x.c"},
                                           {"/usr/bin/gcc", "main.c", "main.c"}};
    const char *said = TALK STEPS;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        char why[160] = "";
        struct c_direct d;

        assert_int_equal(
            c_direct_learn((struct execd_bytes){said, strlen(said)}, wrong[i], &d, why, sizeof(why)), -1);
        assert_non_null(strstr(why, "the driver "));
    }
}

static int fits(const char *source)
{
    return c_direct_fits((struct execd_bytes){source, strlen(source)});
}

static void sources(void **state)
{
    (void)state;
    assert_true(fits(""));
    assert_true(fits("int main(void) { return intersection(plasma); } /* asmodeus */"));
    assert_false(fits("int main(void) { asm(\"nop\"); }"));
    assert_false(fits("__asm__(\".section x\");"));
    assert_false(fits("__attribute__((section(\"x\"))) int a;"));
    assert_false(fits("asm"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(three_steps),
        cmocka_unit_test(without_gold_the_linker_is_the_drivers),
        cmocka_unit_test(the_words_of_its_programs),
        cmocka_unit_test(gold_searches_a_folder_once),
        cmocka_unit_test(whatever_is_not_understood),
        cmocka_unit_test(words_keep_what_was_quoted),
        cmocka_unit_test(too_much_is_refused),
        cmocka_unit_test(words_of_the_driver),
        cmocka_unit_test(sources),
    };

    return cmocka_run_group_tests_name("plugin_c_direct", tests, NULL, NULL);
}
