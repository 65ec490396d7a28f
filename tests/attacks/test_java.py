"""J: javac as a bomb, the JVM as a door to native code and to its neighbours."""

import os
import shutil

import native
from rows import PROGRAMS, row

AMPLE = {"timeout": 20000, "cpu_timeout": 10000}  # for rows that are not about time


def main_of(body, members=""):
    return "public class Main {\n%s    public static void main(String[] args) {\n%s    }\n}\n" % (members, body)


@row("J01", star=True)
def test_J01_annotation_processor(attack):
    """No field brings more files, and javac is told -proc:none; one that is not runs its processors in the cell."""
    for field in ("files", "additional_files"):
        problem = attack.refused(language_id=62, **{field: [{"name": "META-INF/services/x", "content": "Processor"}]})
        assert field in problem["detail"], problem
    assert attack.run("Java", **AMPLE).expect("OK").text == "processed false\n"
    if shutil.which("javac") is None:
        return
    home = os.path.realpath(shutil.which("javac")).rsplit("/bin/", 1)[0]
    source = (PROGRAMS / "J01_contained.sh").read_bytes().replace(b"@JAVA@", home.encode()).replace(
        b"@CANARY@", str(attack.host.canaries / "secret.txt").encode())
    r = attack.run("Jit", source=source, memory_limit=256, timeout=30000, cpu_timeout=20000).expect("OK")
    assert r.text.splitlines()[:8] == [
        "processor runs", "open /etc/shadow No such file or directory",
        "open %s No such file or directory" % (attack.host.canaries / "secret.txt"),
        "open /usr/lib/planted Read-only file system", "open /box/planted yes", "CapPrm:\t0000000000000000",
        "CapEff:\t0000000000000000", "socket Operation not permitted"], r.short()


@row("J02", star=True)
def test_J02_doubling_constants(attack):
    doubled = '    static final String S0 = "0123456789abcdef";\n' + "".join(
        "    static final String S%d = S%d + S%d;\n" % (i, i - 1, i - 1) for i in range(1, 27))
    r = attack.run("Java", source=main_of("        System.out.println(S26.length());\n", doubled))
    r.expect("CE(memory)", "CE(time)")
    if r.words[0] == "CE(memory)":
        assert r.json["message"] == "the compile step passed its limit: memory", r.short()


@row("J03")
def test_J03_exponential_inference(attack):
    """Each lambda's parameter is a pair of what the one around it has: a type of 2^30 parts."""
    nest = "x29"
    for i in reversed(range(30)):
        nest = "g(%s, x%d -> %s)" % ("x%d" % (i - 1) if i else "1", i, nest)
    members = ("    static class P<A, B> {\n    }\n"
               "    static <T, R> P<R, R> g(T t, java.util.function.Function<P<T, T>, R> f) {\n        return null;\n    }\n")
    attack.run("Java", source=main_of("        Object o = %s;\n" % nest, members)).expect("CE(time)", "CE(memory)")


@row("J04")
def test_J04_more_than_a_class_may_have(attack):
    large = main_of("        int x = args.length;\n" + "        x = x * 31 + 123456;\n" * 12000)
    nested = main_of("        int x = %s1%s;\n" % ("(" * 100000, ")" * 100000))
    inner = main_of("", "".join("    class A%d{}\n" % i for i in range(50000)))
    large, nested, inner = attack.run_all([attack.job("Java", source=s) for s in (large, nested, inner)])
    large.expect("CE(error)")
    assert "code too large" in large.compiled.decode(), large.short()
    nested.expect("CE(error)", "CE(output)")
    assert "StackOverflowError" in nested.compiled.decode(), nested.short()
    inner.expect("CE(file)", "CE(time)", "CE(memory)")  # a file each: more than a box may have


@row("J05", "Java", star=True)
def test_J05_ten_thousand_threads(attack, language):
    r = attack.run(language, **AMPLE).expect("RE(1)")
    made = int(r.text.removeprefix("threads "))  # the program's only line: what the JVM says of it is no output of its
    assert 10 <= made < 32 + 32 and r.json["processes_limit_hit"] is True, r.short()
    assert "unable to create native thread" in r.stderr.decode() and len(r.stderr) < 4096, r.short()
    assert "hs_err" not in r.text + r.stderr.decode(), r.short()


