"""Every verdict of the design, from real programs; and who is blamed for what."""

import pytest

from conftest import C, JAVA, NODE, PYTHON

LOOP = {PYTHON: "while True: pass\n", NODE: "for (;;);\n", C: "int main(void) { for (volatile int i = 0;; i++); }\n",
        JAVA: "class L { public static void main(String[] a) { for (;;); } }\n"}
HOG = {PYTHON: "b = []\nwhile True: b.append(bytearray(1 << 20))\n",
       NODE: "const a = []; for (;;) a.push(Buffer.alloc(1 << 20, 1));\n",
       C: "#include <stdlib.h>\n#include <string.h>\nint main(void) { for (;;) { char *p = malloc(1 << 20); "
          "if (p) memset(p, 1, 1 << 20); } }\n",
       JAVA: "import java.util.*;\nclass H { public static void main(String[] a) { List<byte[]> l = new ArrayList<>(); "
             "for (;;) l.add(new byte[1 << 20]); } }\n"}
FLOOD = {PYTHON: "while True: print('y' * 1000)\n",
         NODE: "const b = Buffer.alloc(65536, 'y'); for (;;) require('fs').writeSync(1, b);\n",
         C: '#include <stdio.h>\nint main(void) { for (;;) puts("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"); }\n'}
BROKEN = {C: "int main(void) { return forgotten; }\n", JAVA: "class B { int x = ; }\n"}
EXIT3 = {PYTHON: "import sys\nsys.exit(3)\n", NODE: "process.exit(3)\n", C: "int main(void) { return 3; }\n",
         JAVA: "class E { public static void main(String[] a) { System.exit(3); } }\n"}


@pytest.mark.parametrize("language", EXIT3)
def test_runtime_error_with_exit_code(shared, language):
    j = shared.run(language, EXIT3[language])
    assert (j["status"], j["exit_code"], j["signal"]) == ("runtime_error", 3, None), j


def test_runtime_error_with_signal(shared):
    j = shared.run(C, "int main(void) { *(volatile int *)0 = 1; }\n")
    assert (j["status"], j["exit_code"], j["signal"]) == ("runtime_error", None, 11), j
    j = shared.run(C, "#include <stdlib.h>\nint main(void) { abort(); }\n")
    assert (j["status"], j["signal"]) == ("runtime_error", 6)


def test_exception_is_a_runtime_error(shared):
    j = shared.run(PYTHON, "print(1 // 0)\n")
    assert j["status"] == "runtime_error" and "ZeroDivisionError" in j["stderr"] and "main.py" in j["stderr"]


@pytest.mark.parametrize("language", LOOP)
def test_time_limit_by_cpu(shared, language):
    j = shared.run(language, LOOP[language], timeout=1000)
    assert j["status"] == "time_limit_exceeded", j
    assert 900 <= j["execution_time"] < 6000


def test_cpu_time_has_a_limit_of_its_own(shared):
    j = shared.run(PYTHON, LOOP[PYTHON], timeout=20000, cpu_timeout=300)
    assert (j["status"], j["limit_hit"]) == ("time_limit_exceeded", "cpu_time"), j
    assert j["limits"]["cpu_time"] == 300 and 300 <= j["cpu_time"] < 2000
    j = shared.run(PYTHON, "import time\ntime.sleep(1)\n", timeout=20000, cpu_timeout=500)
    assert j["status"] == "completed", j


def test_cpu_time_that_could_never_be_used_is_refused(shared):
    for fields in ({"timeout": 1000, "cpu_timeout": 1001}, {"timeout": 1000, "cpu_limit": "1500m", "cpu_timeout": 2001}):
        r = shared.request("POST", "/v1/jobs", json=dict(fields, language_id=PYTHON, source_code="1"))
        assert r.status_code == 422 and r.json()["field"] == "cpu_timeout", r.text
    r = shared.request("POST", "/v1/jobs", json={"timeout": 1000, "cpu_limit": "1500m", "cpu_timeout": 2000,
                                                 "language_id": PYTHON, "source_code": "1"})
    assert r.status_code == 202, r.text


def test_refused_processes_are_told(shared):
    j = shared.run(PYTHON, "import os, time\ntry:\n  while os.fork() > 0: pass\n  time.sleep(30)\nexcept OSError: pass\n")
    assert j["processes_limit_hit"] is True, j
    assert shared.run(PYTHON, "print(1)")["processes_limit_hit"] is False


def test_time_limit_by_wall(shared):
    j = shared.run(PYTHON, "import time\ntime.sleep(60)\n", timeout=700)
    assert j["status"] == "time_limit_exceeded" and j["cpu_time"] < 700 <= j["execution_time"] + 1


def test_ignoring_signals_does_not_help(shared):
    j = shared.run(PYTHON, "import signal, time\nfor s in range(1, 65):\n  try: signal.signal(s, signal.SIG_IGN)\n"
                           "  except Exception: pass\ntime.sleep(60)\n", timeout=700)
    assert j["status"] == "time_limit_exceeded"


@pytest.mark.parametrize("language", HOG)
def test_memory_limit(shared, language):
    j = shared.run(language, HOG[language], memory_limit=256 if language == JAVA else 128, timeout=20000)
    assert j["status"] == "memory_limit_exceeded", j


