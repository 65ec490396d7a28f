"""X: escape through the file system."""

import os
import pathlib
import re
import secrets
import shutil
import tempfile
import threading

import pytest
from hostile import elf, lines, source
from rows import row
from server import BUILD, Execd

PERM = "EPERM"
HERE = pathlib.Path(__file__).parent
SCRIPT = "printf '#!/bin/sh\\nls\\n' > out; chmod 755 out\n"
LATER = "run run.sh stdin.txt stdout.txt metadata compile.sh main.sh input output result".split()

# ELOOP in the words of the C library that execd-init is linked with
LOOP = ("`run` was not made (Too many levels of symbolic links)", "`run` was not made (Symbolic link loop)")


def canary(attack):
    return str(attack.host.canaries / "secret.txt")


# ---- what a build step leaves behind --------------------------------------------------------


@row("X01", star=True)
def test_X01_planted_links(attack):
    plant = "".join("ln -s %s %s\n" % (canary(attack), name) for name in LATER)
    kept, unkept = attack.run_all([
        attack.job("Staged", source="# keep: out %s\n" % " ".join(LATER) + SCRIPT + plant),
        attack.job("Staged", source=SCRIPT + plant + "test -L run.sh && echo planted"),
    ])
    assert kept.expect("CE(file)").json["message"].endswith(LOOP), kept.short()
    assert unkept.expect("OK").compiled == b"planted\n" and unkept.text == "out\n", unkept.short()


@row("X02", star=True)
def test_X02_links_to_change(attack):
    """A supervisor that changes mode or owner, or removes what the build left, would follow these."""
    directory = str(attack.host.canaries)
    before = [(p.name, p.lstat().st_mode, p.lstat().st_uid) for p in sorted(attack.host.canaries.iterdir())]
    r = attack.run("Staged", source="".join((
        "# keep: out box\n", SCRIPT, "mkdir box; ln -s %s box/d; ln -s %s d; ln -s %s f\n" % (directory, directory, canary(attack)),
        "chmod -R 777 d/ f box 2>/dev/null; rm -rf d/ 2>/dev/null; touch f d/x 2>/dev/null; echo tried\n")))
    r.expect("CE(file)")
    assert r.compiled == b"tried\n" and "`box/d` was not made" in r.json["message"], r.short()
    assert before == [(p.name, p.lstat().st_mode, p.lstat().st_uid) for p in sorted(attack.host.canaries.iterdir())]


@row("X03", star=True)
def test_X03_output_is_a_link(attack):
    shadow, folder, chain, control = attack.run_all([
        attack.job("Staged", source="ln -s /etc/shadow out\n"),
        attack.job("Staged", source="# keep: out d/passwd\n" + SCRIPT + "ln -s /etc d\n"),
        attack.job("Staged", source="ln -s a out; ln -s b a; ln -s %s b\n" % canary(attack)),
        attack.job("Staged", source="# keep: out d/passwd\n" + "printf '#!/bin/sh\\ncat d/passwd\\n' > out; chmod 755 out\n"
                                                               "mkdir d; echo mine > d/passwd\n"),
    ])
    for r, name in ((shadow, "out"), (folder, "d/passwd"), (chain, "out")):
        assert "`%s` was not made" % name in r.expect("CE(file)").json["message"], r.short()
    assert control.expect("OK").text == "mine\n"


@row("X04", star=True)
def test_X04_output_changes(attack):
    program = elf(source(attack.id), "-DTARGET=\"%s\"" % canary(attack))
    count = 10000 if attack.full else 40
    verdicts = {}
    for at in range(0, count, 40):
        for r in attack.run_all([attack.job("Staged", source=b"%s%d" % (program + b"\0", at + n)) for n in range(min(40, count - at))]):
            r.expect("OK", "CE(file)", "RE")
            verdicts[r.words[0]] = verdicts.get(r.words[0], 0) + 1
            assert r.words[0] != "OK" or r.text == "fine\n", r.short()
    assert sum(verdicts.values()) == count


