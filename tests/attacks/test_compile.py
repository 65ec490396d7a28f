"""K: what a compiler can be made to do, eat, read and leave behind.

The compile step is an untrusted job like any other.  Language `Staged` is the build step itself as a script of
/bin/sh (plugin/lang_hostile.c): C++ and compilers' options come in through it, which no language of the product takes.
Where a bomb may end by more than one limit, which one it is depends on the machine's speed.
"""

import os
import pathlib
import random
import secrets
import subprocess
import threading

import hostile
from host import commands
from rows import PROGRAMS, row


def fill(attack, source, **more):
    """The program with its @PLACES@ filled in: paths that only this run knows."""
    source = source if isinstance(source, bytes) else (PROGRAMS / source).read_bytes()
    places = {"CANARY": str(attack.host.canaries / "secret.txt"), "CONF": str(attack.server.directory / "execd.conf")}
    for name, value in {**places, **more}.items():
        source = source.replace(b"@%s@" % name.encode(), value if isinstance(value, bytes) else value.encode())
    return source


def outside(source, *flags):
    """What the machine's own compiler, outside of any cell, says of it, and what its program prints."""
    binary = subprocess.run(["mktemp"], capture_output=True, text=True, check=True).stdout.strip()
    try:
        made = subprocess.run(["gcc", "-w", *flags, "-o", binary, "-x", "c", "-"], input=source, capture_output=True)
        run = subprocess.run([binary], capture_output=True) if made.returncode == 0 else None
    finally:
        os.unlink(binary)
    return made.stderr.decode(errors="replace"), run.stdout.decode(errors="replace") if run is not None else ""


class Peaks(threading.Thread):
    """Watches the cells' cgroups from outside: the most memory that one was seen to have used, and its limit."""

    USED, LIMIT = ("memory.max_usage_in_bytes", "memory.peak", "memory.current"), ("memory.limit_in_bytes", "memory.max")

    def __init__(self, host):
        super().__init__(daemon=True)
        self.host, self.over, self.peak = host, threading.Event(), 0
        self.too_much = []

    @staticmethod
    def number(directory, names):
        for name in names:
            try:
                return int(pathlib.Path(directory, name).read_text())
            except (OSError, ValueError):
                pass
        return None

    def run(self):
        while not self.over.wait(0.02):
            for directory in self.host.cgroup_names():
                limit, used = self.number(directory, self.LIMIT), self.number(directory, self.USED)
                if limit is not None and used is not None and limit <= 512 << 20:
                    self.peak = max(self.peak, used)
                    if used > limit:
                        self.too_much.append((directory, used, limit))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


@row("K01", "C", star=True)
def test_K01_include_zero(attack, language):
    with Peaks(attack.host) as seen:
        attack.run(language).expect("CE(memory)", "CE(time)")
    assert not seen.too_much, seen.too_much
    if attack.lane == "root":
        assert seen.peak > 64 << 20, "the compiler's memory was not seen: %d" % seen.peak


@row("K02", star=True)
def test_K02_endless_includes(attack):
    """The standard input of a compiler is empty, so reading it ends; a FIFO that nobody writes is an endless wait."""
    jobs = [attack.job("Staged", "fifo")] + [attack.job("C", name) for name in ("random", "urandom", "stdin", "fd")]
    fifo, rand, urandom, stdin, fd = attack.run_all(jobs)
    fifo.expect("CE(time)")
    for r in (rand, urandom):
        r.expect("CE(time)", "CE(error)", "CE(memory)", "CE(output)")
    stdin.expect("OK")
    fd.expect("OK")
    ended = attack.run_all([attack.job("C", source="int main(void) { return 0; }")] * 4)  # as many as there are slots
    assert [r.words[0] for r in ended] == ["OK"] * 4


@row("K03", "C", star=True)
def test_K03_include_itself(attack, language):
    r = attack.run(language).expect("CE(error)", "CE(time)", "CE(output)")
    assert "#include nested depth 200 exceeds maximum" in r.compiled.decode(), r.short()


@row("K04", "C", star=True)
def test_K04_macro_expansion(attack, language):
    names = [None, "lazy"] if attack.full else [None]
    for r in attack.run_all([attack.job(language, name) for name in names]):
        r.expect("CE(memory)", "CE(time)")


@row("K05", star=True)
def test_K05_recursive_types(attack):
    """Types whose names double.  For C++ as well, where a template instantiates itself twice; the classic one line
    bomb makes newer compilers talk without end."""
    jobs = [attack.job("C"), attack.job("Staged", "recursive"), attack.job("Staged", "template")]
    doubled, recursive, template = attack.run_all(jobs)
    doubled.expect("CE(memory)", "CE(time)")
    recursive.expect("CE(memory)", "CE(time)")
    template.expect("CE(memory)", "CE(time)", "CE(output)")


