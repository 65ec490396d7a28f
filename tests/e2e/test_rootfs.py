"""What a cell's file tree holds: what languages need, nothing with privileges, nothing of the machine's."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

from conftest import C, JAVA, NODE, PYTHON

PYTHON_ONLY = [{"file": "lang-python.so"}]


def ask(server, source, **kw):
    j = server.run(PYTHON, source, **kw)
    assert j["status"] == "completed", j
    return json.loads(j["stdout"])


def listed(server, *folders):
    return ask(server, """
import json, os
print(json.dumps([sorted(os.listdir(d)) if os.path.isdir(d) else None for d in %r]))
""" % (folders,))


# Everything below / that is of note: modes and kinds.  (Capabilities no program can ask for; the scan's tests do.)
WALK = """
import json, os, stat
odd, seen = [], 0
for top, dirs, files in os.walk('/'):
    if top == '/':
        dirs.remove('proc')
    for name in dirs + files:
        path = os.path.join(top, name)
        s = os.lstat(path)
        seen += 1
        if stat.S_ISREG(s.st_mode) and s.st_mode & 0o6000:
            odd.append(path)
        if stat.S_ISFIFO(s.st_mode) or stat.S_ISSOCK(s.st_mode) or stat.S_ISBLK(s.st_mode):
            odd.append(path)
        if stat.S_ISCHR(s.st_mode) and os.path.dirname(path) != '/dev':
            odd.append(path)
        if os.access(path, os.W_OK) and not path.startswith(('/box', '/tmp', '/dev/')) and not stat.S_ISLNK(s.st_mode):
            odd.append('writable ' + path)
print(json.dumps([odd, seen]))
"""


def test_the_tree_holds_what_languages_need(shared):
    top, etc, share, dev, box = listed(shared, "/", "/etc", "/usr/share", "/dev", "/run")
    assert set(top) <= {"bin", "box", "dev", "etc", "lib", "lib32", "lib64", "libx32", "node_modules", "proc", "run",
                        "sbin", "tmp", "usr"}
    assert [name for name in etc if not name.startswith("java-") and name != "alternatives"] == \
        ["group", "hostname", "hosts", "nsswitch.conf", "passwd"]
    assert set(share) <= {"zoneinfo", "nodejs"}
    assert dev == ["fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"]
    assert box == []
    gone = ["/usr/sbin", "/usr/src", "/usr/games", "/usr/local/bin", "/usr/local/share", "/opt", "/var", "/home", "/srv",
            "/root", "/boot", "/mnt", "/media", "/sys", "/usr/lib/systemd", "/usr/lib/modules", "/usr/lib/openssh"]
    assert listed(shared, *gone) == [None] * len(gone)


def test_no_program_of_the_machine_but_named_ones(shared):
    there = set(listed(shared, "/usr/bin")[0])
    assert {"sh", "ls", "cat", "grep", "sort", "sed", "awk", "tar", "gcc", "node", "python3"} <= there
    bad = {"su", "mount", "umount", "passwd", "sudo", "chsh", "newgrp", "ssh", "ssh-agent", "gdb", "strace", "perl", "git",
           "curl", "unshare", "nsenter", "docker", "redis-server"}
    assert not there & bad


def test_tools_can_be_called(shared):
    j = shared.run(PYTHON, """
import subprocess
print(subprocess.run("printf 'b 2\\na 1\\n' | sort | awk '{ print $2 }' | sed s/1/one/ | grep -c . ; ls -d /box; date +%Z;"
                     "hostname; echo x | gzip | gunzip; id -un; env -i true && echo ok",
                     shell=True, capture_output=True, text=True))
""")
    assert "stdout='2\\n/box\\nUTC\\nexecd\\nx\\nrunner\\nok\\n', stderr=''" in j["stdout"], j


def test_nothing_in_the_tree_is_privileged_or_writable(shared):
    odd, seen = ask(shared, WALK, timeout=30000)
    assert odd == [] and seen > 1000


@pytest.fixture
def open_tmp():
    """A folder that cells' users may enter, which pytest's own is not."""
    path = pathlib.Path(tempfile.mkdtemp(prefix="execd-tree-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def plant(top):
    """One of everything that no cell may have; their paths below top."""
    folder = top / "deep" / "down"
    folder.mkdir(parents=True)
    names = ["setuid", "setgid", "capable", "pipe", "socket", "plain", "device"]
    for name in ("setuid", "setgid", "capable", "plain"):
        (folder / name).write_text("secret of the machine\n")
    (folder / "setuid").chmod(0o4755)
    (folder / "setgid").chmod(0o2755)
    (folder / "capable").chmod(0o755)
    os.mkfifo(folder / "pipe", 0o666)
    (folder / "pipe").chmod(0o666)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(folder / "socket"))
    if os.getuid() == 0:
        # vfs_cap_data, revision 2: cap_net_admin, permitted and effective
        os.setxattr(folder / "capable", "security.capability", bytes([1, 0, 0, 2, 0, 0x10, 0, 0] + [0] * 12))
        os.mknod(folder / "device", 0o666 | 0o060000, os.makedev(7, 0))
    else:
        names = [n for n in names if n not in ("device", "capable")]
    return [n for n in names if n != "plain"]


def test_what_is_privileged_is_covered(start, open_tmp):
    planted = plant(open_tmp)
    s = start({"plugins": PYTHON_ONLY + [{"file": "lang-node.so", "settings": {"modules": str(open_tmp)}}]})
    out = ask(s, """