@row("X05")
def test_X05_output_is_a_hard_link(attack):
    """Only to files of the box itself can one be made; the kept one is then a copy."""
    inside, outside, init = attack.run_all([
        attack.job("Staged", source="printf '#!/bin/sh\\necho mine\\n' > a; chmod 755 a; ln a out\n"),
        attack.job("Staged", source="ln /bin/sh out\n"),
        attack.job("Staged", source="ln -L /proc/self/exe out || ln /etc/passwd out\n"),
    ])
    assert inside.expect("OK").text == "mine\n"
    for r in (outside, init):
        r.expect("CE(error)")
        assert re.search(rb"Invalid cross-device link|Operation not permitted|Permission denied", r.compiled), r.short()


@row("X06", star=True)
def test_X06_output_is_no_file(attack):
    kinds = {
        "fifo": "mkfifo out\n",
        "device": "ln -s /dev/zero out\n",
        "null": "ln -s /dev/null out\n",
        "folder-of-fifo": "mkdir out; mkfifo out/pipe\n",
        "huge": "truncate -s 1T out\n",
        "two": "# keep: out two\ntruncate -s 20M out; truncate -s 20M two\n",
        "mode": "echo x > out; chmod 000 out\n",
    }
    results = dict(zip(kinds, attack.run_all([attack.job("Staged", source=s) for s in kinds.values()])))
    for name in ("fifo", "device", "null", "folder-of-fifo"):
        results[name].expect("CE(file)")
    results["huge"].expect("CE")
    assert "too large to keep" in results["two"].expect("CE(file)").json["message"]
    results["mode"].expect("CE(file)", "RE(126)", "RE")
    for name, r in results.items():
        assert r.json["limits"]["timeout"] and seconds(r) < 5 * attack.slow, "%s took %.2f s" % (name, seconds(r))


def seconds(r):
    import datetime
    at = [datetime.datetime.fromisoformat(r.json[k].replace("Z", "+00:00")) for k in ("started_at", "finished_at")]
    return (at[1] - at[0]).total_seconds()


MAGIC = ("/proc/self/root/etc/passwd", "/proc/self/root/../../../../etc/shadow", "/proc/1/root/etc/shadow", "/proc/self/cwd/main",
         "/proc/self/fd/0", "/dev/fd/0", "/dev/stdin", "/proc/self/exe", "/proc/thread-self/root/bin/sh", "/proc/1/exe")


@row("X07", star=True)
def test_X07_magic_links(attack):
    host = {line for path in ("/etc/shadow", "/etc/passwd") if os.access(path, os.R_OK)
            for line in pathlib.Path(path).read_text().splitlines() if len(line) > 12}
    host -= {"root:x:0:0:root:/root:/bin/bash"}
    outputs = attack.run_all([attack.job("Staged", source="ln -s %s out; ls -l out\n" % m) for m in MAGIC])
    for m, r in zip(MAGIC, outputs):
        assert "`out` was not made" in r.expect("CE(file)").json["message"], (m, r.short())
    included = list(MAGIC) + [canary(attack), "/etc/shadow"]
    jobs = [attack.job("C", source='#include "%s"\nint main(void) { return 0; }\n' % m) for m in included]
    jobs += [attack.job("C", source='__asm__(".incbin \\"%s\\"");\nint main(void) { return 0; }\n' % m) for m in included]
    for m, r in zip(included * 2, attack.run_all(jobs)):
        r.expect("CE", "OK", "RE", "SIG")
        text = str(r.json)
        leaked = [line for line in host if line in text]
        assert not leaked, (m, leaked[:1])


# ---- what a program can reach ----------------------------------------------------------------------


def report(attack, language="C", **fields):
    return lines(attack.run(language, source=source(attack.id), **fields).expect("OK"))


@row("X08")
def test_X08_the_box_itself(attack):
    found = report(attack)
    assert found.pop("chmod") == found.pop("chmod-back") == found.pop("write") == "ok"
    assert found.pop("into-itself") in ("EINVAL", "EBUSY", "EXDEV") and found.pop("unlink") in ("EISDIR", "EROFS", "EBUSY", "EACCES")
    assert found.pop("symlink") == "EEXIST" and found.pop("exchange") in ("ENOSYS", "EBUSY")
    assert set(found.values()) <= {"EBUSY", "EACCES", "EXDEV", "EROFS"} and len(found) == 3, found


@row("X09", star=True)
def test_X09_chroot_and_handles(attack):
    assert report(attack) == {"chroot": PERM, "fchdir": "ok", "stat": "ok", "same": "1", "cwd": "/", "chroot-dot": PERM,
                              "handles": "0", "pivot_root": PERM}


