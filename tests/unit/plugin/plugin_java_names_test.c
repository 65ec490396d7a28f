/* plugin_java_names_test.c - file and class of Java sources, from the plain to the misleading. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "lang_java.h"

#define MAIN "public static void main(String[] args) { }"

static const struct {
    const char *source, *file, *run;
} cases[] = {
    {"", "Main.java", "Main"},
    {"class Main { " MAIN " }", "Main.java", "Main"},
    {"public class Right { " MAIN " }", "Right.java", "Right"},
    {"class Only { " MAIN " }", "Main.java", "Only"},
    /* what is no code */
    {"// public class Wrong { " MAIN " }\nclass Right { " MAIN " }", "Main.java", "Right"},
    {"/* public class Wrong { " MAIN " } */ public class Right { }", "Right.java", "Right"},
    {"class A { String s = \"class X { " MAIN " }\"; }\nclass B { " MAIN " }", "Main.java", "B"},
    {"class A { char c = '\"'; char d = '\\''; } class B { " MAIN " }", "Main.java", "B"},
    {"class A { char c = '{'; } class B { " MAIN " }", "Main.java", "B"},
    {"class A { String s = \"\"\"\n  } \"quoted\" public class Wrong {\n\"\"\"; }\nclass B { " MAIN " }",
     "Main.java", "B"},
    {"class A { String s = \"\\\\\"; } class B { " MAIN " }", "Main.java", "B"},
    /* which class */
    {"class Helper { static int f() { return 7; } } public class Right { " MAIN " }", "Right.java", "Right"},
    {"public class Shapes { } class App { " MAIN " }", "Shapes.java", "App"},
    {"class First { } class Second { }", "Main.java", "First"},
    {"class A { void main(String s) { } } class B { " MAIN " }", "Main.java", "B"},
    {"class A { int main(String[] a) { return 0; } } class B { " MAIN " }", "Main.java", "B"},
    {"class A { static class Inner { " MAIN " } } class B { " MAIN " }", "Main.java", "B"},
    {"class A { void f() { int main = 1; } } class B { static public void main(final String... a) { } }",
     "Main.java", "B"},
    {"class B { public static void main(String args[]) throws Exception { } }", "Main.java", "B"},
    {"class B { @Deprecated public static final void main(java.lang.String[] args) { } }", "Main.java", "B"},
    {"class B { static int x = 1; void main() { } } class C { " MAIN " }", "Main.java", "C"},
    {"class B { void main() { } }", "Main.java", "B"},
    /* what is a type */
    {"public interface App { static void main(String[] a) { } }", "App.java", "App"},
    {"public enum App { ONE; " MAIN " }", "App.java", "App"},
    {"public record App(int x, int y) { " MAIN " }", "App.java", "App"},
    {"record P<T>(T t) { } class B { " MAIN " }", "Main.java", "B"},
    {"@interface Note { Class<?>[] value(); }\n@Note({String.class, Integer.class}) public class App { " MAIN
     " }",
     "App.java", "App"},
    {"@SuppressWarnings(\"unchecked\") public final class App<T extends Comparable<T>> implements Runnable "
     "{ " MAIN " public void run() { } }",
     "App.java", "App"},
    {"public abstract sealed class Shape permits Circle { } final class Circle extends Shape { " MAIN " }",
     "Shape.java", "Circle"},
    {"import java.util.*;\nimport static java.lang.Math.*;\npublic class App { " MAIN " }", "App.java",
     "App"},
    {"public\n\tstrictfp /* odd */ class // really\n App { " MAIN " }", "App.java", "App"},
    /* packages */
    {"package a.b.c; public class App { " MAIN " }", "App.java", "a.b.c.App"},
    {"/* head */ package a . /* odd */ b;\nclass App { " MAIN " }", "Main.java", "a.b.App"},
    {"package p; class A { } ", "Main.java", "p.A"},
    /* names */
    {"public class \xc3\x84pfel { " MAIN " }", "\xc3\x84pfel.java", "\xc3\x84pfel"},
    {"public class $_9 { " MAIN " }", "$_9.java", "$_9"},
    /* what javac will refuse must not confuse us */
    {"public class", "Main.java", "Main"},
    {"public class {", "Main.java", "Main"},
    {"class A { \" unclosed\n} class B { " MAIN " }", "Main.java", "B"},
    {"class A { ' \n} class B { " MAIN " }", "Main.java", "B"},
    {"/* never closed public class A {", "Main.java", "Main"},
    {"\"\"\" never closed", "Main.java", "Main"},
    {"class A { \"\\", "Main.java", "A"},
    {"}}}} ) ) public class A { " MAIN " }", "A.java", "A"},
    {"package", "Main.java", "Main"},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* At the end of its memory, so that reading past it is seen. */
        size_t len = strlen(cases[i].source);
        char *copy = malloc(len + 1);
        struct java_names n;

        memcpy(copy, cases[i].source, len);
        copy = realloc(copy, len > 0 ? len : 1);
        assert_int_equal(java_names_of((struct execd_bytes){copy, len}, &n), 0);
        if (strcmp(n.file, cases[i].file) != 0 || strcmp(n.run, cases[i].run) != 0)
            fail_msg("case %zu: file %s, run %s; source: %s", i, n.file, n.run, cases[i].source);
        free(copy);
    }
}