@row("J06", "Java")
def test_J06_endless_shutdown_hook(attack, language):
    assert attack.run(language, timeout=2500).expect("TLE-wall").text in ("hook\n", "")


@row("J07")
def test_J07_memory_and_native_code(attack):
    """HotSpot's own handler makes an abort of a wild write.  A library's calls end as those of any program."""
    unsafe = attack.run("Java", "unsafe", **AMPLE).expect("SIG(SEGV)", "SIG(ABRT)", "SIG(SYS)", "RE")
    assert unsafe.text.startswith("going\n") and "still here" not in unsafe.text, unsafe.short()
    loaded = attack.run("Java", "load", stdin=native.library(), **AMPLE).expect("OK")
    native.check(loaded.text.removesuffix("loaded\n"))
    assert loaded.text.removesuffix("loaded\n") == native.as_program(attack, "Jit"), loaded.short()


def overlapping(attack, jobs):
    """Results of two jobs that were there at the same time, by what they say themselves."""
    for _ in range(5):
        results = [r.expect("OK") for r in attack.run_all(jobs)]
        times = [{k: int(v) for k, v in (line.split(" ") for line in r.text.splitlines() if line.startswith(("begun", "ended")))}
                 for r in results]
        if max(t["begun"] for t in times) < min(t["ended"] for t in times):
            return results
    raise AssertionError("the two were never there together: %s" % times)


@row("J08", "Java", star=True)
def test_J08_attach_to_a_neighbour(attack, language):
    jobs = [attack.job(language, args=[name], **AMPLE) for name in ("one", "two")]
    for r, name in zip(overlapping(attack, jobs), ("one", "two")):
        seen = {line.removeprefix("seen ") for line in r.text.splitlines() if line.startswith("seen ")}
        own = {"/tmp/hsperfdata_execd-" + name, "/tmp/.java_pidexecd-" + name}
        assert own <= seen, r.short()
        assert seen - own == {"/box/classes", "/proc/1", "/proc/2"}, r.short()
        assert "attachable 0\n" in r.text, r.short()


@row("J09", "Java", star=True)
def test_J09_options_from_elsewhere(attack, language):
    for field in ("env", "environment", "java_options", "jvm_args"):
        value = {"JAVA_TOOL_OPTIONS": "-Dplanted=1", "JDK_JAVA_OPTIONS": "-Dplanted=1"}
        assert field in attack.refused(language_id=62, **{field: value})["detail"]
    args = ["@/box/classes", "@argfile", "-Dplanted=1", "-javaagent:x.jar", "-version"]
    r = attack.run(language, args=args, **AMPLE).expect("OK")
    assert r.text == "env HOME\nenv LANG\nenv PATH\n" + "".join("arg %s\n" % a for a in args) + "agent null\n", r.short()
    assert r.stderr == b""


@row("J10", star=True)
def test_J10_names(attack):
    expected = {"nomain": ("RE(1)", None), "twopublic": ("CE(error)", None), "path": ("CE(error)", None),
                "escapedpath": ("CE(error)", None), "escaped": ("OK", "escaped\n"), "package": ("OK", "a.b.Main\n")}
    for (name, (word, text)), r in zip(expected.items(), attack.run_all([attack.job("Java", n, **AMPLE) for n in expected])):
        r.expect(word)
        assert text is None or r.text == text, (name, r.short())
    longest = attack.run("Java", source="public class %s {\n}\n" % ("x" * 300)).expect("CE(error)")
    assert "longer than" in longest.json["message"], longest.short()


@row("J11", "Java")
def test_J11_many_honest_ones(attack, language):
    results = attack.run_all([attack.job(language, **AMPLE)] * (200 if attack.full else 12))
    for r in results:
        assert r.expect("OK").text == "hello 1\n", r.short()  # the grant is one core, whatever the machine has
    half = attack.run(language, cpu_limit="500m", **AMPLE).expect("OK")
    two = attack.run(language, cpu_limit="2000m", **AMPLE).expect("OK")
    assert half.text == "hello 1\n" and two.text == "hello %d\n" % min(2, os.cpu_count()), (half.short(), two.short())