@row("X10", star=True)
@pytest.mark.parametrize("language", ["C", "Py"])
def test_X10_descriptors(attack, language):
    r = attack.run(language, source=source(attack.id) if language == "C" else None, timeout=10000, cpu_timeout=5000).expect("OK")
    found = lines(r)
    assert sorted(found.pop("listed").split()) == ["0", "1", "2"] and found.pop("open") == "0 1 2", r.short()
    assert found.pop("cwd") == "/box"
    if language == "C":
        assert found == {"moved": "0", "root-above": "ok", "above": "/", "same": "1"}


@row("X11", star=True)
def test_X11_own_program(attack):
    found = report(attack)
    assert found.pop("read-init") in ("EACCES", PERM, "ENOENT", "ok")
    assert len(found) == 12
    assert set(found.values()) <= {"ETXTBSY", "EROFS", "EACCES", PERM, "ENOENT"}, found
    r = attack.run("Strict", source=b"#!/proc/self/exe\n")
    r.expect("RE", "SIG", "TLE-wall", "MLE")
    r = attack.run("Strict", source=b"#!/proc/1/exe --version\n")
    r.expect("RE", "SIG", "TLE-wall", "MLE")


def own(match):
    """/proc/self/./task/2/comm and /proc/self/./comm, as the golden list has them."""
    return "/proc/self/task/N/" if "task" in match.group(0) else "/proc/self/"


@row("X12", star=True)
def test_X12_writable_files_of_proc(attack):
    golden = {line.strip() for line in open(HERE / "golden" / "proc-writable.txt") if not line.startswith("#")}
    r = attack.run("C", source=source(attack.id), timeout=20000, cpu_timeout=10000).expect("OK")
    found = lines(r)
    assert found.pop("control") == "yes"
    writable = {re.sub(r"^/proc/self/(\./task/\d+/|\./)?", own, k[9:]) for k in found if k.startswith("writable:")}
    fresh = writable - golden
    assert not fresh, "files of /proc and /sys that can be opened for writing, and the golden list lacks: %s" % sorted(fresh)
    written = {k: v for k, v in found.items() if not k.startswith("writable:")}
    assert len(written) == 19
    if written["/proc/self/attr/exec"] == "ok":  # AppArmor: who is unconfined, as the daemon is, may ask to stay so
        del written["/proc/self/attr/exec"]
        attack.declare("an AppArmor kernel takes `exec unconfined` of who is unconfined already")
    wrong = {k: v for k, v in written.items() if v not in ("EROFS", "EACCES", "ENOENT", PERM, "EINVAL")}
    assert not wrong, wrong
    assert {v for k, v in written.items() if k.startswith(("/proc/sys/", "/sys/"))} <= {"EROFS", "EACCES", "ENOENT", PERM}


@row("X13", star=True)
def test_X13_secrets(attack):
    """H5 looks for the planted ones in this result, and so may look in vain only if the hunt saw files at all."""
    token = secrets.token_hex(16)
    attack.host.secrets.append(token)
    hunter, other = attack.job("Py", timeout=20000, cpu_timeout=10000), attack.job("Py", source="import time; time.sleep(1)  # " + token, stdin=token)
    r, _ = attack.run_all([hunter, other])
    r.expect("OK")
    env = next(line for line in r.text.splitlines() if line.startswith("ENV"))
    assert {"PATH", "HOME"} <= set(env.split()[1:]) <= {"PATH", "HOME", "LANG", "TMPDIR", "LC_CTYPE", "PYTHONHASHSEED", "PYTHONIOENCODING",
                                                         "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PWD", "SHLVL", "_"}, env
    assert int(r.text.rsplit("SEEN ", 1)[1]) >= 3, "the hunt saw next to nothing"
    for word in (str(attack.server.directory), "PLANTED", "redis", "docker.sock there", "execd.conf"):
        assert word not in r.text, word


