"""As an ordinary user with a delegated cgroup: the same verdicts, and what is missing is said and refused."""

import os
import pathlib
import shutil
import subprocess
import tempfile

import pytest

from conftest import BUILD, C, HOOKS, NODE, PYTHON, PATIENCE, Execd, children, eventually, of_process

USER = 1001  # an id that no account needs to have
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")


def own_cgroups():
    """Directories of this process: one a v1 hierarchy, or the one of v2's root."""
    lines = [line.rstrip("\n").split(":", 2) for line in open("/proc/self/cgroup")]
    v1 = [pathlib.Path("/sys/fs/cgroup/%s%s" % (names, path)) for _, names, path in lines
          if set(names.split(",")) & set(CONTROLLERS)]
    return v1 or [pathlib.Path("/sys/fs/cgroup")]


def removed(cgroup):
    """A cgroup that is being emptied cannot be removed yet."""
    try:
        for directory, _, _ in os.walk(cgroup, topdown=False):
            os.rmdir(directory)
    except OSError:
        pass
    return not cgroup.exists()


@pytest.fixture
def user():
    """A directory, a copy of the build and cgroups of an ordinary user; gives (directory, build, prefix)."""
    if os.getuid() != 0:
        pytest.skip("only root can delegate a cgroup to a user that it makes up")
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-user-"))
    build = directory / "build"
    build.mkdir()
    for name in ("execd", "execd-jailer", "execd-init", "execd-probe", "execd-zygote"):
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
        eventually(lambda: removed(d), "the delegated cgroup is empty", 10)


def every_verdict(s):
    rows = [(PYTHON, "import os\nprint(os.getuid())", {}, "completed"), (NODE, "console.log(1000)", {}, "completed"),
            (C, '#include <stdio.h>\nint main(void) { puts("1000"); }', {}, "completed"),
            (PYTHON, "while True: pass", {"timeout": 500}, "time_limit_exceeded"),
            (PYTHON, "b = bytearray(1 << 30)", {"memory_limit": 64}, "memory_limit_exceeded"),
            (PYTHON, "import os\nwhile True: os.fork()", {"timeout": 1000}, None)]
    for language, source, fields, status in rows:
        j = s.run(language, source, **fields)
        assert status in (None, j["status"]), j
        assert status != "completed" or j["stdout"] == "1000\n"


def doctor(user, *args, within=True):
    directory, build, prefix = user
    return subprocess.run([*(prefix if within else prefix[4:]), str(build / "execd"), "doctor", *args], text=True,
                          capture_output=True, timeout=PATIENCE, env=dict(os.environ, HOME=str(directory)))


def test_doctor_says_what_is_missing_and_what_to_do(user):
    r = doctor(user)
    assert r.returncode == 1 and "MISSING  uid " in r.stdout and "What to do: " in r.stdout, r.stdout + r.stderr
    conf = user[0] / "accepts.conf"
    conf.write_text('worker = { accept_missing = ( "uid" ); };\n')
    r = doctor(user, "--config", str(conf))
    assert r.returncode == 0 and "missing, accepted" in r.stdout and "MISSING" not in r.stdout, r.stdout + r.stderr
    r = doctor(user, "--config", str(conf), within=False)
    assert r.returncode == 1 and "MISSING  cgroup_memory" in r.stdout, r.stdout + r.stderr


def test_everything_works_and_missing_uids_are_named(user):
    directory, build, prefix = user
    before = set(children())
    with Execd(directory, {"hook": HOOKS}, prefix=prefix, build=build) as s:
        text = s.refused()
    assert "uid" in text and "accept_missing" in text
    shutil.rmtree(directory / "state", ignore_errors=True)
    (directory / "execd.log").unlink()
    conf = {"hook": HOOKS, "worker": {"accept_missing": ["uid"]}}
    with Execd(directory, conf, prefix=prefix, build=build, env={"HOME": str(directory)}) as s:
        s.ready()
        assert "Uid:\t%d" % USER in of_process(s.child("execd-jailer"), "status")
        checks = {c["name"]: c["detail"] for c in s.request("GET", "/health").json()["checks"]}
        assert "1 missing and accepted: uid," in checks["jailer"], checks
        every_verdict(s)
    eventually(lambda: set(children()) <= before, "processes left behind", 15)
