"""T: time."""

import contextlib
import datetime
import mmap
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import time

from conftest import configuration
from rows import PROGRAMS, Result, row
from server import Execd, eventually

SPINS = {"timeout": 40000}  # the cpu limit must be what ends it, however many others want the cores
START_CPU = {"C": 0.1, "Py": 0.25, "JS": 0.5, "Java": 1.0}  # what starting a runtime costs, at most


def spun(attack, r, limit=1.0):
    """Ended by the cpu limit, and soon after it: a look is due when all cores together could have used the rest."""
    r.expect("TLE-cpu")
    assert limit * attack.slow <= r.cpu <= (limit * 1.1) * attack.slow + 0.1, r.short()
    return r


@contextlib.contextmanager
def all_cores_loaded():
    spin = [sys.executable, "-c", "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"]
    burners = [subprocess.Popen(spin) for _ in range(os.cpu_count())]
    try:
        yield
    finally:
        for b in burners:
            b.kill()
            b.wait()


@row("T01", "C Py JS Java", star=True)
def test_T01_endless_loop(attack, language):
    spun(attack, attack.run(language, **SPINS))


@row("T02", "C Py JS Java", star=True)
def test_T02_sleep(attack, language):
    r = attack.run(language).expect("TLE-wall")
    assert r.text == "sleeping\n"
    assert 3.0 * attack.slow <= r.wall <= 3.3 * attack.slow + 0.1, r.short()
    assert r.cpu < START_CPU[language] * attack.slow, r.short()


@row("T03", "C JS", star=True)
def test_T03_signals_ignored(attack, language):
    r = spun(attack, attack.run(language, **SPINS))
    # KILL, STOP; glibc keeps no other from being blocked among the first 31
    assert r.text == {"C": "blocked 29\n", "JS": "handled 6\n"}[language]


@row("T04", star=True)
def test_T04_threads_spin(attack):
    r = spun(attack, attack.run("C", cpu_limit="4000m", **SPINS))
    assert r.text == "threads 4\n"
    one = spun(attack, attack.run("C", cpu_limit="500m", **SPINS))  # half a core: all four together get that
    assert one.wall >= 1.7 * attack.slow, one.short()


@row("T05", star=True)
def test_T05_child_spins(attack):
    assert spun(attack, attack.run("C", **SPINS)).text == "child 1\n"


@row("T06")
def test_T06_child_sleeps(attack):
    r = attack.run("C").expect("TLE-wall")
    assert r.text == "child 1\n" and r.cpu < 0.1 * attack.slow


@row("T07", star=True)
def test_T07_fork_chain(attack):
    assert spun(attack, attack.run("C", **SPINS)).text == "chain\n"


@row("T08", star=True)
def test_T08_grandchild_outlives_parent(attack):
    """Its cpu counts while the program lives; then it is killed with the rest of the cell (the host is checked)."""
    r = attack.run("C", **SPINS).expect("OK")
    assert r.text == "parent ends\n"
    # (how much of its 0.3 s it got depends on who else wants the cores)
    assert 0.03 * attack.slow < r.cpu < 1.0 * attack.slow and r.wall < 5 * attack.slow, r.short()


@row("T09")
def test_T09_bursts_below_a_tick(attack):
    assert spun(attack, attack.run("C", **SPINS)).text == "bursts\n"


@row("T10")
def test_T10_host_clock_steps(attack, tmp_path):
    """A server of its own, whose wall clock (and its jailer's, and its Redis') is stepped while a job runs."""
    preload, offset, jailer = tmp_path / "clock.so", tmp_path / "offset", tmp_path / "jailer"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-o", preload, PROGRAMS / "T10_clock.c"], check=True)
    offset.write_bytes(struct.pack("q", 0))
    for p in (preload, offset):
        p.chmod(0o755)
    tmp_path.chmod(0o755)
    build = pathlib.Path(os.environ.get("EXECD_BUILD", pathlib.Path(__file__).parents[2] / "build/release"))
    env = {"LD_PRELOAD": str(preload), "CLOCK_OFFSET": str(offset)}
    if "san" in build.name:
        env["ASAN_OPTIONS"] = "verify_asan_link_order=0"
    jailer.write_text("#!/bin/sh\n%s exec '%s' \"$@\"\n" % (" ".join("%s='%s'" % e for e in env.items()),
                                                         (build / "execd-jailer").resolve()))
    jailer.chmod(0o755)
    for beside in ("execd-probe", "execd-init", "execd-zygote"):
        shutil.copy(build / beside, tmp_path)
    conf = configuration()
    conf["worker"] = dict(conf.get("worker", {}), jailer=str(jailer))
    server = Execd(tmp_path, conf, env=env).ready()
    try:
        with open(offset, "r+b") as f, mmap.mmap(f.fileno(), 8) as clock:
            for step in (0, -3600, 3600, 7200, 0):
                (token,) = server.submit(attack.job("C", timeout=3000))
                get = lambda: server.request("GET", "/v1/jobs/" + token).json()  # noqa: E731
                eventually(lambda: get()["status"] != "queued", "the job starts")
                clock[:] = struct.pack("q", step)
                r = Result(server.result(token), attack.slow).expect("OK")
                said = datetime.datetime.fromisoformat(r.json["finished_at"].replace("Z", "+00:00")).timestamp()
                assert abs(said - time.time() - step) < 60, "the server's clock was not stepped"
                assert r.text == "begin\nend\n"
                assert 0.4 < r.wall < 0.8 + 0.7 * attack.slow and 0 <= r.cpu < 0.3 * attack.slow, r.short()
            assert server.request("GET", "/health").status_code == 200
    finally:
        server.stop()


@row("T11", star=True)
def test_T11_at_the_edge_of_cpu_time(attack):
    """In the quick run a limit of 200 ms, where what starting costs weighs five times as much."""
    runs, limit = attack.times(20, 200), 1000 if attack.full else 200
    jobs = [attack.job("C", timeout=60000, cpu_timeout=limit, args=[str(int(limit * part * attack.slow))])
            for part in (0.90, 1.15) for _ in range(runs)]
    with all_cores_loaded():
        results = attack.run_all(jobs)
    wrong = [r.short() for r in results[:runs] if r.words[0] != "OK" or r.text != "done\n"]
    wrong += [r.short() for r in results[runs:] if r.words[0] != "TLE-cpu"]
    assert not wrong, "%d of %d wrong: %s" % (len(wrong), 2 * runs, wrong[:3])


@row("T12")
def test_T12_exit_at_the_limit(attack):
    """By its own count it ends just behind the limit, perhaps before anybody looked: what it used is what counts."""
    job = dict(attack.job("C", **SPINS), cpu_timeout=1000)  # as SIGXCPU counts, however slow the machine is
    for r in attack.run_all([job] * 4):
        assert r.expect("TLE-cpu").text in ("", "SIGXCPU\n")


@row("T13", "C Py JS Java")
def test_T13_no_stdin(attack, language):
    r = attack.run(language, timeout=15000, cpu_timeout=10000).expect("OK")
    assert r.text == "read 0\n"


@row("T14")
def test_T14_timer_storm(attack):
    r = attack.run("C", **SPINS).expect("OK", "TLE-cpu")
    if r.words[0] == "OK":
        assert r.text in ["set 3 made %d signals 1\n" % n for n in range(1, 65)], r.text
