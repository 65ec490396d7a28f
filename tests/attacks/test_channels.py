"""N: the network, and channels between two jobs."""

import datetime

import pytest
from hostile import lines, source
from rows import row

PERM = "EPERM"


def report(attack, language="C", **fields):
    return lines(attack.run(language, source=source(attack.id), **fields).expect("OK"))


def pair(attack, a, b, **fields):
    """Jobs that are there at the same time: the second's time begins before the first's ends."""
    for _ in range(5):
        first, second = attack.run_all([dict(attack.job("C", source=source(attack.id, name), args=args, **fields))
                                        for name, *args in (a, b)])
        if max(at(first, "started_at"), at(second, "started_at")) < min(at(first, "finished_at"), at(second, "finished_at")):
            return first, second
    raise AssertionError("two jobs never ran at the same time")


def at(r, key):
    return datetime.datetime.fromisoformat(r.json[key].replace("Z", "+00:00"))


def all_refused(found, *words):
    assert found, "nothing was tried"
    wrong = {k: v for k, v in found.items() if v not in (words or (PERM,))}
    assert not wrong, wrong


@row("N01", star=True)
@pytest.mark.parametrize("language", ["C", "Py"])
def test_N01_ways_out(attack, language):
    """H12: no packet on any interface of the cells, no connection at what listens on the host."""
    r = attack.run(language, source=source(attack.id) if language == "C" else None, timeout=10000).expect("OK")
    found = lines(r)
    if language == "C":
        for name in ("example.org", "kubernetes.default", "kubernetes.default.svc.cluster.local", "metadata.google.internal"):
            assert found.pop(name) == "unknown"
        assert len(found) == 15
    else:
        assert len(found) == 6
    all_refused(found)


@row("N02", star=True)
def test_N02_listen_and_connect(attack):
    a, b = pair(attack, ("listen",), ("connect",))
    assert len(lines(a.expect("OK"))) == 6
    all_refused(lines(a))
    assert lines(b.expect("OK")) == {"reached": "0"}


@row("N03")
def test_N03_loopback(attack):
    """What the host has planted on these ports would have counted a connection (H12)."""
    r = attack.run("Py", source="import socket\nfor p in (6379, 2358, 8080, 22, 9229):\n  for h in ('127.0.0.1', '::1', 'localhost'):\n"
                                "    try:\n      socket.create_connection((h, p), 1); print(h, p, 'ok')\n"
                                "    except OSError as e: print('%s-%d' % (h, p), 'refused')\n").expect("OK")
    assert set(lines(r).values()) == {"refused"} and len(lines(r)) == 15


@row("N04", star=True)
def test_N04_unix_sockets(attack):
    found = report(attack)
    assert found.pop("pair") == found.pop("send") == "ok"
    assert len(found) == 9
    all_refused(found)


@row("N05", star=True)
def test_N05_sysv(attack):
    found = report(attack)
    assert len(found) == 9
    all_refused(found, PERM, "ENOENT")


@row("N06", star=True)
def test_N06_posix_names(attack):
    a, b = pair(attack, (None, "make"), (None,))
    # libc shows EPERM of mq_unlink as EACCES
    assert lines(a.expect("OK")) == {"mq": PERM, "mq-unlink": "EACCES", "sem": "ok", "shm": "ok"}
    assert lines(b.expect("OK")) == {"mq": PERM, "mq-unlink": "EACCES", "seen": "0"}
    after = attack.run("C", source=source(attack.id)).expect("OK")
    assert lines(after)["seen"] == "0"


@row("N07", star=True)
def test_N07_shared_places(attack):
    a, b = pair(attack, (None, "a"), (None, "b"))
    after = attack.run_all([attack.job("C", source=source(attack.id), args=["c%d" % n]) for n in range(4)])
    for r in (a, b, *after):
        assert lines(r.expect("OK")) == {"made": "some", "seen": "0"}, r.short()


