"""Warm runtimes of the plugins, without cells: what they do is what the cold command does, byte for byte."""

import os
import pathlib
import re
import shutil
import struct
import time

import pytest

from boots import ARGV, EXIT, FILE, GO, OUTPUT, Runtime, frame, programs, read_frame, words
from server import BUILD, ROOT

DATA = ROOT / "tests/data/warm"
OF_CELLS = ("proc_facts", "proc_cmdline")  # they print what only a cell makes the same; tests/warm runs them


def table(language, suffix):
    return {name: p for name, p in programs(DATA / language, suffix).items() if name not in OF_CELLS}


NODE = os.environ.get("EXECD_TEST_NODE", "/usr/bin/node")
NODE_PROGRAMS = table("node", ".js")


def environment(box):
    return {"PATH": "/usr/bin:/bin", "HOME": str(box), "LANG": "C.UTF-8"}


# ---- Node.js ---------------------------------------------------------------------------------


@pytest.fixture
def node(tmp_path):
    box = tmp_path / "box"
    boot = (BUILD / "plugins/lang-node/node_boot").read_bytes()
    cold = [NODE, "--max-old-space-size=96", "main.js"]
    return Runtime(box, cold, [str(box / ".boot"), str(tmp_path / "script"), *cold], environment(box),
                   warm_files={".boot": (boot, 0o555)})


def same_node(result):
    """What differs from one cold run to the next: an abort's own stack."""
    result.err = re.sub(rb"(?s)(----- Native stack trace -----| 1: 0x).*", b"", result.err)
    result.err = re.sub(rb"\(node:\d+\)", b"(node:PID)", result.err)
    result.err = re.sub(rb"(?m)^\s*#?\d*\s*<---.*|\[\d+:0x.*|^\[\d+\].*", b"", result.err)
    return result


@pytest.mark.parametrize("name", NODE_PROGRAMS)
def test_node_warm_is_as_cold(node, name):
    source, args, stdin = NODE_PROGRAMS[name]
    files = {"main.js": (source, 0o444)}
    cold, warm = same_node(node.cold(files, args, stdin)), same_node(node.warm(files, args, stdin))
    assert cold.status == warm.status
    assert cold.out.decode(errors="replace") == warm.out.decode(errors="replace")
    assert cold.err.decode(errors="replace") == warm.err.decode(errors="replace")


def test_node_does_not_count_its_waiting(node):
    """What a program is told of the time since its start is the boot and what it did itself."""
    source = b"console.log(process.uptime() * 1000, performance.now(), Date.now() - performance.timeOrigin)"
    begin = time.monotonic()
    p, sock = node.boot()
    booted = time.monotonic() - begin
    time.sleep(1)  # what must not be seen
    with sock:
        again = time.monotonic()
        result = node.finish(p, sock, {"main.js": (source, 0o444)})
        ran = time.monotonic() - again
    assert result.status == 0, result
    for milliseconds in map(float, result.out.split()):
        assert 0 < milliseconds < (booted + ran) * 1000 + 100


# ---- Java --------------------------------------------------------------------------------------

JAVAC = pathlib.Path(shutil.which("javac")).resolve()
JAVA = JAVAC.with_name("java")
COMPILE = ["-proc:none", "-encoding", "UTF-8", "-d", "classes"]
COLD_COMPILE = [str(JAVAC), "-J-Xmx348m", "-J-XX:+UseSerialGC", "-J-XX:TieredStopAtLevel=1", "-J-XX:-UsePerfData",
                "-J-Xss8m", *COMPILE]
SERVICE = [str(JAVA), "-Xmx348m", "-Dapplication.home=%s" % JAVAC.parents[1], "-Xss3m", "-XX:+UseSerialGC",
           "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "--add-opens=java.base/java.io=ALL-UNNAMED", "-cp",
           ".service.jar", "CompileService", "3"]
JVM = [str(JAVA), "-Xmx60m", "-Xss8m", "-XX:ActiveProcessorCount=2", "-XX:+UseSerialGC", "-XX:-UsePerfData",
       "-XX:ErrorFile=/dev/null", "-Xlog:disable", "-Xlog:all=warning:stderr", "-XX:+DisplayVMOutputToStderr", "-cp",
       "classes"]
JAVA_PROGRAMS = table("java", ".java")