import json, os
there = {}
for name in os.listdir('/node_modules/deep/down'):
    path = '/node_modules/deep/down/' + name
    try:
        there[name] = [oct(os.lstat(path).st_mode), open(path).read()]
    except OSError as e:
        there[name] = [oct(os.lstat(path).st_mode), e.errno]
print(json.dumps(there))
""")
    assert out.pop("plain") == ["0o100644", "secret of the machine\n"]
    assert {k: v for k, v in out.items() if k in planted} == {name: ["0o100000", 13] for name in planted}
    odd, _ = ask(s, WALK, timeout=30000)
    assert odd == []


def test_too_much_to_cover_refuses_the_start(start, open_tmp):
    for i in range(65):
        (open_tmp / ("s%d" % i)).write_text("")
        (open_tmp / ("s%d" % i)).chmod(0o4755)
    s = start({"plugins": [{"file": "lang-node.so", "settings": {"modules": str(open_tmp)}}]}, wait=False)
    assert "more than 64 set-user-id files" in s.refused()


def test_proc_shows_processes_alone(shared):
    out = ask(shared, "import json, os\nprint(json.dumps([n for n in os.listdir('/proc') if not n.isdigit()]))")
    assert sorted(out) == ["self", "thread-self"]


def test_languages_count_the_same_processors(shared):
    """Those that its process may use: nothing else tells how many there are.  (Node.js has no list of them: that is /proc/stat.  The JVM is told.)"""
    may = str(len(os.sched_getaffinity(shared.pid)))
    sources = [(PYTHON, "import os\nprint(os.cpu_count())"),
               (NODE, "console.log(require('os').availableParallelism())\nif (require('os').cpus().length) throw 1"),
               (C, '#include <stdio.h>\n#include <unistd.h>\nint main(void) { printf("%ld\\n", sysconf(_SC_NPROCESSORS_ONLN)); }\n')]
    for language, source in sources:
        j = shared.run(language, source)
        assert (j["status"], (j["stdout"] or "").strip()) == ("completed", may), j


def test_mounts_tell_no_more_than_the_tree(shared):
    """What is bound is bound from the place that it is seen at; all is read-only but the box."""
    lines = ask(shared, "import json\nprint(json.dumps(open('/proc/self/mountinfo').read().splitlines()))")
    assert 10 < len(lines) < 48
    for line in lines:
        _, _, _, source, target, options = line.split()[:6]
        options = options.split(",")
        assert "nosuid" in options and ("nodev" in options or target.startswith("/dev/")), line
        assert ("ro" in options) == (target not in ("/box", "/tmp", "/dev/shm", "/proc")), line
        if target in ("/", "/proc", "/node_modules") or target in ("/box", "/tmp", "/dev/shm"):
            continue
        # Bound from the same place of its file system, or through a link of the same folder.
        assert source == "/.cover//deleted" or target.endswith(source) or \
            os.path.dirname(target).endswith(os.path.dirname(source)), line


SECRETS = ["/etc/shadow", "/etc/gshadow", "/etc/machine-id", "/etc/fstab", "/etc/resolv.conf", "/etc/ssh", "/etc/ssl",
           "/etc/localtime", "/etc/timezone", "/etc/ld.so.cache", "/etc/environment", "/etc/os-release", "/etc/mtab",
           "/root", "/home", "/var/log", "/var/lib/dpkg", "/run/secrets", "/var/run", "/boot", "/sys/kernel",
           "/usr/lib/os-release", "/dev/kmsg", "/dev/vda", "/dev/tty",
           *["/proc/" + n for n in
             ("cmdline", "version", "kallsyms", "timer_list", "keys", "key-users", "sched_debug", "config.gz", "interrupts",
              "stat", "meminfo", "swaps", "partitions", "diskstats", "modules", "mounts", "net", "sys", "pressure",
              "loadavg", "uptime", "kmsg", "kcore", "locks", "cpuinfo", "iomem", "bus", "sysrq-trigger", "cgroups",
              "sys/kernel/random/boot_id", "sys/kernel/hostname", "1/environ", "1/root", "1/fd", "1/maps")]]


def test_the_machines_secrets_are_not_there(shared):
    out = ask(shared, """
