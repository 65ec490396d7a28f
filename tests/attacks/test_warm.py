"""Z: runtimes that were started before their job came.  All other rows run in them as well, where they can; here is what a
program could want of a zygote, of its other forks, of the job before it, of the compiler that others use."""

import itertools
import os
import pathlib
import re
import socket
import subprocess
import time

import facts
import pytest
from cells import WAYS, Cells, command_name
from conftest import SERVED
from hostile import lines
from rows import PROGRAMS, row
from server import eventually

AMPLE = {"timeout": 20000, "cpu_timeout": 5000}
NAMES = {"Py": "python", "JS": "node", "Java": "java", "C": "c"}
HELLO = {"python": "print(%d)\n", "node": "console.log(%d)\n", "c": "int main(void) { return %d < 0; }\n",
         "java": "class Main { public static void main(String[] a) { System.out.println(%d); } }\n"}
FRESH = itertools.count()
ASK_AGAIN = 5  # seconds
TRIES = 6  # a runtime may be missing at the moment, and the job is run cold


def is_warm(attack, name):
    """Has the lane this language warm?  Else it declares why not."""
    warm = name in SERVED and not any((name, w) in attack.host.warm.lacks for w in WAYS[name][1])
    if not warm:
        attack.declare("%s is not warm here" % name)
    else:
        awake(attack, name)
    return warm


def awake(attack, name):
    """Waits until it has what waits.  Where others wanted the room and nobody asks for a language, none of it is kept; asking
    brings it back, some seconds after the others were asked for."""
    warm, asked = attack.host.warm, [time.monotonic()]
    language = next(short for short, long in NAMES.items() if long == name)

    def idle():
        if not warm.idle(name) and time.monotonic() > asked[0] + ASK_AGAIN:
            attack.run(language, source=HELLO[name] % next(FRESH), **AMPLE).expect("OK")
            asked[0] = time.monotonic()
        return warm.idle(name)
    eventually(idle, lambda: "%s is idle: %s" % (name, warm.values("runtimes", "state", WAYS[name][0])))


def warmly(attack, name, body, ways=1, way=None):
    """body() runs jobs of that language and returns how many, all of which must have gone each of so many ways warm.  Where the
    counters tell of one that ran cold it is done once more.  `way`: that one alone has to have been warm."""
    warm = attack.host.warm
    for _ in range(TRIES):
        awake(attack, name)
        before, cold = warm.steps(name)
        jobs = body()
        steps = jobs * ways
        eventually(lambda: counted(warm.steps(name), before, cold) >= steps, "%d steps are counted" % steps)
        after, missed = warm.steps(name)
        if missed == cold or (way is not None and after[way] - before[way] == jobs):
            return
    raise AssertionError("%s: it never ran warm, but %s, %d cold" % (name, after, missed))


def counted(now, before, cold):
    return sum(now[0].values()) - sum(before.values()) + now[1] - cold


ZYGOTES = {"python": "python", "c": ".toolchain"}  # how the names of their processes begin


def zygote(attack, language="python"):
    """The pid of the one that serves."""
    forks = Cells(attack.host.jailer).forks
    return max((pid for pid in forks if command_name(pid).startswith(ZYGOTES[language])), default=None)


# ---- zygotes ---------------------------------------------------------------------------------------


def masked(word):
    return bytes(b ^ 0x5A for b in word.encode()).hex()


@row("Z01", star=True, warm=True)
def test_Z01_memory_of_a_zygote(attack):
    """No secret of execd's, and nothing of a job before or beside; nothing that is writable is shared."""
    if not is_warm(attack, "python"):
        return
    marks = ["a word of the job before, in %s" % place for place in ("its source", "its input", "an argument")]
    earlier = attack.job("Py", source="import sys\nword = %r\nsys.stdin.read()\n" % marks[0], stdin=marks[1], args=[marks[2]])
    words = ["a word of this program's", "PLANTED_SECRET", "EXECD_", *attack.host.secrets, *marks]
    looks = attack.job("Py", stdin=" ".join(map(masked, words)), args=["argument"], **AMPLE)

    def looked():
        results = attack.run_all([earlier, earlier, looks, looks])
        for r in results[2:]:
            found = lines(r.expect("OK"))
            assert found["found"].split() == ["True"] + ["False"] * (len(words) - 1), dict(zip(words, found["found"].split()))
            assert found["shared"] == "0 searched True"
            assert found["environ"] == found["environment"], found  # the zygote's is that of its jobs
            assert found["descriptors"] == "0 1 2" and found["zygote"] == "True", found
        return len(results)
    warmly(attack, "python", looked)