def java_names(source):
    """(file, class) as java_names.c finds them, well enough for the table."""
    text = source.decode(errors="replace")
    package = re.search(r"(?m)^package ([\w.]+);", text)
    public = re.search(r"(?m)^(?:@\w+\(.*\) )?public (?:class|interface|enum|record) (\w+)", text)
    mains = re.search(r"(?ms)^class (\w+) \{\s*public static void main", text)
    name = public.group(1) if public else mains.group(1) if mains else "Main"
    return (public.group(1) if public else "Main") + ".java", (package.group(1) + "." if package else "") + name


class Javac:
    """Both compilers; what the cold one made of a program is kept for the tests of the JVM."""

    def __init__(self, folder):
        self.box, self.made = folder / "box", {}
        self.runtime = Runtime(self.box, COLD_COMPILE, SERVICE, environment(self.box), warm_files={
            ".service.jar": ((BUILD / "plugins/lang-java/service.jar").read_bytes(), 0o444)})
        self.process, self.socket = self.runtime.boot()

    def end(self):
        self.socket.close()
        result = self.process.end()
        assert (result.status, result.out, result.err) == (0, b"", b"")
        assert os.listdir(self.box) == []

    def cold(self, name):
        """(status, output, classes)"""
        if name not in self.made:
            source = JAVA_PROGRAMS[name][0]
            file = java_names(source)[0]
            box = self.box.with_name("cold")
            runtime = Runtime(box, COLD_COMPILE, None, environment(box))
            result = runtime.cold({file: (source, 0o444)}, [file])
            classes = {str(p.relative_to(box)): p.read_bytes() for p in box.rglob("*.class")}
            self.made[name] = (result.status, result.out + result.err, classes if result.status == 0 else {})
        return self.made[name]

    def warm(self, name):
        source = JAVA_PROGRAMS[name][0]
        file = java_names(source)[0]
        self.socket.sendall(frame(ARGV, words([*COLD_COMPILE, file])) +
                            frame(FILE, file.encode() + b"\0" + source) + frame(GO))
        return self.answer()

    def answer(self):
        output, classes = b"", {}
        while True:
            kind, body = read_frame(self.socket)
            if kind == EXIT:
                return struct.unpack("<i", body)[0], output, classes
            if kind == OUTPUT:
                output += body
            else:
                path, _, content = body.partition(b"\0")
                classes[path.decode()] = content


@pytest.fixture(scope="module")
def javac(tmp_path_factory):
    both = Javac(tmp_path_factory.mktemp("javac"))
    yield both
    both.end()


@pytest.mark.parametrize("name", JAVA_PROGRAMS)
def test_java_service_compiles_as_javac_does(javac, name):
    cold, warm = javac.cold(name), javac.warm(name)
    assert (cold[0], cold[1].decode()) == (warm[0], warm[1].decode())
    assert sorted(cold[2]) == sorted(warm[2])
    assert cold[2] == warm[2]


def test_java_service_shows_no_job_another_ones_classes(javac):
    """What the first one defines is not there for the second."""
    def compile(file, source):
        javac.socket.sendall(frame(ARGV, words([*COLD_COMPILE, file])) + frame(FILE, file.encode() + b"\0" + source) +
                             frame(GO))
        return javac.answer()

    assert compile("Left.java", b"public class Left { static int x; }")[0] == 0
    status, output, classes = compile("Main.java", b"class Main { int y = Left.x; }")
    assert (status, classes) == (1, {})
    assert b"cannot find symbol" in output


@pytest.mark.parametrize("name", JAVA_PROGRAMS)
def test_java_warm_is_as_cold(javac, name, tmp_path):
    status, _, classes = javac.cold(name)
    if status != 0:
        return  # nothing to run; that the service refuses it in the same words is another test's
    source, args, stdin = JAVA_PROGRAMS[name]
    box = tmp_path / "box"
    env = environment(box)
    command = [*JVM, java_names(source)[1]]
    java = Runtime(box, command, [*JVM, "Main"], env, {**env, "LD_PRELOAD": str(box / ".boot")}, {
        ".boot": ((BUILD / "plugins/lang-java/java_boot").read_bytes(), 0o555)})
    files = {path: (body, 0o444) for path, body in classes.items()} or {"classes/nothing": (b"", 0o444)}
    cold, warm = java.cold(files, args, stdin), java.warm(files, args, stdin)
    assert cold.status == warm.status
    assert cold.out.decode(errors="replace") == warm.out.decode(errors="replace")
    assert cold.err.decode(errors="replace") == warm.err.decode(errors="replace")