import json, os
read = []
for path in %r:
    try:
        what = os.listdir(path) if os.path.isdir(path) else open(path, 'rb').read(1)
        read.append(path) if what else None
    except OSError:
        pass
print(json.dumps(read))
""" % SECRETS)
    assert out == []


def test_neither_name_nor_time_zone_of_the_machine(shared):
    out = ask(shared, "import json, os, time, socket\n"
                      "print(json.dumps([os.uname().nodename, open('/etc/hostname').read(), time.tzname,"
                      " open('/etc/passwd').read().count('\\n')]))")
    assert out == ["execd", "execd\n", ["UTC", "UTC"], 2]


def test_clean_etc_for_every_language(shared):
    """The name of the cell's user comes from the stand-in, whoever asks."""
    sources = [(NODE, "console.log(require('os').userInfo().username, require('os').hostname())", "runner execd"),
               (C, '#include <pwd.h>\n#include <stdio.h>\n#include <unistd.h>\nint main(void)\n{\n'
                   '    char name[64];\n    gethostname(name, sizeof name);\n'
                   '    printf("%s %s\\n", getpwuid(getuid())->pw_name, name);\n}\n', "runner execd"),
               (JAVA, 'class M { public static void main(String[] a) {'
                      ' System.out.println(System.getProperty("user.name") + " " + java.util.TimeZone.getDefault().getID()); } }',
                "runner UTC")]
    for language, source, expected in sources:
        j = shared.run(language, source)
        assert (j["status"], (j["stdout"] or "").strip().replace("Etc/UTC", "UTC").replace("GMT", "UTC")) == \
            ("completed", expected), j


# ---- a root file system of the operator's own -------------------------------------------------------


@pytest.fixture
def small(open_tmp):
    """As little as Python needs, in a folder of its own."""
    python = os.path.realpath("/usr/bin/python3")
    root = open_tmp / "root"
    for d in ("usr/bin", "usr/lib64", "etc", "proc", "dev", "tmp", "opt/here", "home/nobody"):
        (root / d).mkdir(parents=True)
    for link in ("bin", "lib", "lib64"):
        (root / link).symlink_to("usr/" + link)
    shutil.copy(python, root / "usr/bin/python3")
    shutil.copytree("/usr/lib/" + os.path.basename(python), root / "usr/lib" / os.path.basename(python), symlinks=True,
                    ignore=shutil.ignore_patterns("test", "idlelib", "__pycache__", "config-*"))
    libraries = subprocess.run(["ldd", python, *map(str, pathlib.Path("/usr/lib", os.path.basename(python),
                                                                    "lib-dynload").glob("_json*"))],
                               capture_output=True, text=True).stdout
    for word in libraries.split():
        if word.startswith("/lib") and word[-1] != ":":
            target = root / os.path.realpath("/" + word.split("/")[1]).lstrip("/") / word.split("/", 2)[2]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(os.path.realpath(word), target)
    (root / "opt/here/marker").write_text("of the operator\n")
    (root / "etc/own").write_text("own etc\n")
    return root


def own(root, **kw):
    return dict({"worker": {"rootfs": str(root)}, "plugins": PYTHON_ONLY}, **kw)


def test_an_own_root_file_system_is_shown_in_place_of_the_machines(start, small):
    planted = plant(small / "opt")
    (small / "usr/escape").symlink_to("/../../../../../etc/shadow")
    (small / "tmp/hidden").write_text("")
    s = start(own(small))
    out = ask(s, """
import json, os
def read(path):
    try:
        return open(path).read()
    except OSError as e:
        return e.errno
print(json.dumps([sorted(os.listdir('/')), os.listdir('/etc'), read('/opt/here/marker'), read('/usr/escape'),
                  os.listdir('/tmp'), os.path.exists('/usr/bin/ls'), os.listdir('/usr/lib'), sorted(os.listdir('/proc'))[-2:],
                  [read('/opt/deep/down/' + n) for n in %r]]))
""" % planted)
    version = os.path.basename(os.path.realpath("/usr/bin/python3"))
    assert out[0] == ["bin", "box", "dev", "etc", "home", "lib", "lib64", "opt", "proc", "run", "tmp", "usr"]
    assert out[1:6] == [["own"], "of the operator\n", 2, [], False]
    assert version in out[6] and "gcc" not in out[6]
    assert out[7] == ["self", "thread-self"]
    assert out[8] == [13] * len(planted)
    assert ask(s, WALK)[0] == []


