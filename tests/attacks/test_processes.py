"""P: processes and signals."""

import errno
import os
import pathlib
import subprocess
import sys
import time

from conftest import configuration
from rows import PROGRAMS, Result, row
from server import Execd

SLOWLY = {"timeout": 40000, "cpu_timeout": 20000}
AGAIN = os.strerror(errno.EAGAIN)


def bombed(r):
    """It met the limit of processes, and its end was that of a limit or its own.  (That the cell was empty soon
    after is H7: a killed run's time ends when the last of its processes is dead.)"""
    r.expect("RE", "TLE")
    assert r.json["processes_limit_hit"] is True, r.short()
    return r


@row("P01", "C Py JS", star=True)
def test_P01_fork_bomb(attack, language):
    more = {"C": {}, "Py": {"memory_limit": 512}, "JS": {"memory_limit": 4096, "timeout": 12000, "cpu_timeout": 3000}}
    r = bombed(attack.run(language, **more[language]))
    assert r.text.startswith("fork: " + ("EAGAIN" if language == "JS" else AGAIN)), r.short()


@row("P02")
def test_P02_shell_bomb(attack):
    assert bombed(attack.run("Py", memory_limit=512)).text == "begin\n"


@row("P03", "C Java", star=True)
def test_P03_threads(attack, language):
    r = bombed(attack.run(language, **SLOWLY)).expect("RE(1)")
    if language == "C":
        assert r.text == "threads 32: %s\n" % AGAIN
    else:  # the JVM has threads of its own, for which there is room beside the limit, and warns on stdout
        made = int(r.text.splitlines()[-1].split()[1])
        assert 8 <= made <= 64 and b"unable to create native thread" in r.stderr, r.short()


@row("P04", star=True)
def test_P04_bomb_of_sessions(attack):
    assert bombed(attack.run("C")).text.startswith("fork: " + AGAIN)


@row("P05", star=True)
def test_P05_reforking_pair(attack):
    """H7 has the bound: 500 ms from the limit to the death of the last process."""
    runs = attack.times(20, 200)
    for r in attack.run_all([attack.job("C", timeout=500, cpu_timeout=None)] * runs):
        assert r.expect("TLE").text == "racing\n"


@row("P06", "C Py", star=True)
def test_P06_daemon(attack, language):
    """It dies with the cell (H1); a next cell finds no trace of it."""
    r, next = attack.run_all([attack.job(language, **SLOWLY), attack.job("C", "look", **SLOWLY)])
    assert r.expect("OK").text == "a daemon runs\n"
    assert next.expect("OK").text == "marker 0\n"
    assert attack.run("C", "look").expect("OK").text == "marker 0\n"


@row("P07", star=True)
def test_P07_child_keeps_stdout(attack):
    begin = time.monotonic()
    r = attack.run("C").expect("OK")
    assert r.text == "child 1\n" and r.wall < 0.5 * attack.slow, r.short()
    assert time.monotonic() - begin < 30 * attack.slow, "the result waited for the pipe's end"


@row("P08", "C Py", star=True)
def test_P08_stops_itself(attack, language):
    for r in attack.run_all([attack.job(language), attack.job(language, args=["all"])]):
        assert r.expect("TLE-wall").text == "stopping\n"


@row("P09", star=True)
def test_P09_signals_to_init(attack):
    r = attack.run("C").expect("OK")
    assert r.text == "parent 1\n" + "".join("%d: sent\n" % s for s in (19, 15, 11, 9)) + "parent 1\n"


@row("P10", star=True)
def test_P10_every_pid(attack):
    r = attack.run("C", **SLOWLY).expect("OK")
    assert r.text == "killed 1 absent 4194302 other 0 opened 0\n"  # 1: init, which is immune


@row("P11")
def test_P11_ptrace(attack):
    r = attack.run("C").expect("OK")
    no = ("Operation not permitted", "Function not implemented")
    lines = r.text.splitlines()
    assert [line.split(": ")[0] for line in lines[:5]] == ["seize init", "attach init", "seize child", "attach child", "traceme"]
    assert all(line.split(": ")[1] in no for line in lines[:5]) and lines[5] == "child ran", r.text


@row("P12")
def test_P12_vfork(attack):
    assert attack.run("C").expect("TLE-wall").text == "vfork\n"


@row("P13", star=True)
def test_P13_pids_come_round(attack, tmp_path):
    """A server and decoys where there are few pids, so that those of killed cells become decoys'.

    Since Linux 6.14 a pid namespace has a pid_max of its own; before, it is the machine's, which is only set where
    the machine is the suite's."""
    own, of_machine = own_pid_max(), attack.lane.startswith("vm") and os.geteuid() == 0
    few = [] if not own else ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
                              "echo 1024 > /proc/sys/kernel/pid_max && exec \"$@\"", "sh"]
    restore = pathlib.Path("/proc/sys/kernel/pid_max").read_text()
    if of_machine and not own:
        pathlib.Path("/proc/sys/kernel/pid_max").write_text("4096")
    try:
        said = churn(attack, tmp_path, few)
    finally:
        if of_machine and not own:
            pathlib.Path("/proc/sys/kernel/pid_max").write_text(restore)
    words = said.split()
    assert int(words[1]) > 100 and words[3] == "0", said
    assert int(words[5]) > 0 or not (own or of_machine), "the pids did not come round: " + said