@row("K06")
def test_K06_constant_evaluation(attack):
    constexpr, builtin = attack.run_all([attack.job("Staged", "constexpr"), attack.job("C", "builtin")])
    constexpr.expect("CE(time)")
    builtin.expect("CE(time)", "CE(memory)")


def written(attack):
    """Bytes that the jailer and all that it waited for have had written to storage."""
    with open("/proc/%d/io" % attack.host.jailer) as f:
        return int(dict(line.split(": ") for line in f.read().splitlines())["write_bytes"])


@row("K07", "C", star=True)
def test_K07_sixteen_gigabytes(attack, language):
    try:
        before = written(attack)
    except OSError as e:
        assert attack.lane != "root", e
        before = None
    r = attack.run(language).expect("CE(file)")
    assert "file size (33554432 bytes)" in r.json["message"], r.short()
    if before is not None:
        assert written(attack) - before < 100 << 20


@row("K08", "C", star=True)
def test_K08_large_initialised_array(attack, language):
    attack.run(language).expect("CE(file)", "CE(memory)")


@row("K09", star=True)
def test_K09_large_sections(attack):
    """The array is no data of the file: gcc and ld make a program of it, which the kernel then cannot load."""
    array, space, rept, fill_ = attack.run_all([attack.job("C", n) for n in ("array", "space", "rept", "fill")])
    array.expect("CE(error)", "CE(file)", "CE(memory)", "SIG(SEGV)")
    space.expect("CE(error)", "CE(file)")
    rept.expect("CE(memory)", "CE(file)", "CE(time)")
    fill_.expect("CE(error)", "CE(file)", "CE(memory)")


@row("K10", "C", star=True)
def test_K10_incbin(attack, language):
    canary = attack.host.canaries / "secret.txt"
    source = (PROGRAMS / "K10.c").read_bytes()
    assert canary.read_text() in outside(fill(attack, source, PATH=str(canary)))[1]  # it does work
    paths = {p: fill(attack, source, PATH=p) for p in
             ("/usr/include/stdio.h", "/etc/passwd", "/proc/self/environ", "/proc/1/environ", str(canary),
              str(attack.server.directory / "execd.conf"), str(attack.server.directory / "secret"))}
    results = dict(zip(paths, attack.run_all([attack.job(language, source=s) for s in paths.values()])))
    inside = results.pop("/usr/include/stdio.h").expect("OK").text
    assert inside == pathlib.Path("/usr/include/stdio.h").read_text(errors="replace")[:len(inside)] and len(inside) > 1000
    host = pathlib.Path("/etc/passwd").read_text()
    users = results.pop("/etc/passwd").expect("OK", "CE(error)").text
    assert users != host and all(u.split(":")[5] in ("/", "/box", "/nonexistent") for u in users.splitlines()), users
    environment = results.pop("/proc/self/environ").expect("OK", "CE(error)").text
    names = {v.split("=")[0] for v in environment.split("\0") if v}
    assert names <= {"PATH", "HOME", "LANG", "TMPDIR", "PWD", "COLLECT_GCC", "COLLECT_GCC_OPTIONS", "OFFLOAD_TARGET_NAMES",
                     "COLLECT_LTO_WRAPPER", "OFFLOAD_TARGET_DEFAULT"}, names
    for path, r in results.items():
        r.expect("CE(error)")
        assert "file not found" in r.compiled.decode() or "No such file" in r.compiled.decode() \
            or "Permission denied" in r.compiled.decode(), (path, r.short())


@row("K11", "C", star=True)
def test_K11_include_secrets(attack, language):
    canary = str(attack.host.canaries / "secret.txt")
    paths = ["/etc/shadow", "/proc/self/environ", "/proc/1/cmdline", "/proc/1/environ", canary,
             str(attack.server.directory / "execd.conf"), "/var/run/secrets/kubernetes.io/serviceaccount/token"]
    spellings = ["plain", "digraph", "trigraph", "spliced"]

    def program(name, path):
        half = len(path) // 2
        return fill(attack, "K11_%s.c" % name, PATH=path, HALF=path[:half], REST=path[half:])

    for name in spellings:  # each spelling does include, and a compiler shows what it does not understand
        said = outside(program(name, canary), "-std=c17" if name == "trigraph" else "-w")[0]
        assert pathlib.Path(canary).read_text() in said, (name, said)
    attack.run(language, source=program("spliced", "/usr/include/stdio.h")).expect("OK")  # nor is it refused inside
    asked = [(n, p) for n in spellings for p in paths]
    for (name, path), r in zip(asked, attack.run_all([attack.job(language, source=program(n, p)) for n, p in asked])):
        said = r.expect("CE(error)", "OK").compiled.decode(errors="replace")
        if path not in ("/proc/self/environ", "/proc/1/cmdline"):  # the cell's own: no secret (H5 is checked for all)
            r.expect("CE(error)")
            assert name == "trigraph" or "No such file" in said or "Permission denied" in said or "main" not in r.text, r.short()
        assert "$y$" not in said and "$6$" not in said and "root:" not in said, said


