"""S: system calls and the kernel."""

import errno
import os
import pathlib
import platform
import re
import secrets

import pytest
from host import commands
from hostile import elf, lines, source
from rows import row
from server import BUILD, Execd

GOLDEN = pathlib.Path(__file__).parent / "golden" / ("syscalls-%s.tsv" % platform.machine())
PERM = "EPERM"
X86 = platform.machine() == "x86_64"


def report(attack, language="C", **fields):
    return lines(attack.run(language, source=source(attack.id), **fields).expect("OK"))


def all_refused(found, *words):
    """Every attempt that was reported ends with one of `words`."""
    assert found, "nothing was tried"
    wrong = {k: v for k, v in found.items() if v not in (words or (PERM,))}
    assert not wrong, wrong


@row("S01", star=True)
def test_S01_set_user_id(attack):
    r = attack.run("C", source=source(attack.id), timeout=30000, cpu_timeout=15000).expect("OK")
    assert lines(r) == {"seen": "many", "found": "0", "NoNewPrivs:": "1", "chmod": PERM, "chmod-plain": "ok",
                        "fchmodat": PERM, "mknod": PERM, "copy": "ok", "copy-mode": "755", "gain": "0"}, r.short()


@row("S02", star=True)
def test_S02_capabilities(attack):
    none = "0000000000000000"
    assert report(attack) == {
        "CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none, "CapAmb": none, "uid": "1", "ambient": PERM,
        "setuid": PERM, "setgid": PERM, "setresuid": PERM, "setfsuid": PERM, "setgroups": PERM, "capset": PERM, "chroot": PERM,
        "sethostname": PERM, "setdomainname": PERM, "socket": PERM, "bind": PERM, "chown": PERM, "chown-self": PERM}


@row("S03", star=True)
def test_S03_namespaces(attack):
    found = report(attack)
    assert found.pop("thread") == "7"
    assert found.pop("clone3-user") == found.pop("clone3-plain") == "ENOSYS"
    assert len(found) == 9 + 8 + 8
    all_refused(found)


@row("S04")
def test_S04_setns(attack):
    assert report(attack) == {"self": "refused", "tried": "many", "1": "refused", "pidfd_open": "ENOSYS", "setns-pidfd": PERM}


@row("S05", star=True)
def test_S05_mounts(attack):
    found = report(attack)
    assert len(found) == 13
    all_refused(found)


@row("S06", star=True)
def test_S06_io_uring(attack):
    assert report(attack) == {"io_uring_setup": "ENOSYS", "io_uring_enter": "ENOSYS", "io_uring_register": "ENOSYS",
                              "io_setup": PERM, "getpid": "ok"}


@row("S07", star=True)
def test_S07_bpf_perf_userfaultfd(attack):
    assert report(attack) == {"bpf": PERM, "bpf-load": PERM, "bpf-get": PERM, "perf_event_open": PERM, "userfaultfd": PERM,
                              "userfaultfd-user-mode": PERM, "dev": "ENOENT"}


@row("S08", star=True)
def test_S08_keys(attack):
    before = keys()
    found = report(attack)
    assert int(found.pop("keys")) == 0, "a cell sees keys"
    assert len(found) == 6
    all_refused(found)
    assert keys() <= before


def keys():
    """What /proc/keys names a channel: none but what a row would have made."""
    try:
        return {line for line in open("/proc/keys") if "channel" in line}
    except OSError:
        return set()


@row("S09", star=True)
def test_S09_other_processes(attack):
    found = report(attack)
    assert found.pop("kill") == "ok"
    assert found.pop("mem-of-init") in ("EACCES", PERM, "ENOENT")
    assert found.pop("mem-of-child") in ("ok", "EACCES")  # its own child's: it could as well share the memory
    assert len(found) == 10
    all_refused(found)


@row("S10", star=True)
def test_S10_other_architectures(attack):
    found = report(attack)
    assert found.pop("getpid") == "ok" and found.pop("write") == "ok"
    assert found.pop("i386") in ("ENOEXEC", "signal 31", "signal 11")  # 11: a kernel that has i386 switched off by hand
    if X86:
        assert found.pop("x32-getpid") == found.pop("x32-ioctl") == "signal 31"
        assert found.pop("int80") in ("signal 31", "signal 11")
        assert found.pop("x32-minus-1") == "ENOSYS"
    assert not found


@row("S11")
def test_S11_own_filter(attack):
    found = report(attack)
    assert found.pop("mode") in ("2", "-1")
    all_refused(found)


