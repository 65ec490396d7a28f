"""O: standard input and output."""

import os
import secrets

from host import QUIET, kernel_messages, read, resident
from rows import row

SLOWLY = {"timeout": 40000, "cpu_timeout": 20000}
CAP = 65536


def flooded(r, stream="stdout"):
    """Cut at the cap, to the byte, and killed for it."""
    r.expect("OLE")
    kept = r.stdout if stream == "stdout" else r.stderr
    assert len(kept) == CAP and r.json[stream + "_truncated"] is True and r.hit == "output", r.short()
    return r


def cpu_ticks(pid):
    """utime and stime of a process of ours, in seconds."""
    fields = read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@row("O01", "C Py", star=True)
def test_O01_flood_of_stdout(attack, language):
    before = resident(attack.server.pid)
    r = flooded(attack.run(language, **SLOWLY))
    assert r.stdout == b"y\n" * (CAP // 2)
    assert r.wall < {"C": 0.3, "Py": 1.0}[language] * 2 * attack.slow, "killed late: %s" % r.short()
    assert r.cpu < {"C": 0.2, "Py": 0.5}[language] * attack.slow, "killed late: %s" % r.short()
    assert resident(attack.server.pid) <= before + (8 << 20)


@row("O02", star=True)
def test_O02_flood_of_stderr(attack):
    r = flooded(attack.run("C", **SLOWLY), "stderr")
    assert r.stdout == b"" and r.stderr == b"y\n" * (CAP // 2)


@row("O03")
def test_O03_single_bytes(attack):
    """The cap ends it soon; and what our side spends on it is bounded by what the job is given."""
    before = cpu_ticks(attack.server.pid)
    runs = attack.run_all([attack.job("C", **SLOWLY) for _ in range(8)])
    for r in runs:
        assert flooded(r).stdout == b"y" * CAP
    # (the canaries' share of the server's work, and 10 ms ticks, are in it as well)
    assert cpu_ticks(attack.server.pid) - before <= sum(r.wall for r in runs) + 1.0 * attack.slow


@row("O04")
def test_O04_children_flood_together(attack):
    r = flooded(attack.run("C", **SLOWLY))
    assert set(r.stdout) <= set(b"flood\n")


@row("O05", star=True)
def test_O05_at_the_cap(attack):
    sizes = [CAP - 1, CAP, CAP + 1]
    jobs = [attack.job("C", args=[str(n), *more], **SLOWLY) for more in ([], ["e"]) for n in sizes]
    results = attack.run_all(jobs)
    for i, r in enumerate(results):
        n, err = sizes[i % 3], i >= 3
        if n > CAP:
            flooded(r, "stderr" if err else "stdout")
        else:
            r.expect("OK")
        want = bytes(ord("a") + k % 26 for k in range(n - 1, -1, -1))[:CAP]
        assert (r.stderr if err else r.stdout) == want and (r.stdout if err else r.stderr) == b""


@row("O06", star=True)
def test_O06_slow_output(attack):
    """What came before the end is returned."""
    r = attack.run("C").expect("TLE-wall")
    assert set(r.stdout) == set(b"x") and 10 <= len(r.stdout) <= 31 * max(1, attack.slow), r.short()


@row("O07", star=True)
def test_O07_late_output(attack):
    """What a child prints once the program's first process has ended is cut off, always.  (Between that end and its
    being noticed is what the machine needs to run init: far below 50 ms, where others do not want all the cores.)"""
    runs, later = attack.times(20, 100), int((50 if QUIET else 2000) * attack.slow)
    texts = [r.expect("OK").text for r in attack.run_all([attack.job("C", args=[str(later)], **SLOWLY)] * runs)]
    assert texts == ["early\n"] * runs, set(texts)


@row("O08", "C Py", star=True)
def test_O08_closed_outputs(attack, language):
    """The end of its pipes is not the end of the program."""
    spin, wait = attack.run_all([attack.job(language, args=["spin"], timeout=40000),
                                 attack.job(language, args=["wait"], timeout=40000)])
    assert spin.expect("TLE-cpu").text == "closing\n" and spin.cpu >= 1.0 * attack.slow
    assert wait.expect("OK").text == "closing\n" and wait.wall >= 0.5, wait.short()


@row("O09", star=True)
def test_O09_killed_with_output(attack):
    assert attack.run("C", timeout=40000).expect("TLE-cpu").text == "flushed\n"


@row("O10", star=True)
def test_O10_every_byte(attack):
    """Byte for byte, in whichever encoding the answer is; where there is a cap, up to it."""
    euros = ("€" * (CAP // 3 + 1)).encode()
    wanted = {"bytes": bytes(range(256)), "nul": b"a\0b\0\0",
              "surrogates": b"a\xed\xa0\x80z\xed\xbf\xbf\xc0\x80\xf4\x90\x80\x80\xef\xbf\xbf",
              "json": b"\"},\"status\":\"completed\",\\u0000\\\"\x1b[2J\x7f\xe2\x80\xa8", "split": euros[:CAP],
              "line": b"l" * CAP}
    jobs = [dict(attack.job("C", args=[w], **SLOWLY), encoding=e) for e in ("base64", "utf-8") for w in wanted]
    for j in jobs[len(wanted):]:
        j["source_code"] = attack.program("C").decode()
    for (what, want), r in zip(list(wanted.items()) * 2, attack.run_all(jobs)):
        r.expect("OLE" if what in ("split", "line") else "OK")
        assert r.stdout == want, (what, r.short())


@row("O11")
def test_O11_what_a_pipe_allows(attack):
    """Nothing of it is felt on our side of the pipe, and the next job's is a new one."""
    r = attack.run("C", **SLOWLY).expect("OK")
    said = r.stderr.decode().splitlines()
    assert said[:2] == ["lseek: Illegal seek", "ftruncate: Invalid argument"] and said[2] == "pwrite: Illegal seek", said
    assert "reopen: Permission denied" in said, "the reading end of stdout is not the program's: %s" % said
    assert r.text in ("ours\n", "ours\nagain\n"), r.short()
    clean = attack.run("Py", source="import fcntl, os\nprint(fcntl.fcntl(1, fcntl.F_GETFL) & (os.O_NONBLOCK | os.O_ASYNC))\n",
                       **SLOWLY).expect("OK")
    assert clean.text == "0\n"


@row("O12", star=True)
def test_O12_stdin_ignored(attack):
    size = (7 << 20) if not attack.full else (8 << 20)  # of base64, as much as a request's field may be
    jobs = [attack.job("C", stdin=b"x" * (size * 3 // 4), args=[a], **SLOWLY) for a in ("leave", "close")]
    for j in jobs:  # each in a request of its own
        r = attack.run_all([j])[0]
        assert r.expect("OK").text == "not interested\n"


@row("O13")
def test_O13_pages_given_away(attack):
    """Either it cannot give pages away, or client and judge see the same bytes: they are read once."""
    r = attack.run("C", expected_output="a" * 4096, **SLOWLY).expect("OK", "WA")
    said = r.stderr.decode()
    if said == "vmsplice: done\n":
        assert (r.stdout == b"a" * 4096) == (r.words[0] == "OK"), r.short()
    else:
        assert said in ("vmsplice: Function not implemented\n", "vmsplice: Operation not permitted\n"), said
        assert r.expect("OK").stdout == b"a" * 4096


@row("O14")
def test_O14_logs_of_the_machine(attack):
    mark = "mark-" + secrets.token_hex(8)
    r = attack.run("C", args=[mark], **SLOWLY).expect("OK")
    for line in r.text.splitlines():
        assert line.split(": ")[1] in ("No such file or directory", "Permission denied", "Operation not permitted",
                                       "Function not implemented", "Address family not supported by protocol"), r.text
    assert len(r.text.splitlines()) == 8
    assert not [m for m in kernel_messages() if mark in m]
    for log in ("/var/log/syslog", "/var/log/messages", "/var/log/user.log"):
        assert mark not in read(log), log
    assert mark not in attack.server.logged()