OPTIONS = ["-fplugin=./e.so", "-wrapper ./e", "-specs=e", "-B.", "@file", "-o/../x", "-include /etc/shadow", "-Wl,-rpath,/box"]


@row("K12", star=True)
def test_K12_compiler_options(attack):
    """No field takes options; where they come in nevertheless, they gain nothing that a run would not have."""
    for field in ("compiler_options", "compile_options", "compile_args", "flags", "file_name", "files", "additional_files"):
        for option in OPTIONS if field == "compiler_options" else ["-fplugin=e.c"]:
            problem = attack.refused(**{field: option})
            assert field in problem["detail"], problem
    own = attack.run("Py", source="import sys; print(sys.argv[1:])", args=OPTIONS).expect("OK")
    assert own.text == repr(OPTIONS) + "\n"  # arguments are the program's, whatever they look like
    r = attack.run("Staged", source=fill(attack, "K12.sh", REACH=fill(attack, "K12_reach.c")))
    r.expect("OK")
    said = r.compiled.decode()
    for mark in ("[plugin]", "[wrapper] cc1", "[wrapper] as", "[as]", "#warning [specs]", "#warning [file]",
                 "cannot open output file /x: Read-only file system",
                 "cannot open output file /box/../x: Read-only file system",
                 "error: /etc/shadow: No such file or directory"):
        assert mark in said, (mark, said)
    assert "reach CapEff:\t0000000000000000" in said and "reach NoNewPrivs:\t1" in said and "reach Seccomp:\t2" in said, said
    assert [x for x in said.splitlines() if " yes" in x] == ["reach open /box/planted yes"], said
    built = [x for x in said.splitlines() if x.startswith("reach ")]
    assert built == r.text.splitlines(), "the compile step reaches something else than a run"