@row("N08", star=True)
def test_N08_keyrings(attack):
    program = source("S08")
    for r in attack.run_all([attack.job("C", source=program) for _ in range(2)]):
        found = lines(r.expect("OK"))
        assert found.pop("keys") == "0"
        all_refused(found)


@row("N09", star=True)
def test_N09_locks_on_shared_files(attack):
    """The sender locks and unlocks at random; to the receiver no answer ever differs from the first: nothing to decode."""
    bits = 10000 if attack.full else 2000
    for path in ("/bin/sh", "/dev/null"):  # the latter can be opened for writing
        a, b = pair(attack, (None, "send", path, str(bits)), (None, "look", path, str(bits)), timeout=20000, cpu_timeout=10000)
        for r in (a, b):
            found = lines(r.expect("OK"))
            assert found.pop("differ") == "0"
            assert found.pop("write-lock") == "ok"  # says the filter: the kernel has not been asked
            all_refused(found)


@row("N10")
def test_N10_odd_families(attack):
    found = report(attack)
    assert found.pop("dev-vsock") == "ENOENT" and len(found) == 5
    all_refused(found)


@row("N11", star=True)
def test_N11_processes_of_others(attack):
    a, b = attack.run_all([attack.job("C", source=source(attack.id), timeout=20000, cpu_timeout=10000) for _ in range(2)])
    for r in (a, b):
        found = lines(r.expect("OK"))
        assert found.pop("self") == "ok" and found.pop("init-kill") in ("ok", PERM) and found.pop("init-limits") == PERM
        assert found.pop("everybody") in ("ESRCH", PERM, "ok")
        assert set(found.values()) == {"0"} and len(found) == 7, found


@row("N12", star=True)
def test_N12_quotas_of_a_user(attack):
    a, b = pair(attack, (None,), ("neighbour",), timeout=10000, cpu_timeout=5000)
    found = lines(a.expect("OK"))
    assert found.pop("bounded") == "1"
    assert found["sigqueue"] == "EAGAIN" and found["fork"] == "EAGAIN" and found["pipe"] in ("EMFILE", "ENFILE")
    assert found["inotify"] == found["key"] == found["mq"] == PERM
    made = lines(b.expect("OK"))
    if attack.lacks("uid"):  # cells of one uid have these in common, and each still has its bound
        attack.declare("`uid` is missing: signals that wait and large pipes are counted for all cells together")
        made["of_a_user"] = "40"
    assert made == {"of_a_cell": "40", "of_a_user": "40"}, b.short()


@row("N13")
def test_N13_cache_of_shared_pages(attack):
    """What would tell directly which shared pages are there, or push them out.  The time that a read takes is left."""
    found = report(attack)
    assert found.pop("read") == "ok" and found.pop("atime") == "still"
    assert found.pop("pageout") in ("ok", "EINVAL") and found.pop("cold") in ("ok", "EINVAL")  # of the caller's own mapping
    assert found.pop("nowait-raw") == "ENOSYS" and found.pop("nowait") in ("ENOSYS", "EOPNOTSUPP", "ENOTSUP")
    assert found.pop("fadvise") == "ENOSYS"
    all_refused(found)


@row("N14", star=True)
def test_N14_noisy_neighbour(attack):
    noisy, quiet = pair(attack, (None,), ("neighbour",), timeout=8000, cpu_timeout=2000)
    noisy.expect("TLE-cpu", "TLE-wall")
    assert lines(noisy)["membarrier"] == "ENOSYS"
    assert lines(quiet.expect("OK")) == {"done": "yes"} and 0.8 <= quiet.cpu <= 0.88 * attack.slow, quiet.short()


@row("N15", star=True)
def test_N15_no_network_to_grant(attack):
    """There is no network to be had: the wish is refused by name, not ignored."""
    for field in ("network", "enable_network"):
        problem = attack.refused(**{field: True})
        assert field in str(problem), problem
    assert "network" not in str(attack.run("Py", source="print(1)").json["limits"])
