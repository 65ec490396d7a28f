"""F: disk and inodes."""

import time

from hostile import lines, source
from rows import row

PERM = "EPERM"
MIB = 1 << 20


def run(attack, *args, name=None, **fields):
    return attack.run("C", source=source(attack.id, name), args=list(args), **fields)


@row("F01", star=True)
def test_F01_endless_file(attack):
    run(attack, "die").expect("SIG(XFSZ)")
    r = run(attack, "see").expect("RE(1)")
    found = lines(r)
    assert found["end"] == "ENOSPC" and found["large"] == "1" and 28 <= int(found["mib"]) <= 32, r.short()


@row("F02", star=True)
def test_F02_huge_files(attack):
    r = run(attack).expect("RE(1)")
    found = lines(r)
    assert found.pop("blocks") == "0", "blocks are used"
    found.pop("posix_fallocate")  # has its error as its value
    assert set(found.values()) <= {"EFBIG", "ENOSPC"} and len(found) == 6, found


@row("F03", star=True)
def test_F03_many_files(attack):
    r = run(attack).expect("RE(1)")
    found = lines(r)
    assert found["end"] == "ENOSPC" and 3900 <= int(found["made"]) <= 4096, r.short()


def test_full_box_is_reported(attack):
    """Of bytes (F01) or of inodes (F03)."""
    for r in attack.run_all([attack.job("C", source=source("F01"), args=["see"]), attack.job("C", source=source("F03"))]):
        assert r.expect("RE(1)").json["disk_limit_hit"], r.short()


@row("F04", star=True)
def test_F04_deep_folders(attack):
    r = run(attack).expect("RE(1)")
    found = lines(r)
    assert found["end"] == "ENOSPC" and 3900 <= int(found["deep"]) <= 4096, r.short()
    begin = time.monotonic()
    attack.host.settled()  # the box is unmounted, not walked
    assert time.monotonic() - begin < 1 * attack.slow


@row("F05")
def test_F05_odd_names(attack):
    """Kept by a build step, and given to the run as they are; not one of them is a path."""
    make = (r"""# keep: out d
printf '#!/bin/sh\nls -A d | od -v -An -tx1 | tr -d " \n"' > out; chmod 755 out; mkdir d; cd d
n=$(printf '%0250d' 0); : > "$n"
: > "$(printf 'a\nb')"; : > "$(printf '\033[2J')"; : > "$(printf '\377\376')"; : > '..x'; : > '. .'; : > '$(id)'; : > '-rf'; : > '...'
""")
    r = attack.run("Staged", source=make).expect("OK")
    names = bytes.fromhex(r.text).decode("latin-1")
    for name in ("0" * 250, "a\nb", "\033[2J", "\xff\xfe", "..x", ". .", "$(id)", "-rf"):
        assert name + "\n" in names, (name, names)


@row("F06", star=True)
def test_F06_unlinked_files(attack):
    r = run(attack).expect("RE(1)")
    found = lines(r)
    assert found["end"] == "ENOSPC" and 28 <= int(found["mib"]) <= 32, r.short()
    for r in attack.run_all([attack.job("C", source=source(attack.id), args=["again"]) for _ in range(8)]):
        assert lines(r.expect("OK")) == {"mib": "24"}, "the space is not back: %s" % r.short()


@row("F07", star=True)
def test_F07_odd_modes(attack):
    """What it left is gone with its mount (H2), whatever its modes."""
    found = lines(run(attack).expect("OK"))
    assert found == {"setflags": PERM, "fssetxattr": PERM, "chown": PERM, "lchown": PERM, "open": "EACCES", "chmod-box": "ok"}


@row("F08")
def test_F08_hard_links(attack):
    found = lines(run(attack).expect("OK"))
    assert found.pop("own") == "ok"  # in its own box: the control
    assert len(found) == 8
    assert set(found.values()) <= {"EXDEV", PERM, "EROFS", "ENOENT", "EACCES"}, found


@row("F09", star=True)
def test_F09_other_kinds_as_output(attack):
    """A job's run has no outputs but its streams; a build step's are looked at and not opened for ever."""
    kinds = {"fifo": "mkfifo out", "folder": "mkdir -p out/d", "device": "ln -s /dev/full out", "nothing": "true",
             "loop": "ln -s out out"}
    results = dict(zip(kinds, attack.run_all([attack.job("Staged", source=s + "\n") for s in kinds.values()])))
    for name in ("fifo", "device", "nothing", "loop"):
        assert "`out`" in results[name].expect("CE(file)").json["message"], results[name].short()
    results["folder"].expect("RE(126)", "RE")
    for field in ("output_files", "outputs"):
        assert field in str(attack.refused(**{field: ["out"]}))


@row("F10")
def test_F10_output_shrinks(attack):
    """Nothing of the build lives while its files are packed, so what left a writer behind has one size then."""
    make = ("printf '#!/bin/sh\\nwc -c < big\\n' > out; chmod 755 out; head -c 4000000 /dev/zero > big\n"
            "(while :; do truncate -s 0 big; truncate -s 30M big; done) > /dev/null 2>&1 &\n(while :; do truncate -s 8M big; done) > /dev/null 2>&1 &\n")
    count = 200 if attack.full else 12
    for r in attack.run_all([attack.job("Staged", source="# keep: out big\n" + make + "# %d\n" % n) for n in range(count)]):
        r.expect("OK", "CE(file)")
        assert r.words[0] != "OK" or 0 <= int(r.text) <= 32 * MIB, r.short()


@row("F11")
def test_F11_extended_attributes(attack):
    found = lines(run(attack).expect("OK"))
    assert found.pop("set") == "0" and len(found) == 6
    assert found.pop("list") in ("EOPNOTSUPP", "ENOTSUP")  # as where there are none
    assert set(found.values()) == {PERM}, found


@row("F12", "C Py JS Java", star=True)
def test_F12_markers(attack, language):
    def job():
        return attack.job(language, source=source(attack.id) if language == "C" else None, timeout=20000, cpu_timeout=10000)
    rounds = [attack.run_all([job() for _ in range(4 if attack.full else 2)]) for _ in range(3)]
    for r in (r for results in rounds for r in results):
        assert lines(r.expect("OK")) == {"made": "some", "seen": "0"}, r.short()


@row("F13", star=True)
def test_F13_shared_tree(attack):
    found = lines(attack.run("Py").expect("OK"))
    assert int(found["tried"]) >= 60 and found["wrong"] == "", found


@row("F14")
def test_F14_sync(attack):
    """sync(2) and syncfs(2), which reach the machine's disks, are refused; fsync of what a cell has is its own affair."""
    found = lines(run(attack, timeout=20000, cpu_timeout=10000).expect("OK"))
    assert found == {"sync": PERM, "syncfs": PERM, "sync_file_range": "ENOSYS", "fsync-shared": "ok", "fdatasync-directory": "ok",
                     "done": "2000"}