@row("Z02", star=True, warm=True, lanes=("root", "vm"))
@pytest.mark.parametrize("language", ZYGOTES)
def test_Z02_zygote_from_outside(attack, language):
    """What it has of the machine: the names in its environment, four descriptors, and nobody looks into it."""
    if not is_warm(attack, language):
        return
    pid = eventually(lambda: zygote(attack, language), "a zygote serves")
    proc = pathlib.Path("/proc/%d" % pid)
    names = {v.split("=")[0] for v in (proc / "environ").read_text().split("\0") if v}
    assert names and not [n for n in names if n.startswith("EXECD") or "SECRET" in n or "REDIS" in n], names
    assert {p.name for p in (proc / "fd").iterdir()} <= {"0", "1", "2", "3"}, [os.readlink(p) for p in (proc / "fd").iterdir()]
    assert not [m for m in (proc / "maps").read_text().splitlines() if m.split()[1][1::2] == "ws"]
    look = "head -c 1 /proc/%d/environ" % pid  # as its own user, with all of its capabilities
    assert in_its_namespace(pid, ["sh", "-c", look]) == 0, "with CAP_SYS_PTRACE it can be looked into"
    assert in_its_namespace(pid, ["setpriv", "--bounding-set=-sys_ptrace", "sh", "-c", look]) != 0, "it is dumpable"


def in_its_namespace(pid, command):
    return subprocess.run(["nsenter", "--user", "--target", str(pid), "--setuid", "0", "--setgid", "0", *command],
                          capture_output=True).returncode


@row("Z03", star=True, warm=True)
def test_Z03_forks_and_their_zygote(attack):
    """A fork has no name for its zygote and for others, and its init is as any other; two at the same time."""
    if not is_warm(attack, "python"):
        return
    serves = eventually(lambda: zygote(attack), "a zygote serves")

    def tried():
        found = [lines(r.expect("OK")) for r in attack.run_all([attack.job("Py", **AMPLE)] * 4)]
        assert max(int(f["begun"]) for f in found) - min(int(f["begun"]) for f in found) < 1e9 * 20 * attack.slow
        assert any(int(f["begun"]) < int(g["ended"]) and int(g["begun"]) < int(f["ended"]) for f in found for g in found if f is not g)
        for f in found:
            check_powerless(f)
        return len(found)
    warmly(attack, "python", tried)
    assert zygote(attack) == serves, "another zygote serves"


def check_powerless(f):
    assert f["pids"] == "1 2 self 2 parent 1" and f["killed"] == "0", f
    assert f["all"] in ("ESRCH", "EPERM", "ok") and f["init"] in ("EPERM", "ok"), f  # ok: init is immune
    for what in ("mem", "environ", "maps", "root", "fd/0", "ns/user", "cwd"):
        assert f[what] in ("EACCES", "EPERM"), (what, f)
    for call in ("seize", "attach", "read", "write", "kcmp"):
        assert f[call] in ("EPERM", "ENOSYS", "ESRCH"), (call, f)


@row("Z07", star=True, warm=True)
def test_Z07_a_forked_cell(attack):
    """What test_defences.py has of cold ones: a fork closes its own cell, by the same steps in another program."""
    if not is_warm(attack, "python"):
        return
    source = (PROGRAMS / "D_card.py").read_bytes()

    def told():
        found = lines(attack.run("Py", source=source, **AMPLE).expect("OK"))
        of_zygote = facts.spaces_of(zygote(attack))
        for space in facts.SPACES:
            facts.check_namespace(found, attack, space)
            assert space == "net" or found[space] != of_zygote.get(space), "the zygote's %s" % space
        facts.check_identity(found, attack, of_machine=False)
        facts.check_process(found)
        for limit in facts.LIMITS:
            facts.check_limit(found, attack, limit)
        facts.check_mounts(found)
        return 1
    warmly(attack, "python", told)


