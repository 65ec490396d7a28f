"""A program that was compiled before is not compiled again; and whatever differs is."""

import re
import stat

import pytest

from conftest import C, JAVA, PYTHON, Execd, eventually

PLUGINS = [{"file": "lang-c.so"}]
SOURCE = "#include <stdio.h>\nint main(void) { int unused; puts(\"out\"); return 0; }\n"
KEY = "0123456789abcdef0123456789"


def counts(server, language=C):
    """How often compiled output was found, and how often not."""
    text = server.request("GET", "/metrics").text
    found = dict(re.findall(r'execd_compile_cache_total\{result="(\w+)",language="%d"\} (\d+)' % language, text))
    return int(found.get("hit", 0)), int(found.get("miss", 0))


def is_counted(server, hits, misses, language=C):
    """/metrics may be a second old."""
    eventually(lambda: counts(server, language) == (hits, misses), lambda: "%s" % (counts(server, language),))


def files(server):
    return sorted(f for f in (server.state / "compiled").iterdir() if len(f.name) == 64)


def compiled(server, source=SOURCE, language=C, **fields):
    job = server.run(language, source, **fields)
    assert job["status"] == "completed", job
    return job


def test_second_time_without_the_compiler(start):
    s = start({"plugins": PLUGINS, "log": {"level": "debug"}})
    first, second = compiled(s), compiled(s)
    is_counted(s, 1, 1)
    assert [first[k] for k in ("stdout", "stderr", "exit_code", "compile_output")] == \
        [second[k] for k in ("stdout", "stderr", "exit_code", "compile_output")]
    assert "unused variable" in second["compile_output"]
    assert "compiled_before token=" + second["token"] in s.logged() and first["token"] + "\n" not in s.logged()
    assert compiled(s, stdin="other", args=["x"])["stdout"] == "out\n"  # the runs' business, not the compiler's
    is_counted(s, 2, 1)
    assert compiled(s, SOURCE.replace("out", "OUT"))["stdout"] == "OUT\n"
    is_counted(s, 2, 2)


def test_java(start):
    s = start({"plugins": [{"file": "lang-java.so"}]})
    source = "class A { public static void main(String[] a) { new B(); } static class B { { System.out.println(1); } } }\n"
    for _ in range(2):
        assert compiled(s, source, JAVA)["stdout"] == "1\n"
    is_counted(s, 1, 1, JAVA)
    compiled(s, source.replace("class A", "class C"), JAVA)
    is_counted(s, 1, 2, JAVA)


def test_errors_are_compiled_again(start):
    s = start({"plugins": PLUGINS})
    for _ in range(2):
        assert s.run(C, "int main(void) { return x; }\n")["status"] == "compile_error"
    is_counted(s, 0, 2)
    assert not files(s)


def test_what_asks_for_the_time_is_compiled_again(start):
    s = start({"plugins": PLUGINS})
    for _ in range(2):
        compiled(s, "#include <stdio.h>\nint main(void) { puts(__TIME__); return 0; }\n")
    compiled(s)
    is_counted(s, 0, 1)
    assert len(files(s)) == 1


def test_interpreted_languages_have_nothing_to_keep(start):
    s = start({"plugins": [{"file": "lang-python.so"}]})
    for _ in range(2):
        compiled(s, "print(1)\n", PYTHON)
    is_counted(s, 0, 0, PYTHON)
    assert not files(s)


