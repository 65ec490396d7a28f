"""The four languages in a root file system that `./dev rootfs` made.

Making one takes minutes, so `./dev test-rootfs` runs this and `./dev test` does not."""

import os
import pathlib
import stat

import pytest

from conftest import C, JAVA, NODE, PYTHON, ROOT, Execd
from test_load import PROGRAMS
from test_rootfs import WALK, ask

ROOTFS = pathlib.Path(os.environ["EXECD_TEST_ROOTFS"])


@pytest.fixture(scope="module")
def server(tmp_path_factory, accounting):
    plugins = [{"file": "lang-%s.so" % name} for name in ("python", "c", "java")]
    plugins.append({"file": "lang-node.so", "settings": {"modules": str(ROOT / "tests/data/node_modules")}})
    conf = {"worker": {"rootfs": str(ROOTFS)}, "plugins": plugins}
    s = Execd(tmp_path_factory.mktemp("debian"), conf).ready()
    yield s
    s.stop()


def test_what_was_made_needs_no_covers():
    odd = [p for p in ROOTFS.rglob("*") if stat.S_ISREG(p.lstat().st_mode) and p.lstat().st_mode & 0o6000]
    assert odd == []
    assert sorted(p.name for p in (ROOTFS / "etc").iterdir() if not p.name.startswith(("java-", "python3"))) == \
        ["alternatives", "group", "hostname", "hosts", "ld.so.cache", "nsswitch.conf", "passwd"]
    assert (ROOTFS / "etc/hostname").read_text() == "execd\n"
    assert not any((ROOTFS / p).exists() for p in ("usr/bin/su", "usr/bin/mount", "usr/bin/apt", "usr/bin/dpkg", "var",
                                                  "usr/share/doc", "etc/shadow", "root", "usr/lib/systemd"))


def test_four_languages(server):
    for language, source in (
            (PYTHON, "import json, ssl, sqlite3, zoneinfo\nprint(json.dumps('ok')[1:-1])"),
            (NODE, "const zlib = require('zlib'); console.log(zlib.gunzipSync(zlib.gzipSync('ok')).toString())"),
            (C, '#include <math.h>\n#include <stdio.h>\nint main(void) { puts(sqrt(4.0) == 2.0 ? "ok" : "?"); }\n'),
            (JAVA, 'class M { public static void main(String[] a) { System.out.println("ok"); } }')):
        j = server.run(language, source)
        assert (j["status"], j["stdout"]) == ("completed", "ok\n"), j


def test_nothing_of_the_machine(server):
    odd, seen = ask(server, WALK, timeout=60000)
    assert odd == [] and seen > 1000
    out = ask(server, "import json\nprint(json.dumps([l.split()[3:5] for l in open('/proc/self/mountinfo')]))")
    assert len(out) < 16, out


def test_programs(server):
    tokens = []
    for at in range(0, len(PROGRAMS), 41):
        tokens += server.submit(*[{"source_code": p["source_code"], "language_id": p["language_id"], "timeout": 30000}
                                  for p in PROGRAMS[at:at + 41]])
    wrong = [(p["id"], j) for p, j in zip(PROGRAMS, map(server.result, tokens)) if j["status"] != "completed"]
    assert len(tokens) == 328 and not wrong, wrong[:3]


def test_tools(server):
    j = server.run(PYTHON, "import subprocess\nprint(subprocess.run('printf \"b\\na\\n\" | sort | awk 1 | sed s/a/x/ | tail -n 2; id -un',"
                           " shell=True, capture_output=True, text=True).stdout)")
    assert j["stdout"] == "x\nb\nrunner\n\n", j