@pytest.mark.parametrize("language", FLOOD)
def test_output_limit(shared, language):
    j = shared.run(language, FLOOD[language])
    assert (j["status"], j["stdout_truncated"]) == ("output_limit_exceeded", True), j["status"]
    assert len(j["stdout"]) == 1 << 20


@pytest.mark.parametrize("language", BROKEN)
def test_compile_error(shared, language):
    j = shared.run(language, BROKEN[language])
    assert j["status"] == "compile_error" and "error" in j["compile_output"] and j["exit_code"] is None, j


def test_compile_bomb_is_the_submitters_fault(shared):
    j = shared.run(C, '#include "/dev/zero"\nint main(void) { }\n')
    assert j["status"] == "compile_error", j
    j = shared.run(C, "int x[1 << 29] = {1};\nint main(void) { return x[5]; }\n")
    assert j["status"] == "compile_error", j


def test_c_has_math_and_warnings(shared):
    j = shared.run(C, '#include <math.h>\n#include <stdio.h>\nint main(int c, char **v) { int unused; '
                      'printf("%.3f\\n", sqrt(c + 1.0)); return 0; }\n')
    assert j["status"] == "completed" and j["stdout"] == "1.414\n" and "warning" in j["compile_output"], j


def test_java_takes_the_public_class_or_the_one_with_main(shared):
    j = shared.run(JAVA, "// public class Wrong\nclass Helper { static int f() { return 7; } }\n"
                         "public class Right { public static void main(String[] a) { System.out.println(Helper.f()); } }\n")
    assert (j["status"], j["stdout"]) == ("completed", "7\n"), j
    j = shared.run(JAVA, 'class A { String s = "class X { public static void main(String[] a) {} }"; }\n'
                         "class B { public static void main(String[] a) { System.out.println(\"B\"); } }\n")
    assert (j["status"], j["stdout"]) == ("completed", "B\n"), j


@pytest.mark.parametrize("said,status", [("42\n", "completed"), ("42  \n\n", "completed"), ("42", "completed"),
                                         ("43\n", "wrong_answer"), ("4 2\n", "wrong_answer"), ("", "wrong_answer")])
def test_expected_output(shared, said, status):
    j = shared.run(PYTHON, "import sys\nsys.stdout.write(%r)\n" % said, expected_output="42\n")
    assert (j["status"], j["exit_code"]) == (status, 0)


def test_fork_bomb(shared):
    j = shared.run(C, "#include <unistd.h>\nint main(void) { for (;;) fork(); }\n", timeout=1500)
    assert j["status"] in ("time_limit_exceeded", "memory_limit_exceeded"), j
    assert shared.run(PYTHON, "print('alive')")["stdout"] == "alive\n"


def test_children_do_not_outlive_the_result(shared):
    j = shared.run(PYTHON, "import os, time\nif os.fork() == 0:\n  os.setsid()\n  time.sleep(60)\nprint('parent')\n")
    assert (j["status"], j["stdout"]) == ("completed", "parent\n") and j["execution_time"] < 8000


def test_cpu_rate(shared):
    j = shared.run(PYTHON, "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\n",
                   cpu_limit="200m", timeout=10000)
    assert j["status"] == "completed" and j["cpu_time"] < 0.6 * j["execution_time"], j


def test_streams_may_be_opened_by_name(shared):
    j = shared.run(PYTHON, "open('/dev/stdout', 'w').write('out')\nopen('/dev/stderr', 'w').write('err')")
    assert (j["status"], j["stdout"], j["stderr"]) == ("completed", "out", "err")
    j = shared.run(NODE, "require('fs').writeFileSync('/dev/stdout', 'out')")
    assert (j["status"], j["stdout"]) == ("completed", "out")


def test_a_program_that_cannot_be_executed_is_its_authors_fault(shared):
    j = shared.run(C, '__attribute__((section(".interp"))) const char x[5000] = "a";\nint main(void) { return 0; }')
    assert j["status"] == "runtime_error", j


def test_children_that_are_slow_to_die_do_not_count(shared):
    """The result is fixed when the main process ends."""
    j = shared.run(PYTHON, """
import os, time
begun = time.monotonic()
for _ in range(20):
    if os.fork() == 0:
        b = bytearray(10 << 20)
        time.sleep(60)
print(end='', flush=True)
os.write(1, b'ok')
os._exit(0)
""", timeout=3000, memory_limit=512)
    assert (j["status"], j["stdout"]) == ("completed", "ok"), j


def test_a_starved_cell_does_not_take_its_worker_along(shared):
    """What dies is not held back by its share of cpu."""
    j = shared.run(PYTHON, """
import mmap, os, time
m = mmap.mmap(-1, 300 << 20)
for at in range(0, len(m), 4096): m[at] = 1
for _ in range(10):
    if os.fork() == 0: time.sleep(60)
time.sleep(60)
""", timeout=8000, cpu_limit="100m", memory_limit=1500)
    assert j["status"] == "time_limit_exceeded", j
    assert j["execution_time"] < 12000