def test_others_of_the_host_find_it(start, tmp_path):
    """Another execd on the same folder, as after a restart; but one whose compiler is called otherwise does not."""
    a = start({"plugins": PLUGINS})
    compiled(a)
    eventually(lambda: files(a), "written")
    assert (a.state / "compiled").stat().st_mode & 0o7777 == 0o700
    assert [f.stat().st_mode & 0o7777 for f in files(a)] == [0o600]
    a.stop()
    b = Execd(tmp_path, {"plugins": PLUGINS}, args=["--state", str(a.state)])
    with b.ready():
        assert "unused variable" in compiled(b)["compile_output"]
        is_counted(b, 1, 1)  # counted in the same Redis
    flags = {"file": "lang-c.so", "settings": {"flags": "-O1 -Wall"}}
    c = Execd(tmp_path, {"plugins": [flags]}, args=["--state", str(a.state)])
    with c.ready():
        compiled(c)
        is_counted(c, 1, 2)
    limits = Execd(tmp_path, {"plugins": PLUGINS, "compile": {"memory_bytes": "900M"}}, args=["--state", str(a.state)])
    with limits.ready():
        compiled(limits)
        is_counted(limits, 1, 3)


def is_good(file, owner, size):
    st = file.lstat()
    return stat.S_ISREG(st.st_mode) and (st.st_mode & 0o777, st.st_uid, st.st_size) == (0o600, owner, size)


@pytest.mark.parametrize("damage", ["altered", "torn", "empty", "link", "open to others"])
def test_a_damaged_file_is_a_miss(start, tmp_path, damage):
    a = start({"plugins": PLUGINS})
    compiled(a)
    eventually(lambda: files(a), "written")
    a.stop()
    file = files(a)[0]
    owner, content = file.stat().st_uid, bytearray(file.read_bytes())
    if damage == "altered":
        content[-100] ^= 1
        file.write_bytes(content)
    elif damage == "torn":
        file.write_bytes(content[:4096])
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    else:
        file.chmod(0o666)
    b = Execd(tmp_path, {"plugins": PLUGINS}, args=["--state", str(a.state)])
    with b.ready():
        assert compiled(b)["stdout"] == "out\n"
        is_counted(b, 0, 2)
        assert "compile_cache_file_refused" in b.logged()
        eventually(lambda: files(a) and is_good(files(a)[0], owner, len(content)), "mended")


@pytest.mark.parametrize("cache", ["tenant", "shared"])
def test_tenants(start, cache):
    s = start({"plugins": PLUGINS, "compile": {"cache": cache},
               "api": {"keys": [{"name": "a", "key": KEY}, {"name": "b", "key": KEY + "b"}]}})
    for key in (KEY, KEY + "b", KEY + "b"):
        s.session.headers["Authorization"] = "Bearer " + key
        compiled(s)
    is_counted(s, *((1, 2) if cache == "tenant" else (2, 1)))


def test_off(start):
    s = start({"plugins": PLUGINS, "compile": {"cache": "off"}})
    for _ in range(2):
        compiled(s)
    is_counted(s, 0, 0)
    assert not (s.state / "compiled").exists()


def test_bounded(start):
    s = start({"plugins": PLUGINS, "compile": {"cache_bytes": "1M"}})
    big = "int a[25000] = {1};\nint main(void) { return a[%d]; }\n"  # 100,000 bytes of data in each
    for i in range(1, 16):
        compiled(s, big % i)
    size = lambda: sum(f.stat().st_size for f in files(s))
    eventually(lambda: 0 < size() <= (1 << 20) * 17 // 16, lambda: "%d bytes in %d files" % (size(), len(files(s))))
    assert len(files(s)) > 5


def test_a_folder_that_cannot_be_had_is_no_reason_not_to_serve(start, tmp_path):
    state = tmp_path / "state"
    state.mkdir()
    (state / "compiled").write_text("")
    s = start({"plugins": PLUGINS}, args=["--state", str(state)])
    for _ in range(2):
        compiled(s)
    is_counted(s, 0, 0)
    assert "compile_cache_off" in s.logged()


def test_worker_with_a_redis_of_the_operators(start, redis):
    """Which has no other use for the folder, and may make no other files."""
    s = start({"plugins": PLUGINS, "queue": {"url": redis.url, "password": redis.password}})
    for _ in range(2):
        compiled(s)
    is_counted(s, 1, 1)
    eventually(lambda: len(files(s)) == 1, "written")
    assert "compile_cache_not_written" not in s.logged()