@row("S12")
def test_S12_golden_prctl(attack):
    found = report(attack)
    fine = {"PR_GET_DUMPABLE", "PR_SET_NAME", "PR_SET_NO_NEW_PRIVS", "ARCH_GET_FS"}
    assert {k for k, v in found.items() if v == "ok"} == (fine if X86 else fine - {"ARCH_GET_FS"})
    all_refused({k: v for k, v in found.items() if k not in fine})
    assert len(found) == (26 if X86 else 21)


@row("S13", star=True)
def test_S13_scheduling(attack):
    found = report(attack)
    assert found.pop("nicer") == "ok"
    assert found.pop("nice") in (PERM, "EACCES") and found.pop("nice-pgrp") in (PERM, "EACCES")
    all_refused(found)


@row("S14", star=True)
def test_S14_module_autoload(attack):
    before = modules()
    found = report(attack)
    assert found.pop("binfmt") == "ENOEXEC" and found.pop("write") == "ok"
    all_refused(found)
    odd = {"tipc", "sctp", "dccp", "can", "rds", "l2tp_core", "atm", "appletalk", "x25", "bluetooth", "nfc", "vsock", "kcm",
           "qrtr", "smc", "mctp", "af_alg", "sit", "ntfs3", "xfs"}
    assert not (modules() - before) & odd


def modules():
    try:
        return {line.split()[0] for line in open("/proc/modules")}
    except OSError:
        return set()


@row("S15", star=True)
def test_S15_machine(attack):
    found = report(attack)
    assert len(found) == (19 if X86 else 17)
    all_refused(found)


@row("S16", star=True)
def test_S16_terminals(attack):
    """The worker's terminal: none of its processes has one that a cell could reach."""
    found = report(attack)
    for fd in "012":
        assert found.pop("TCGETS-" + fd) == "ENOTTY"
        for what in ("TIOCSTI", "TIOCSTI-high", "TIOCLINUX", "TIOCSCTTY"):
            assert found.pop("%s-%s" % (what, fd)) == PERM
    found.pop("setsid")
    all_refused(found, "ENOENT", "ENXIO", "EACCES", PERM)


# ---- sweeps -------------------------------------------------------------------------------

TRAMPOLINES = {335, 336}  # uretprobe and uprobe: newer kernels end the caller with SIGILL before a filter is asked


def golden():
    """number -> what the filters of strict, compiler and JIT say."""
    return {int(f[0]): f[2:] for f in (line.rstrip("\n").split("\t") for line in open(GOLDEN))}


def expected(word):
    """What a call with arguments that are all 0 may report.  Reached, the kernel's own answer may be any."""
    if word.startswith("if:"):
        word = word[3:]
    return {"reached", "EINVAL", "EPERM", "EOPNOTSUPP"} if word == "allow" else {word}


@row("S17", star=True)
@pytest.mark.parametrize("profile", ["Strict", "Compiler", "Jit"])
def test_S17_every_number(attack, profile):
    if not GOLDEN.exists():
        pytest.skip("there is no golden table for " + platform.machine())
    program = elf(source(attack.id))
    column = ["Strict", "Compiler", "Jit"].index(profile)
    table, known = golden(), max(golden())
    ranges = [(n, n + 256) for n in range(0, 1024, 256)]
    if X86:
        ranges += [(0x40000000 + n, 0x40000000 + n + 256) for n in range(0, 1024 if attack.full else 512, 256)]
    results = attack.run_all([attack.job(profile, source=program, args=[str(a), str(b)], timeout=20000, cpu_timeout=10000)
                              for a, b in ranges])
    said = {}
    for r in results:
        said.update({int(k): v for k, v in lines(r.expect("OK")).items()})
    assert len(said) == 256 * len(ranges)
    wrong = {}
    for nr, word in said.items():
        if nr >= 0x40000000:
            want = {"kill"}
        elif nr in TRAMPOLINES and X86:
            want = {"reached", PERM, "ENOSYS"}
        elif nr in table:
            want = expected(table[nr][column])
        else:
            want = {"ENOSYS"} if nr > known else {PERM}
        if word not in want:
            wrong[nr] = (word, want)
    assert not wrong, "number: (said, wanted): %s" % wrong
    reached = [nr for nr, word in said.items() if word == "reached" and nr not in TRAMPOLINES]
    assert 60 < len(reached) <= 150, len(reached)