# ---- one job after the other --------------------------------------------------------------------------


@row("Z04", "Py JS Java", star=True, warm=True)
def test_Z04_nothing_is_left_to_the_next(attack, language):
    """What a program finds is what it found before another one changed all that it could; no chance is shared."""
    name = NAMES[language]
    if not is_warm(attack, name):
        return
    more = {} if language == "Py" else {"memory_limit": 512}
    look, defile, draw = "look", "defile", "draw"

    def ran(program):
        return attack.run(language, source=anew(attack, language, program), **AMPLE, **more).expect("OK").text

    def one_after_the_other():
        first, rounds = steady(ran(look)), attack.times(1 if language == "Java" else 2, 10)
        for _ in range(rounds):
            assert ran(defile) == "defiled\n"
            assert steady(ran(look)) == first
        drawn = [ran(draw).splitlines() for _ in range(3)]
        for column in list(zip(*drawn))[language == "Py":]:  # of Python the first is the hash of a word, which forks share
            assert len(set(column)) == len(column), column
        return 1 + 2 * rounds + len(drawn)
    warmly(attack, name, one_after_the_other, ways=len(WAYS[name][1]))


def anew(attack, language, program=None):
    """As nobody has compiled it before: what is kept is compiled by nobody, and its steps are not counted."""
    return attack.program(language, program) + (b"\n// %d\n" % next(FRESH) if language == "Java" else b"")


def steady(text):
    """Without addresses, and what a pre-booted Node.js has to keep in /dev/shm."""
    return re.sub(r"0x[0-9a-f]+|@[0-9a-f]+|(?<= )\.node\b", "", text)


@row("Z05", "JS Java", star=True, warm=True)
def test_Z05_a_cell_for_one_job(attack, language):
    """A runtime that became a job ends with it, and its cell with all that is in there."""
    name, seen = NAMES[language], set()
    if not is_warm(attack, name):
        return

    def served():
        before, rounds = set(Cells(attack.host.jailer).runtimes), attack.times(3, 10)
        for _ in range(rounds):
            attack.run(language, source=anew(attack, language), memory_limit=512, **AMPLE).expect("OK")
            attack.host.settled()
            now = set(Cells(attack.host.jailer).runtimes)
            seen.update(before - now)
            assert not seen & now, "one that had ended is there"
            before |= now
        return rounds
    warmly(attack, name, served, ways=len(WAYS[name][1]))
    assert len(seen) >= 3, "they were not the ones that served"


# ---- a compiler that stays -----------------------------------------------------------------------------

HELPED = "public class Main { public static void main(String[] a) { System.out.println(Helper.word()); } }\n"
HELPER = "class Helper { static String word() { return \"%s\"; } }\n"
FORGED = [
    "package java.lang; public class String { public int length() { return 13; } }\n",
    "class String { } class System { } public class Main { public static void main(java.lang.String[] a) { } }\n" + HELPER % "forged",
    "import java.util.*; public class Main { public static void main(String[] a) { " + "{" * 3000 + "}" * 3000 + " } }\n",
    "public class Main { int a = " + "1 + " * 20000 + "1; public static void main(String[] a) { } }\n" + HELPER % "forged",
]