@row("X14", star=True)
def test_X14_what_proc_tells(attack):
    r = attack.run("C", source=source(attack.id), timeout=10000, cpu_timeout=5000).expect("OK")
    blocks = re.split(r"^@ ", r.text, flags=re.M)[1:]
    said = {b.split(None, 1)[0]: b.split(None, 1)[1] for b in blocks}
    assert said["pointers"].strip() == "0" and said["syslog"].strip() == PERM and said["hostname"].strip() == "execd"
    assert said["/proc/self/mountinfo"].startswith("ok\n") and said["/etc/hostname"].split() in (["ok", "execd"], ["ENOENT"])
    readable = {k for k, v in said.items() if v.startswith("ok")}
    assert readable <= {"/proc/self/mountinfo", "/proc/self/mounts", "/proc/self/cgroup", "/etc/hostname", "/proc/net/unix",
                        "/proc/net/tcp", "/proc/net/dev", "/proc/net/route"}, "golden list: %s" % sorted(readable)
    for path in (attack.server.directory, attack.host.canaries, os.environ.get("EXECD_BUILD", "/nowhere"), HERE):
        assert str(path) not in r.text, "a path of the machine: %s" % path
    assert not re.search(r"ffff[0-9a-f]{12}", r.text), "a kernel pointer"
    for table in ("unix", "tcp", "route"):
        body = said.get("/proc/net/" + table, "ENOENT")
        assert not body.startswith("ok") or len(body.strip().splitlines()) <= 2, body
    names = re.findall(r"^\s*(\w+):", said.get("/proc/net/dev", ""), flags=re.M)
    assert set(names) <= {"lo"}, names


@row("X15", star=True)
def test_X15_devices(attack):
    found = report(attack)
    assert {k[4:] for k in found if k.startswith("dev:")} == {
        "null", "zero", "full", "random", "urandom", "fd", "stdin", "stdout", "stderr", "shm"}
    assert found.pop("mkfifo") == found.pop("null") == "ok" and found.pop("full") == "ENOSPC"
    assert found.pop("create") in ("EROFS", "EACCES")
    assert {k: v for k, v in found.items() if k.startswith("mknod")}.keys() == {
        "mknod-mem", "mknod-null", "mknod-disk", "mknod-tty", "mknod-fuse", "mknod-whiteout", "mknod-socket"}
    wrong = {k: v for k, v in found.items() if not k.startswith("dev:") and v != (PERM if k.startswith("mknod") else "ENOENT")}
    assert not wrong, wrong


@row("X16", star=True)
def test_X16_page_cache(attack):
    """The host's files are hashed after each row, and once more without the page cache at the suite's end."""
    found = report(attack)
    assert found.pop("copied") == found.pop("intact") == "1" and found.pop("pipe") == "ok" and found.pop("advised") == "0"
    assert found.pop("mem-shared") in ("EIO", "EFAULT", "EACCES", PERM)
    assert found == {"alg": PERM, "splice": PERM, "tee": PERM, "vmsplice": PERM, "sendfile": "EINVAL", "copy_file_range": "ENOSYS",
                     "write-shared": "EACCES", "mprotect-shared": "EACCES"}


@pytest.fixture
def tree():
    """For a root file system: execd's user must get at it, which it does not below tmp_path."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-tree-"))
    directory.chmod(0o755)
    yield directory / "root"
    shutil.rmtree(directory)


@row("X17")
@pytest.mark.parametrize("hostile", ["proc", "dev", "tmp", "box"])
def test_X17_hostile_root(attack, tmp_path, tree, hostile):
    """A root file system of the operator's in which a place of the cell's own leads elsewhere: execd does not start, also
    where that place changes all the time while it looks and mounts."""
    for name in ("usr/bin", "etc", "proc", "dev", "tmp", "run", "box", "sys"):
        (tree / name).mkdir(parents=True)
    tree.chmod(0o755)
    link, folder, place = tree.parent / "link", tree.parent / "folder", tree / hostile
    link.symlink_to(attack.host.canaries)
    place.rename(folder)
    link.rename(place)
    text = start_on(tmp_path, tree)
    assert "`/%s`" % hostile in text and "rootfs" in text, text[-2000:]

    ended = threading.Event()

    def swap():
        while not ended.is_set():
            place.rename(link)
            folder.rename(place)
            place.rename(folder)
            link.rename(place)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        for _ in range(100 if attack.full else 5):
            start_on(tmp_path, tree)  # it has no shell, so the self-test refuses what got that far
    finally:
        ended.set()
        thread.join()


def start_on(directory, tree):
    return Execd(directory, {"worker": {"rootfs": str(tree)},
                             "plugins": [{"file": str(BUILD / "tests/attacks/lang-hostile.so")}]}).refused()