def own_pid_max():
    """Can a namespace be made that has few pids, while the machine keeps its own?"""
    before = pathlib.Path("/proc/sys/kernel/pid_max").read_text()
    release = tuple(int(n) for n in os.uname().release.split(".")[:2])
    if os.geteuid() != 0 or release < (6, 14):
        return False
    made = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c",
                           "echo 1024 > /proc/sys/kernel/pid_max && cat /proc/sys/kernel/pid_max"], capture_output=True, text=True)
    assert pathlib.Path("/proc/sys/kernel/pid_max").read_text() == before
    return made.stdout == "1024\n"


def churn(attack, tmp_path, few):
    """Runs the jobs on a server of their own; what the decoys said at the end."""
    both = tmp_path / "both"
    both.write_text("#!/bin/sh\nexec 3>\"$1\"; fifo=$2; decoys=$3; shift 3\n"
                    "'%s' \"$decoys\" 40 <\"$fifo\" >&3 3>&- &\nexec \"$@\" 3>&-\n" % sys.executable)
    both.chmod(0o755)
    os.mkfifo(tmp_path / "fifo")
    hold = os.open(tmp_path / "fifo", os.O_RDWR)
    server = Execd(tmp_path, configuration(), prefix=[*few, str(both), str(tmp_path / "said"), str(tmp_path / "fifo"),
                                                      str(PROGRAMS / "P13_decoys.py")]).ready()
    try:
        jobs = [attack.job("C", timeout=1000, cpu_timeout=c) for c in (None, 300)] * attack.times(4, 20)
        for t in server.submit(*jobs):
            r = Result(server.result(t), attack.slow).expect("TLE")
            assert r.text == "churning\n"
        os.write(hold, b"end")
        end = time.monotonic() + 30
        while not (tmp_path / "said").read_text() and time.monotonic() < end:
            time.sleep(0.02)
    finally:
        os.close(hold)
        stop(server, few)
    return (tmp_path / "said").read_text()


def stop(server, few):
    """A signal to unshare would be none to the server: it is unshare's child."""
    if few:
        child = next(p for p in pathlib.Path("/proc/%d/task/%d/children" % (server.pid, server.pid)).read_text().split())
        os.kill(int(child), 15)
        server.process.wait(60)
    server.stop()


@row("P14")
def test_P14_exec_for_ever(attack):
    """Cpu time is the cell's, whatever runs in it."""
    r = attack.run("C", timeout=40000).expect("TLE-cpu")
    assert r.text == "begin\n" and 1.0 * attack.slow <= r.cpu <= 1.1 * attack.slow + 0.1, r.short()


@row("P15")
def test_P15_names_and_parents(attack):
    r = attack.run("C").expect("OK")
    name, subreaper, death, child = r.text.splitlines()
    assert (name, death, child) == ("name 1", "pdeathsig set", "child 7")
    assert subreaper in ("subreaper set", "subreaper Operation not permitted"), subreaper


@row("P16", star=True)
def test_P16_unreaped_children(attack):
    r = attack.run("C").expect("RE(1)")
    assert r.text == "children 31: %s\n" % AGAIN and r.json["processes_limit_hit"] is True


@row("P17", star=True)
def test_P17_many_written_then_run(attack):
    """Each is compiled, its output kept, put into another cell and run at once."""
    runs = attack.times(60, 2000)
    source = "#include <stdio.h>\nint main(void)\n{\n    puts(\"program %d\");\n}\n"
    for first in range(0, runs, 500):
        count = min(500, runs - first)
        jobs = [attack.job("C", source=source % (first + i), timeout=20000, cpu_timeout=10000) for i in range(count)]
        wrong = [r.short() for i, r in enumerate(attack.run_all(jobs))
                 if r.words[0] != "OK" or r.text != "program %d\n" % (first + i)]
        assert not wrong, "%d of %d: %s" % (len(wrong), count, wrong[:2])


@row("P18")
def test_P18_core_dumps(attack):
    """A limit of exactly 1 keeps also a piped core_pattern from starting (core(5)), and cannot be changed."""
    plain, lowered, left = attack.run_all([attack.job("C", **SLOWLY), attack.job("C", args=["lower"], **SLOWLY),
                                           attack.job("C", "left", **SLOWLY)])
    assert plain.expect("SIG(ABRT)").text == "core 1 1\n"
    assert lowered.expect("SIG(ABRT)").text == "setrlimit: Operation not permitted\ncore 1 1\n"
    assert left.expect("OK").text == "signal 6 dumped 0 files 1\n"  # 1: the program


@row("P19")
def test_P19_signal_of_main(attack):
    names = {"ABRT": "SIG(ABRT)", "FPE": "SIG(FPE)", "ILL": "SIG(ILL)", "SEGV": "SIG(SEGV)"}
    for (name, word), r in zip(names.items(), attack.run_all([attack.job("C", args=[n]) for n in names])):
        assert r.expect(word).text == name + "\n"
        assert r.exit_code is None