@row("S18", star=True)
def test_S18_every_socket(attack):
    r = attack.run("C", source=source(attack.id), timeout=10000, cpu_timeout=5000).expect("OK")
    words = r.text.split("\n")
    assert sorted(w for w in words if w.startswith(("socket", "pair"))) == golden_pairs(), r.short()
    found = lines_after(words)
    assert found == {"tried": str(64 * 16 * 8), "wrong": "0", "alg": PERM, "vsock": PERM, "netlink": PERM, "packet": PERM,
                     "xdp": PERM, "high-bits": PERM}


def golden_pairs():
    """AF_UNIX, stream and seqpacket, with the protocols that AF_UNIX has: 0 and 1."""
    refused = ["pair 1 %d %d EPROTONOSUPPORT" % (t, p) for t in (1, 5) for p in (2, 6, 17, 58, 132, 255)]
    return sorted(["pair 1 %d %d" % (t, p) for t in (1, 5) for p in (0, 1)] + refused)


def lines_after(words):
    return dict(w.split(" ", 1) for w in words if w and not w.startswith(("socket ", "pair ")))


# ---- the rest ---------------------------------------------------------------------------------

@row("S19")
def test_S19_netlink(attack):
    found = report(attack)
    assert len(found) == 9
    all_refused(found)


@row("S20", star=True)
def test_S20_cgroup_files(attack):
    r = attack.run("C", source=source(attack.id)).expect("OK")
    found = lines(r)
    assert found.pop("found") == "0" and found.pop("mounted") == "0", r.short()
    assert len(found) == 5
    all_refused(found, "ENOENT", "EROFS", "EACCES")


@row("S21")
def test_S21_handles(attack):
    found = report(attack)
    assert len(found) >= 6
    all_refused(found)


@row("S22")
def test_S22_golden_new_calls(attack):
    absent = ("memfd_create", "memfd_create-hugetlb", "execveat", "pkey_alloc", "pkey_free", "pkey_mprotect",
              "landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
    assert report(attack) == dict({name: "ENOSYS" for name in absent}, memfd_secret=PERM)


@row("S24")
def test_S24_random_calls(attack):
    """Seeds are the row's own, so that a finding can be repeated; H6 is the evidence."""
    seconds, jobs = (20, 30) if attack.full else (2, 4)
    program = elf(source(attack.id))
    results = attack.run_all([attack.job("Strict" if n % 2 else "Jit", source=program, args=[str(seconds), str(1000 + n)],
                                         timeout=(seconds + 4) * 1000, cpu_timeout=(seconds + 2) * 1000) for n in range(jobs)])
    for r in results:
        r.expect("OK", "RE", "SIG", "TLE", "MLE", "OLE")
    assert any(b"calls" in r.stdout for r in results)


@row("S25")
def test_S25_wild_pointers(attack):
    found = report(attack)
    for kind in ("null", "wild", "kernel", "minus"):
        for call in ("sendto", "connect", "bind", "ioctl"):  # judged by the filter, before any pointer
            assert found.pop("%s-%s" % (call, kind)) == PERM
    assert len(found) == 4 * 9
    all_refused(found, "EFAULT")


# ---- S23: a protection that cannot be had --------------------------------------------------------

# Each step of a cell's and of the jailer's set-up: the call, and what identifies it among others of the name.
STEPS = {
    "seccomp": "seccomp:0=1",                    # SECCOMP_SET_MODE_FILTER
    "no_new_privs": "prctl:0=38",
    "drop_bounding": "prctl:0=24",
    "clear_ambient": "prctl:0=47",
    "no_new_privs_jailer": "prctl:0=38#2",
    "no_new_privs_cell": "prctl:0=38#3",
    "capset": "capset",
    "capset_cell": "capset#2",
    "mount": "mount",
    "umount": "umount2",
    "pivot_root": "pivot_root",
    "open_tree": "open_tree",
    "move_mount": "move_mount",
    "mount_setattr": "mount_setattr",
    "fspick": "fspick",
    "fsconfig": "fsconfig",
    "unshare_user": "unshare:0&0x10000000",
    "unshare_net": "unshare:0&0x40000000",
    "clone3": "clone3",
    "sethostname": "sethostname",
    "close_range": "close_range",
    "setresuid": "setresuid",
    "setresgid": "setresgid",
    "setgroups": "setgroups",
}
ROOT_ONLY = {"setresuid", "setresgid", "setgroups", "no_new_privs"}  # an ordinary user becomes nobody else
SAID = {"seccomp": "seccomp filter: libseccomp", "no_new_privs_jailer": "seccomp filter: the kernel refuses it"}  # libseccomp loses it
WHY = errno.ENOLINK  # an error that none of these calls has by itself, and every C library has the same words for


# Files of a cell's cgroup that are written before its program runs; on v2 a cell is born inside of its group.
V2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
MADE = ["memory.oom.group"] if V2 else ["cgroup.event_control", "cgroup.procs"]
LIMITED = ["memory.max", "memory.swap.max", "pids.max", "cpu.max"] if V2 else \
    ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "pids.max", "cpu.cfs_period_us", "cpu.cfs_quota_us"]