def replace(path, target):
    shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink(missing_ok=True)
    path.symlink_to(target)


def write(path, mode):
    path.write_text("")
    path.chmod(mode)


HOSTILE = {
    "proc is a link": (lambda r: replace(r / "proc", "/proc"), "its `/proc` is no folder"),
    "dev is a link": (lambda r: replace(r / "dev", "/dev"), "its `/dev` is no folder"),
    "etc is a link": (lambda r: replace(r / "etc", "/etc"), "its `/etc` is no folder"),
    "usr is a link": (lambda r: replace(r / "usr", "/usr"), "its `/usr` is no folder"),
    "usr is a relative link": (lambda r: replace(r / "usr", "../../../../usr"), "its `/usr` is no folder"),
    "tmp is a file": (lambda r: ((r / "tmp").rmdir(), (r / "tmp").write_text("")), "its `/tmp` is no folder"),
    "box is a link": (lambda r: (r / "box").symlink_to("/root"), "its `/box` is no folder"),
    "bin leads out": (lambda r: replace(r / "bin", "../../bin"), "`/bin` is a link to `../../bin`, not below /usr"),
    "lib leads to the machine's": (lambda r: replace(r / "lib", "/etc"), "`/lib` is a link to `/etc`, not below /usr"),
    "lib climbs": (lambda r: replace(r / "lib", "usr/../../../etc"), "not below /usr"),
    "everybody may write it": (lambda r: r.chmod(0o777), "nobody else may write it"),
    "everybody may write a file of it": (lambda r: write(r / "usr/lib/x", 0o646), "`/usr/lib/x` belongs to uid %d, mode 0646"),
    "a group may write a file of it": (lambda r: write(r / "usr/lib/x", 0o664), "`/usr/lib/x` belongs to uid %d, mode 0664"),
    "everybody may write a folder of it": (lambda r: (r / "usr/lib/deep/er").mkdir(parents=True) or
                                           (r / "usr/lib/deep/er").chmod(0o1777), "`/usr/lib/deep/er` belongs to uid %d, mode 1777"),
    "everybody may write its /etc": (lambda r: (r / "etc").chmod(0o777), "`/etc` belongs to uid %d, mode 0777"),
    "nothing in it": (lambda r: [shutil.rmtree(r), r.mkdir()], "it has no /usr"),
    "not there": (lambda r: shutil.rmtree(r), "No such file or directory"),
    "a file": (lambda r: (shutil.rmtree(r), r.write_text("")), "Not a directory"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_strange_root_file_system_refuses_the_start(start, open_tmp, name):
    root = open_tmp / "root"
    for d in ("usr/bin", "usr/lib", "etc", "proc", "dev", "tmp"):
        (root / d).mkdir(parents=True)
    (root / "bin").symlink_to("usr/bin")
    (root / "lib").symlink_to("usr/lib")
    change, text = HOSTILE[name]
    change(root)
    said = start(own(root), wait=False).refused()
    assert "worker.rootfs" in said and (text % os.getuid() if "%d" in text else text) in said, said


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give files to others")
def test_what_others_own_in_a_root_file_system_refuses_the_start(start, small):
    """A cell's own user for one, who could read there what nobody looked through: it is closed to us."""
    closed = small / "opt/closed"
    closed.mkdir()
    (closed / "secret").write_text("")
    (closed / "secret").chmod(0o4755)
    os.chown(closed, 1900000001, 1900000001)
    closed.chmod(0o700)
    said = start(own(small), wait=False).refused()
    assert "`/opt/closed` belongs to uid 1900000001, mode 0700; all of it must belong to root" in said, said


def test_a_language_that_is_not_in_the_root_file_system_refuses_the_start(start, small):
    s = start(own(small, plugins=PYTHON_ONLY + [{"file": "lang-java.so"}]), wait=False)
    assert "no JDK by /usr/bin/javac" in s.refused()
    (small / "usr/bin/python3").unlink()
    assert "/usr/bin/python3" in start(own(small), wait=False).refused()


def test_a_link_of_the_root_file_system_does_not_lead_a_language_out(start, small):
    """The folder that the interpreter's name leads to is looked for inside, whatever it is on the machine."""
    (small / "usr/bin/python3").rename(small / "opt/here/python3")
    (small / "usr/bin/python3").symlink_to("../../../../../../../opt/here/python3")
    out = ask(start(own(small)), "import json, os\nprint(json.dumps(os.readlink('/proc/self/exe')))")
    assert out == "/opt/here/python3"