@row("K13", "C", star=True)
def test_K13_messages_without_end(attack, language):
    cap = 65536
    lines = 5000
    text = "int main(void)\n{\n" + "".join("    x%05d = 1;\n" % i for i in range(lines)) + "}\n"
    flood, errors = attack.run_all([attack.job(language, "flood"), attack.job(language, source=text)])
    for r in (flood, errors):
        r.expect("CE(output)")
        assert r.json["compile_output_truncated"] is True and r.json["compile_output_encoding"] == "utf-8"
        assert cap - 8 <= len(r.compiled) <= cap + 64, len(r.compiled)
        assert r.compiled.count(b" bytes are left out here ...]\n") == 1
    assert flood.compiled.startswith(b"main.c:2:2: warning: #warning flood"), flood.short()
    assert b"x00000" in errors.compiled[:cap // 2] and b"x%05d" % (lines - 1) in errors.compiled[cap // 2:], \
        errors.compiled[-400:]


@row("K14")
def test_K14_large_array_of_pairs(attack):
    """It took gigabytes before GCC 8; a compiler that needs no more than its limits may well succeed."""
    attack.run("Staged").expect("OK", "CE(time)", "CE(memory)")


@row("K15", "C")
def test_K15_has_include(attack, language):
    r = attack.run(language, source=fill(attack, "K15.c")).expect("OK")
    assert r.text == "/usr/include/stdio.h\n/box/main.c\n"
    source = fill(attack, "K15.c").replace(b"/root/", b"/nowhere/").replace(b"/etc/shadow", b"/nowhere/shadow")
    assert "canary\nconfiguration\n" in outside(source)[1]  # both are there, outside (what may not be read ends gcc)


@row("K16", "C")
def test_K16_deep_nesting(attack, language):
    """One line of 10 MiB is more than a source may have; what fits makes the compiler crash, or give up."""
    n = 500000
    programs = ["int main(void) { return %s1%s; }\n" % ("(" * n, ")" * n), "int main(void) %s" % ("{" * 2 * n),
                "int a[] = {%s};\nint main(void) { return a[0] - 1; }\n" % ("1," * n)]
    parens, braces, line = attack.run_all([attack.job(language, source=p) for p in programs])
    for r in (parens, braces):
        r.expect("CE(error)", "CE(memory)", "CE(time)")
        if r.words[0] == "CE(error)":
            assert "internal compiler error: Segmentation fault" in r.compiled.decode(errors="replace") \
                or "error:" in r.compiled.decode(errors="replace"), r.short()
    line.expect("OK")
    problem = attack.refused(status=(413, 422), source_code="x" * (10 << 20))
    assert "source_code" in problem["detail"], problem


@row("K17")
def test_K17_tools_in_the_working_directory(attack):
    r = attack.run("Staged").expect("OK")
    assert "HIJACKED" not in r.compiled.decode(), r.short()
    assert r.text == "system header\nown header\n"


@row("K18", star=True)
def test_K18_what_is_left_as_the_program(attack):
    jailer = os.readlink("/proc/%d/exe" % attack.host.jailer) if attack.lane == "root" else "/proc/self/exe"
    setuid = (PROGRAMS / "K18_setuid.c").read_bytes()
    names = ("symlink", "jailer", "proc", "device", "escape", "dirlink", "fifo", "directory", "sparse", "setuid")
    jobs = [attack.job("Staged", source=fill(attack, "K18_%s.sh" % n, JAILER=jailer, SETUID=setuid)) for n in names]
    results = dict(zip(names, attack.run_all(jobs)))
    for name in ("symlink", "jailer", "proc", "device", "escape", "dirlink", "fifo"):
        r = results[name].expect("CE(file)")
        assert r.json["message"].startswith("the compiler's output was refused: `"), r.short()
        assert name == "fifo" or "symbolic link" in r.json["message"].lower() or name == "escape", r.short()
    assert "made" not in results["device"].compiled.decode()
    assert "no regular file" in results["fifo"].json["message"]
    assert "inside" not in results["directory"].expect("RE(126)").text  # kept, and no program
    sparse = results["sparse"].expect("RE(126)", "CE(file)").compiled.decode()
    assert "full\n" in sparse and "grown" not in sparse and "over" not in sparse, sparse
    r = results["setuid"].expect("CE(error)", "OK")
    assert "made" not in r.compiled.decode() or r.text == "mode 755 euid same\n", r.short()


@row("K19", star=True)
def test_K19_process_left_by_the_compiler(attack):
    """The program runs when nothing of the compile step lives any more, and stays the file that was kept."""
    nonce = secrets.token_hex(8)
    left, run = b"left-" + nonce.encode(), b"run-" + nonce.encode()
    token = attack.submit(attack.job("Staged", source=fill(attack, "K19.sh", NONCE=nonce), args=["run-" + nonce]))[0]
    result, seen = [], set()
    waiter = threading.Thread(target=lambda: result.append(attack.result(token)), daemon=True)
    waiter.start()
    while waiter.is_alive():
        runs = any(run in c for c in commands())
        leftovers = any(left in c for c in commands())  # looked for after the program: none of them may be left
        seen |= {"run"} if runs else set()
        seen |= {"left"} if leftovers else set()
        assert not (runs and leftovers), "a process of the compile step lives while the program runs"
    r = result[0].expect("OK", "CE(file)")
    if r.words[0] == "OK":
        assert r.text in ("version 1 run-%s\n" % nonce, "version 2 run-%s\n" % nonce), r.short()
        assert "run" in seen, "the program was not seen"
    assert "left" in seen, "the process was not seen"


@row("K20")
def test_K20_linker_scripts(attack):
    listed, script, aligned = attack.run_all([attack.job("Staged", "input"), attack.job("Staged", "script"),
                                              attack.job("C", "aligned")])
    for r in (listed, script, aligned):
        r.expect("CE(file)", "CE(error)", "CE(memory)", "CE(time)")
    assert "root:" not in listed.compiled.decode(), listed.short()


@row("K21", "C")
def test_K21_no_source_at_all(attack, language):
    jpeg = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01" + random.Random(21).randbytes(20000) + b"\xff\xd9"
    sources = [hostile.elf(b"int main(void) { return 0; }"), jpeg, b"\xef\xbb\xbf", b"\n", b"\0" * 1000]
    for r in attack.run_all([attack.job(language, source=s) for s in sources]):
        r.expect("CE(error)", "CE(output)")
    empty = attack.server.request("POST", "/v1/jobs?wait=30", json=attack.job(language, source=b""))
    assert empty.status_code in (200, 201, 422), empty.text
    if empty.status_code != 422:
        assert empty.json()["status"] == "compile_error", empty.text
