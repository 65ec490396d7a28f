"""As an ordinary user with a delegated cgroup: the same verdicts, and what is missing is said and refused."""

import os
import pathlib
import shutil
import tempfile

import pytest

from conftest import BUILD, C, HOOKS, NODE, PYTHON, Execd, children, eventually

USER = 1001  # an id that no account needs to have
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")


def own_cgroups():
    """Directories of this process: one a v1 hierarchy, or the one of v2's root."""
    lines = [line.rstrip("\n").split(":", 2) for line in open("/proc/self/cgroup")]
    v1 = [pathlib.Path("/sys/fs/cgroup/%s%s" % (names, path)) for _, names, path in lines
          if set(names.split(",")) & set(CONTROLLERS)]
    return v1 or [pathlib.Path("/sys/fs/cgroup")]


@pytest.fixture
def user():
    """A directory, a copy of the build and cgroups of an ordinary user; gives (directory, build, prefix)."""
    if os.getuid() != 0:
        pytest.skip("only root can delegate a cgroup to a user that it makes up")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-user-"))
    build = directory / "build"
    build.mkdir()
    for name in ("execd", "execd-jailer"):
        shutil.copy2(BUILD / name, build / name)
    shutil.copytree(BUILD / "plugins", build / "plugins", ignore=lambda d, names: [n for n in names if not n.endswith(".so")])
    delegated = [d / ("test-user-%d" % os.getpid()) for d in own_cgroups()]
    for d in delegated:
        d.mkdir()
        for path in [d, *d.iterdir()]:
            os.chown(path, USER, USER)
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, USER, USER)
    join = "for d in %s; do echo $$ >$d/cgroup.procs; done; exec \"$@\"" % " ".join(map(str, delegated))
    yield directory, build, ["/bin/sh", "-c", join, "sh", "setpriv", "--reuid=%d" % USER, "--regid=%d" % USER,
                             "--clear-groups"]
    shutil.rmtree(directory)
    for d in delegated:
        for below in sorted(d.rglob("*/"), reverse=True):
            below.rmdir()
        eventually(lambda: d.rmdir() or True, "the delegated cgroup is empty", 10)


def test_everything_works_and_missing_uids_are_named(user):
    directory, build, prefix = user
    before = set(children())
    text = Execd(directory, {"hook": HOOKS}, prefix=prefix, build=build).refused()
    assert "uid" in text and "accept_missing" in text
    shutil.rmtree(directory / "state", ignore_errors=True)
    (directory / "execd.log").unlink()
    s = Execd(directory, {"hook": HOOKS, "worker": {"accept_missing": ["uid"]}}, prefix=prefix, build=build,
              env={"HOME": str(directory)}).ready()
    assert "Uid:\t%d" % USER in pathlib.Path("/proc/%d/status" % s.child("execd-jailer")).read_text()
    rows = [(PYTHON, "import os\nprint(os.getuid())", {}, "completed"), (NODE, "console.log(1000)", {}, "completed"),
            (C, '#include <stdio.h>\nint main(void) { puts("1000"); }', {}, "completed"),
            (PYTHON, "while True: pass", {"timeout": 500}, "time_limit_exceeded"),
            (PYTHON, "b = bytearray(1 << 30)", {"memory_limit": 64}, "memory_limit_exceeded"),
            (PYTHON, "import os\nwhile True: os.fork()", {"timeout": 1000}, None)]
    for language, source, fields, status in rows:
        j = s.run(language, source, **fields)
        assert status in (None, j["status"]), j
        assert status != "completed" or j["stdout"] == "1000\n"
    s.stop()
    eventually(lambda: set(children()) <= before, "processes left behind", 15)