@row("Z06", star=True, warm=True)
def test_Z06_a_compiler_of_many(attack):
    """Of what one submission brings the next one's compilation knows nothing; what it made is not kept for others."""
    if not is_warm(attack, "java"):
        return
    more = {"memory_limit": 512, **AMPLE}
    honest = attack.job("Java", source=HELPED + HELPER % "honest", **more)
    alone = attack.job("Java", source=HELPED, **more)
    fresh = itertools.count()
    results = attack.run_all([job for source in FORGED for job in (attack.job("Java", source=source, **more), alone, honest)])
    for i in range(0, len(results), 3):
        results[i].expect("OK", "CE", "RE")
        r = results[i + 1].expect("CE(error)")
        assert b"cannot find symbol" in r.compiled and b"forged" not in r.compiled, r.short()
        assert results[i + 2].expect("OK").text == "honest\n"

    def twice():
        """What a cold compiler makes is kept; what the service makes is not, so it compiles both."""
        again = attack.job("Java", source=HELPED + HELPER % "honest" + "// %d\n" % next(fresh), **more)
        for _ in range(2):
            assert attack.run_all([again])[0].expect("OK").text == "honest\n"
        return 2
    warmly(attack, "java", twice, ways=2, way="service")  # what they ran in is no matter here


# ---- the suite's own eyes ---------------------------------------------------------------------------------

SLEEPS = {"C": "#include <unistd.h>\nint main(void) { return usleep(30000000); }\n", "Py": "import time\ntime.sleep(30)\n",
          "JS": "setTimeout(() => {}, 30000);\n",
          "Java": "public class Main { public static void main(String[] a) throws Exception { Thread.sleep(30000); } }\n"}


def sees(function):
    function.row_id = "H"
    return pytest.mark.star(function)


@sees
@pytest.mark.parametrize("language", SLEEPS)
def test_a_job_is_seen(attack, language):
    """What was left behind of a job looks as one that still runs: H1 sees it, however the job was started."""
    if NAMES[language] not in SERVED:
        return
    host = attack.host
    (token,) = attack.submit(attack.job(language, source=SLEEPS[language], timeout=30000, cpu_timeout=20000, memory_limit=512))
    try:
        eventually(lambda: seen_by(host), "the job is seen", 20 * attack.slow)
    finally:
        attack.server.request("DELETE", "/v1/jobs/" + token)
        attack.server.result(token)


def seen_by(host):
    """Not while nothing of it runs: before its compilation, and between that and its run."""
    try:
        host.settled(0.3)
    except AssertionError as e:
        return "H1: processes of a cell outlive its job" in str(e)
    return False


@sees
def test_a_runtime_too_many_is_seen(attack):
    host = attack.host
    host.settled()
    cells = Cells(host.jailer)
    assert cells.wrong(host.spare, len(cells.runtimes)) == ""
    if cells.runtimes:
        assert "of which execd knows" in cells.wrong(host.spare, len(cells.runtimes) - 1)
    assert "cells are ready" in cells.wrong(len(cells.ready) - 1, len(cells.runtimes))


@sees
def test_a_group_is_seen(attack):
    """A cgroup of a cell that is gone, in which somebody lives."""
    host = attack.host
    parents = {os.path.dirname(g) for g in host.cgroup_names() if os.path.basename(g).isdigit()}
    if attack.lane == "pod":
        parents = {p for p in parents if os.access(p, os.W_OK)}
    left = pathlib.Path(sorted(parents)[0], "99999")
    left.mkdir()
    stays = subprocess.Popen(["sleep", "60"])
    try:
        (left / "cgroup.procs").write_text(str(stays.pid))
        assert not host.cgroups_are_as_before()
    finally:
        stays.kill()
        stays.wait()
        eventually(lambda: gone(left), "the group can be removed", 20)
    eventually(host.cgroups_are_as_before, "cgroups are as before", 20)


def gone(group):
    try:
        group.rmdir()
    except OSError:
        pass
    return not group.exists()


@sees
def test_descriptors_are_seen(attack):
    """Of execd: more than any number of runtimes accounts for."""
    host = attack.host
    before = host.picture()
    if before["fds"][0] == 0:
        return  # who runs the suite may not look
    address = attack.server.url.split("//")[1].rsplit(":", 1)
    held = [socket.create_connection((address[0], int(address[1]))) for _ in range(200)]
    try:
        eventually(lambda: not host.descriptors_are_as_before(before), "they are seen", 10)
    finally:
        for s in held:
            s.close()
    eventually(lambda: host.descriptors_are_as_before(before), "they are gone", 10)