if not V2 and not os.path.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"):
    LIMITED.remove("memory.memsw.limit_in_bytes")
STEPS.update({file: "write:0~/" + file for file in MADE + LIMITED})
ASKED = ("root", "vm")  # lanes in which somebody may look which file it is that the jailer writes


@row("S23", star=True)
@pytest.mark.parametrize("step", STEPS)
def test_S23_fail_closed(attack, tmp_path, step):
    """execd does not start, so no program runs: its own self-tests neither.  What failed is said."""
    if os.geteuid() != 0 and step in ROOT_ONLY:
        attack.declare("an ordinary user's execd does not make the step " + step)
        return
    if step in MADE + LIMITED and attack.lane not in ASKED:
        attack.declare("nobody but the machine's root can have a write to %s fail" % step)
        return
    text = execd(tmp_path, STEPS[step], WHY).refused()
    assert SAID.get(step, os.strerror(WHY)) in text, "the reason is not said: " + text[-1500:]
    assert "start_refused" in text and (step not in LIMITED or step in text), text[-1500:]


def execd(directory, call, how):
    if "#" in call:  # from which call on
        call, count = call.split("#")
        how = "%s#%s" % (how, count)
    prefix = [str(BUILD / "tests/support/inject"), call, str(how), "--"]
    return Execd(directory, {"plugins": [{"file": "lang-c.so"}], "worker": {"slots": 1, "heartbeat_ms": 500}, "queue": {"max_attempts": 1, "lease_ms": 2000}}, prefix=prefix)


# (A group of v1 is used again, and was told of its eventfd once.)
EACH = ["write:0~/" + file for file in LIMITED + (MADE if V2 else ["cgroup.procs"])]
LATER = [*EACH, "clone3", "seccomp:0=1", "prctl:0=38", "capset", "mount", "close_range", "fsconfig", "unshare:0&0x10000000"]


@pytest.mark.star
@pytest.mark.parametrize("call", LATER)
def test_later_cell_is_not_closed(attack, tmp_path, call):
    """A step that fails for a cell of a running execd: no program runs in that one, and no verdict is made of it."""
    if call in EACH and attack.lane not in ASKED:
        return
    trigger = tmp_path / "fail"
    s = execd(tmp_path, call, "%d@%s" % (WHY, trigger)).ready()
    hello = '#include <stdio.h>\nint main(void) { return puts("marker") < 0; }\n'
    try:
        assert s.run(50, hello)["status"] == "completed"  # and is in the compile cache
        trigger.touch()
        results = [s.result(t) for t in s.submit(*[{"language_id": 50, "source_code": hello} for _ in range(3)])]
        trigger.unlink()
        for r in results:
            assert r["status"] in ("completed", "internal_error"), r
            assert (r["stdout"] == "marker\n") == (r["status"] == "completed"), r
        assert [r for r in results if r["status"] == "internal_error"], "the step was not made for any of these cells"
        assert re.search("job_(abandoned|failed) .*" + os.strerror(WHY), s.logged()), s.logged()[-1500:]
        assert s.run(50, hello)["status"] == "completed", "it does not recover"
    finally:
        s.kill() if s.process.poll() is None else s.close()


MANY = r"""
#include <unistd.h>
int main(void) { for (int i = 0; i < 20; i++) fork() == 0 && setsid(); for (;;) pause(); }
"""


@pytest.mark.star
def test_a_kill_that_the_kernel_refuses_is_made_otherwise(attack, tmp_path):
    """The group's own means fail: the namespace's end and signals do it, before the answer."""
    if attack.lane not in ASKED:
        return
    trigger, nonce = tmp_path / "fail", secrets.token_hex(8)
    s = execd(tmp_path, "write:0~/" + ("cgroup.kill" if V2 else "freezer.state"), "%d@%s" % (WHY, trigger)).ready()
    try:
        trigger.touch()
        r = s.run(50, MANY, args=[nonce], timeout=1500)
        assert r["status"] == "time_limit_exceeded", r
        assert not [c for c in commands() if nonce.encode() in c]
    finally:
        s.kill() if s.process.poll() is None else s.close()
