"""C by gcc's steps and C by gcc itself: what users see is the same, down to the byte."""

import re

import pytest

from conftest import C, Execd
from server import eventually

MAIN = "int main(void) { return 0; }\n"
SOURCES = {
    "plain": "#include <math.h>\n#include <stdio.h>\nint main(void) { printf(\"%.3f\\n\", sqrt(2.0)); return 3; }\n",
    "warning": "#include <stdio.h>\nint main(void) { int unused; printf(\"%s\\n\", 3); return 0; }\n",
    "pragma": "#pragma message \"hello\"\n" + MAIN,
    "not-ascii": "#include <stdio.h>\nint main(void) { int \u00fc = 3; puts(\"h\u00e9llo \u2603\"); return \u00fc - 3; }\n",
    "empty": "",
    "syntax": "int main(void) { retrun 0; }\n",
    "no-header": "#include \"nothing.h\"\n" + MAIN,
    "deep": "#include \"main.c\"\n" + MAIN,
    "crashes-the-compiler": "int x = " + "(" * 1000000 + ";\n",
    "crashes-the-compiler-shortly": "int x = " + "(" * 60000 + ";\n",
    "nests-deeply": "int x = " + "(" * 5000 + "1" + ")" * 5000 + ";\n" + MAIN,
    # how a file begins and ends
    "byte-order-mark": "\ufeff" + MAIN + "int unused(void) { int a; }\n",
    "no-last-line-end": MAIN + "static int a",
    "one-word": "x",
    "returns-for-line-ends": "#error one\r#error two\r",
    "last-line-goes-on": MAIN + "#error goes on \\",
    "comment-without-end": MAIN + "/* ",
    "string-without-end": MAIN + "const char *s = \"",
    "many-lines": "\n" * 40000 + "int f(void) { }\n" + MAIN,
    "one-long-line": "int a[] = {" + "1," * 20000 + "x};" + MAIN,
    "once": "#pragma once\n#include __FILE__\n" + MAIN,
    "includes-itself-once": "#ifndef A\n#define A\n#include __FILE__\nint main(void) { return f(); }\n#else\nint f(void) { return 3; }\n#endif\n",
    "levels": "#include <stdio.h>\nint main(void) { printf(\"%s %s %d %d %d\\n\", __FILE__, __BASE_FILE__, __INCLUDE_LEVEL__, "
              "__LINE__, __COUNTER__); }\n",
    "cannot-keep": "#include <stdio.h>\nint main(void) { puts(\"a\"); }\n__attribute__((alias(\"nope\"))) int f(void);\n",
    "error-directive": "#error no\n",
    "warning-and-error": "int f(void) { int unused; }\nint main(void) { return y; }\n",
    # what only a linker says
    "undefined": "int f(void);\nint main(void) { return f(); }\n",
    "undefined-and-warned": "int f(void);\nint main(void) { int unused; return f(); }\n",
    "no-main": "int f(void) { return 1; }\n",
    "undefined-after-words": "#pragma message \"hello\"\nint f(void);\nint main(void) { return f(); }\n",
    "hidden-assembly": "#define A(x) __a##x##__\nint main(void) { int unused; A(sm)(\"bogus\"); }\n",
    "twice": "int _start(void) { return 1; }\n" + MAIN,
    "dangerous": "char *gets(char *);\nint main(void) { char b[9]; return gets(b) != 0; }\n",
    "thread-local": "extern int errno;\nint main(void) { return errno; }\n",
    "too-big": "static char a[1 << 30], b[1 << 30], c[1 << 30];\n"
               "int main(int n, char **v) { (void)v; a[n] = b[n] = c[n] = 1; return a[n * 2] + b[n * 3] + c[n * 4]; }\n",
    "linkers-own-symbol": "int _end, _edata;\nint main(void) { _end = 1; return _edata; }\n",
    "executable-stack": "static int call(int (*f)(int)) { return f(3); }\n"
                        "int main(void) { int k = 1; int g(int x) { return x * k; } return call(g); }\n",
    # what linkers treat each in their own way
    "assembly": "__asm__(\".section .note.GNU-stack,\\\"x\\\"\");\n" + MAIN,
    "bad-assembly": "int main(void) { __asm__(\"bogus\"); }\n",
    "section": "__attribute__((section(\".x,\\\"awx\\\"#\"))) int a = 1;\nint main(void) { return a - 1; }\n",
    # what linkers treat alike
    "constructors": "#include <stdio.h>\n__attribute__((constructor(102))) static void b(void) { puts(\"b\"); }\n"
                    "__attribute__((constructor(101))) static void a(void) { puts(\"a\"); }\n"
                    "__attribute__((destructor)) static void d(void) { puts(\"d\"); }\n" + MAIN,
    "weak": "extern int nope(void) __attribute__((weak));\nint main(void) { return nope != 0; }\n",
    "ends": "extern char etext, edata, end, __bss_start;\nint main(void) { return &end < &edata || &etext > &__bss_start; }\n",
    "names-of-the-library": "int y1, time, stdout, environ, read;\nint main(void) { read = time = 2; return y1 + read - 2; }\n",
    "threads": "#include <pthread.h>\n#include <stdio.h>\n_Thread_local int x = 4;\nstatic void *f(void *a) { x++; return a; }\n"
               "int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); printf(\"%d\\n\", x); return 0; }\n",
    "crash": "int main(void) { *(volatile int *)0 = 1; }\n",
}
SHOWN = ("status", "exit_code", "signal", "stdout", "stderr", "message", "limit_hit", "compile_output_truncated")