static char *long_class(const char *head, size_t len, const char *tail)
{
    char *name = mem_zero(len + 1, 1);
    char *source;

    memset(name, 'a', len);
    source = mem_printf("%s%s%s", head, name, tail);
    free(name);
    return source;
}

static int names_of(char *source, struct java_names *n)
{
    int rc = java_names_of((struct execd_bytes){source, strlen(source)}, n);

    free(source);
    return rc;
}

/* Of a source without a type javac makes no file. */
static void test_types(void **state)
{
    struct java_names n;

    (void)state;
    assert_int_equal(names_of(mem_dup("// class\nimport java.util.*;"), &n), 0);
    assert_false(n.types);
    assert_int_equal(names_of(mem_dup(""), &n), 0);
    assert_false(n.types);
    assert_int_equal(names_of(mem_dup("@interface A { }"), &n), 0);
    assert_true(n.types);
    assert_int_equal(names_of(mem_dup("package a; record P(int x) { }"), &n), 0);
    assert_true(n.types);
}

static void test_long_names(void **state)
{
    struct java_names n;

    (void)state;
    assert_int_equal(names_of(long_class("public class ", JAVA_NAME_MAX, " { }"), &n), 0);
    assert_int_equal(names_of(long_class("public class ", JAVA_NAME_MAX + 1, " { }"), &n), -1);
    assert_int_equal(names_of(long_class("class ", 100000, " { " MAIN " }"), &n), -1);
    assert_int_equal(names_of(long_class("package ", JAVA_NAME_MAX, "; class A { }"), &n), 0);
    assert_int_equal(names_of(long_class("package ", JAVA_NAME_MAX + 1, "; class A { }"), &n), -1);
}

/* Any cut of a source, and any byte changed, is read within its bounds. */
static void test_damage(void **state)
{
    static const char source[] =
        "package a.b; import x.*; /* c */ @A({B.class}) public class M<T> { String s = \"\\\"{\"; "
        "char c = '\\''; String t = \"\"\"\n } \\\"\"\" \"\"\"; " MAIN " record R(int x) { } }";
    struct java_names n;

    (void)state;
    for (size_t cut = 0; cut < sizeof(source); cut++) {
        char *copy = malloc(cut + 1);

        memcpy(copy, source, cut);
        copy = realloc(copy, cut > 0 ? cut : 1);
        (void)java_names_of((struct execd_bytes){copy, cut}, &n);
        for (size_t i = 0; i < cut; i++) {
            char old = copy[i];

            for (const char *with = "\"'{}();/*\\ a."; *with != '\0'; with++) {
                copy[i] = *with;
                (void)java_names_of((struct execd_bytes){copy, cut}, &n);
            }
            copy[i] = old;
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
