"""execd's own jail: what whoever took it over would find."""

import contextlib
import os
import pathlib
import re
import socket
import subprocess

import pytest

from conftest import C, PYTHON, ROOT, Execd, command_name, descendants, eventually
from test_ordinary_user import USER, user  # noqa: F401 (a fixture)

NO_CAPABILITY = "0" * 16
as_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can see it: execd's memory and descriptors are closed to its own user")


def status_of(path):
    return dict(line.split(":\t", 1) for line in (path / "status").read_text().splitlines())


def threads(pid):
    return [pathlib.Path(t) for t in pathlib.Path("/proc/%d/task" % pid).iterdir()]


def descriptors(pid):
    """Number -> what it is; nothing of a process that has ended."""
    found = {}
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for fd in pathlib.Path("/proc/%d/fd" % pid).iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                found[int(fd.name)] = os.readlink(fd)
    return found


def check_jailed(pid):
    for t in threads(pid):
        s = status_of(t)
        assert s["NoNewPrivs"] == "1" and s["Seccomp"] == "2", (t, s)
        for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
            assert s[key] == NO_CAPABILITY, (t, key, s[key])
        if os.getuid() == 0:
            assert s["CapBnd"] == NO_CAPABILITY, (t, s["CapBnd"])
            assert "0" not in s["Uid"].split() + s["Gid"].split() and s["Groups"].split() == [], (t, s)


def test_every_thread_is_without_privilege_and_behind_a_filter(start):
    s = start()
    assert s.run(C, 'int main(void) { return 0; }')["status"] == "completed"  # each part has done something
    check_jailed(s.pid)
    check_jailed(s.child("redis-server"))


@pytest.mark.parametrize("roles", ["api", "worker", "hook"])
def test_so_is_each_role(start, redis, roles):
    check_jailed(start({"queue": {"url": redis.url, "password": redis.password}}, roles=roles).pid)


def test_ambient_capabilities_are_given_up_too(user, redis):
    """Some supervisor's idea of help."""
    directory, build, prefix = user
    s = Execd(directory, {"queue": {"url": redis.url, "password": redis.password}}, roles="api", build=build,
              prefix=prefix + ["--inh-caps=+net_raw", "--ambient-caps=+net_raw"]).ready()
    found = status_of(pathlib.Path("/proc/%d" % s.pid))
    s.stop()
    assert found["Uid"].split()[0] == str(USER)
    for key in ("CapInh", "CapPrm", "CapEff", "CapAmb"):
        assert found[key] == NO_CAPABILITY, (key, found[key])


def test_an_end_while_languages_prove_themselves_is_in_order(tmp_path):
    plugins = [{"file": "lang-c.so"}, {"file": "lang-java.so"}]
    with Execd(tmp_path, {"worker": {"slots": 1}, "plugins": plugins}) as s:  # one after the other
        eventually(lambda: "language_ready" in s.logged(), "C has, and Java has not yet")
    assert "stopped status=0" in s.logged()


@as_root
def test_inherited_descriptors_are_closed(start, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("of whoever starts execd")
    s = start(prefix=["/bin/sh", "-c", 'exec 3<"$0" 7<"$0" 9>>"$0"; exec "$@"', str(secret)],
              env={"LISTEN_FDS": "1"})
    assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    for pid in descendants(s.pid):
        assert str(secret) not in descriptors(pid).values(), (pid, descriptors(pid))


@as_root
def test_closed_standard_descriptors_are_no_ones_socket(start):
    """A socket that became descriptor 2 would be sent what is logged."""
    s = start(prefix=["/bin/sh", "-c", 'exec <&- 2>&-; exec "$@"', "sh"])
    assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    assert [descriptors(s.pid)[fd] for fd in (0, 2)] == ["/dev/null"] * 2


@as_root
def test_its_memory_is_closed_to_its_own_user(start):
    """The redis-server that it starts is of the same user."""
    s = start()
    uid = status_of(pathlib.Path("/proc/%d" % s.pid))["Uid"].split()[0]
    for name, closed in (("environ", True), ("maps", True), ("mem", True), ("status", False)):
        r = subprocess.run(["setpriv", "--reuid=" + uid, "--regid=" + uid, "--clear-groups", "dd", "bs=1", "count=0",
                            "if=/proc/%d/%s" % (s.pid, name)], capture_output=True, text=True)
        assert ("Permission denied" in r.stderr) == closed, (name, r)


def unit_capabilities():
    """Of the units that start a jailer."""
    text = (ROOT / "deploy/systemd/unit-jailer.inc").read_text()
    return [c[4:].lower() for c in re.search(r"^CapabilityBoundingSet=(.+)$", text, re.M).group(1).split()]


@as_root
def test_the_units_capabilities_are_enough(start):
    """As systemd starts it: the bounding set, no_new_privs and the umask of the unit, and nothing inheritable."""
    keep = unit_capabilities()
    s = start(prefix=["/bin/sh", "-c", 'umask 0077; exec "$@"', "sh", "setpriv", "--no-new-privs", "--inh-caps=-all",
                      "--bounding-set=-all," + ",".join("+" + c for c in keep)])
    jailer = status_of(pathlib.Path("/proc/%d" % s.child("execd-jailer")))
    assert bin(int(jailer["CapBnd"], 16)).count("1") <= len(keep)  # fewer where this machine has not all of them
    rows = [(PYTHON, "print(1)", {}, "completed"),
            (C, '#include <stdio.h>\nint main(void) { puts("1"); }', {}, "completed"),
            (PYTHON, "while True: pass", {"timeout": 500}, "time_limit_exceeded"),
            (PYTHON, "b = bytearray(1 << 30)", {"memory_limit": 64}, "memory_limit_exceeded")]
    for language, source, fields, expected in rows:
        j = s.run(language, source, **fields)
        assert j["status"] == expected, j


def test_the_embedded_server_is_started_again_behind_the_filter(start):
    s = start()
    first = s.child("redis-server")
    os.kill(first, 9)
    eventually(lambda: any(command_name(p) == "redis-server" for p in descendants(s.pid)[1:] if p != first),
               "another redis-server")
    eventually(lambda: s.request("GET", "/readyz").status_code == 200, "Redis is back")
    assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
    check_jailed(s.child("redis-server"))


def test_the_embedded_server_rewrites_its_file_behind_the_filter(start):
    """Its heaviest work: fork, a new file in the place of the old one."""
    s = start()
    directory = os.open(s.state, os.O_RDONLY | os.O_DIRECTORY)
    with socket.socket(socket.AF_UNIX) as redis:
        redis.connect("/proc/self/fd/%d/redis.sock" % directory)
        os.close(directory)

        def ask(command):
            redis.sendall(command.encode() + b"\r\n")
            return redis.recv(65536).decode()

        assert "started" in ask("BGREWRITEAOF")
        eventually(lambda: "aof_rewrite_in_progress:0" in ask("INFO persistence"), "the rewrite's end")
        said = ask("INFO persistence")
    assert "aof_last_bgrewrite_status:ok" in said and "aof_last_write_status:ok" in said, said
    assert "aof_rewrites:1" in said, said
    assert s.run(PYTHON, "print(1)")["stdout"] == "1\n"