def shown(job):
    """What a user sees.  Temporary files have names of their own each time."""
    seen = {k: job[k] for k in SHOWN}
    seen["compile_output"] = re.sub(r"/tmp/cc\w{6}", "/tmp/ccXXXXXX", job["compile_output"] or "")
    return seen


@pytest.fixture(scope="module")
def both(tmp_path_factory, shared):
    plugins = [{"file": "lang-c.so", "settings": {"direct": False}}]
    with Execd(tmp_path_factory.mktemp("driver"), {"plugins": plugins}) as s:
        yield shared, s.ready()


@pytest.mark.parametrize("name", SOURCES)
def test_same_as_the_driver(both, name):
    direct, driver = both
    assert shown(direct.run(C, SOURCES[name])) == shown(driver.run(C, SOURCES[name]))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """The steps in forks of the toolchain's zygote."""
    conf = {"plugins": [{"file": "lang-c.so"}], "warm": {"enabled": True}, "compile": {"cache": "off"}}
    with Execd(tmp_path_factory.mktemp("zygote"), conf) as s:
        s.ready()
        eventually(lambda: "warm_ready language_id=50 way=zygote" in s.logged(), s.logged)
        yield s


@pytest.mark.parametrize("name", SOURCES)
def test_a_zygotes_fork_as_the_driver(both, warm, name):
    assert shown(warm.run(C, SOURCES[name])) == shown(both[1].run(C, SOURCES[name]))


def test_what_runs_in_a_zygotes_fork(warm):
    """No shell, and so no process of a shell's."""
    source = "#include <stdio.h>\n" + "".join(
        "#if __has_include(\"/proc/%d/stat\")\n#define P%d 1\n#else\n#define P%d 0\n#endif\n" % (n, n, n) for n in (4, 5)) + \
        "int main(void) { return P4 * 10 + P5; }\n"
    assert warm.run(C, source)["exit_code"] == 10
    assert warm.run(C, source + "/*" + "." * (64 << 10) + "*/")["exit_code"] == 11


def test_a_compiler_that_cannot_be_a_zygote_is_cold(tmp_path):
    """A cc1 without a hosted library opens no first header: there it is to stop."""
    conf = {"plugins": [{"file": "lang-c.so", "settings": {"flags": "-O2 -ffreestanding"}}], "warm": {"enabled": True}}
    with Execd(tmp_path, conf) as s:
        s.ready()
        eventually(lambda: "warm_failed language_id=50 way=zygote" in s.logged(), s.logged)
        assert s.run(C, SOURCES["plain"])["stdout"] == "1.414\n"
        assert "warm_ready" not in s.logged()


def test_what_runs(both):
    """By the driver cc1 is the third process of its cell, and the last one meanwhile."""
    source = "#if __has_include(\"/proc/4/stat\")\nint who = 1;\n#else\nint who = 2;\n#endif\nint main(void) { return who; }\n"
    assert [s.run(C, source)["exit_code"] for s in both] == [1, 2]
    assert [s.run(C, "/* asm */\n" + source)["exit_code"] for s in both] == [2, 2]


def test_flood_of_errors_is_cut_as_the_drivers(both):
    source = "#define A x1 x2; x3 x4; x5 x6; x7 x8; x9 y1; y2 y3;\n#define B A A A A A A A A A A A A A A A A\n" \
             "int main(void) { " + "B " * 40 + "return 0; }\n"
    jobs = [s.run(C, source) for s in both]
    assert [j["status"] for j in jobs] == ["compile_error"] * 2
    assert all(j["compile_output_truncated"] for j in jobs) and jobs[0]["message"] == jobs[1]["message"]
    assert jobs[0]["compile_output"][:8000] == jobs[1]["compile_output"][:8000]
