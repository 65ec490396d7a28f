"""M: memory."""

import pathlib

import pytest
from host import QUIET, read
from rows import MEMORY, row
from server import eventually

MIB = 1 << 20
SLOWLY = {"timeout": 40000, "cpu_timeout": 20000}  # memory must be what ends it
LEAST = {"C": 16, "Py": 16, "JS": 64, "Java": 128}  # MiB: the least that the plugins say their languages need


def met(r):
    """Ended by its memory: the kernel counted it, and the cgroup never had more than the limit."""
    r.expect("MLE")
    assert r.hit == "memory" and r.memory <= r.json["limits"]["memory_bytes"] + MIB, r.short()
    return r


def machine(file, key):
    """A number of the machine, in bytes where the file says kB."""
    for line in read(file).splitlines():
        if line.startswith(key):
            words = line[len(key):].strip(": ").split()
            return int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    return 0


def returns(number, before, allowed, what):
    """Other programs of a machine that is not the suite's own disturb such numbers."""
    allowed *= 1 if QUIET else 16
    eventually(lambda: number() <= before + allowed, "%s: %d before, now %d" % (what, before, number()), 30)


@row("M01", "C Py JS", star=True)
def test_M01_allocate_for_ever(attack, language):
    r = met(attack.run(language, **SLOWLY))
    assert r.text == "allocating\n"
    assert r.memory >= (MEMORY.get(language, 128) // 2) * MIB, r.short()  # it was really used


@row("M02", star=True)
def test_M02_static_array(attack):
    untouched = attack.run("C").expect("OK")
    assert untouched.text == "512\n" and untouched.memory < 16 * MIB
    touched = met(attack.run("C", args=["touch"], **SLOWLY))
    assert touched.text == "512\n"


@row("M03")
def test_M03_untouched_allocation(attack):
    """Address space is free; only memory that is used counts."""
    r = attack.run("C").expect("OK")
    assert r.text == "a pointer\n" and r.memory < 16 * MIB


@row("M04", "C Py Java", star=True)
def test_M04_recursion(attack, language):
    r = attack.run(language, **SLOWLY)
    r.expect({"C": "SIG(SEGV)", "Py": "RE(1)", "Java": "RE(1)"}[language])
    assert r.text == "descending\n"
    if language != "C":
        assert {"Py": b"RecursionError", "Java": b"StackOverflowError"}[language] in r.stderr
    else:  # the stack may have 64 MiB; now the memory has fewer
        assert r.memory >= 60 * MIB, r.short()
        met(attack.run("C", memory_limit=32, **SLOWLY))


@row("M05", star=True)
def test_M05_fill_private_files(attack):
    r = attack.run("C", **SLOWLY).expect("RE(1)")
    lines = r.text.splitlines()
    assert [line.split(", ")[1] for line in lines] == ["No space left on device"] * 3, r.text
    assert 30 <= int(lines[0].split()[1]) <= 32, "one limit for all places together: " + r.text
    assert [line.split()[1] for line in lines[1:]] == ["0", "0"], r.text
    assert r.memory >= 30 * MIB, "files are charged to the cell: %s" % r.short()
    met(attack.run("C", memory_limit=24, **SLOWLY))


@row("M06")
def test_M06_nameless_files(attack):
    shmem = machine("/proc/meminfo", "Shmem")
    r = attack.run("C", **SLOWLY).expect("OK")
    assert r.text.splitlines()[:2] == ["memfd_create: Function not implemented", "file 1: 16 MiB in all, File too large"], r.text
    assert r.text.endswith("MiB in all, No space left on device\n") and r.memory >= 28 * MIB, r.short()
    returns(lambda: machine("/proc/meminfo", "Shmem"), shmem, MIB, "Shmem")


@row("M07", star=True)
def test_M07_page_tables(attack):
    tables = machine("/proc/meminfo", "PageTables")
    r = met(attack.run("C", **SLOWLY))
    assert r.text == "mapped\n"
    returns(lambda: machine("/proc/meminfo", "PageTables"), tables, 4 * MIB, "PageTables")


@row("M08")
def test_M08_pipes(attack):
    r = attack.run("C", **SLOWLY).expect("OK", "MLE")
    if r.words[0] == "OK":
        grown, filled = (int(w) for w in r.text.split()[1:4:2])
        assert grown >= 16 and filled >= grown * MIB, r.text  # beyond pipe-user-pages-soft they stay small
        assert r.memory >= filled // 2, "pipes are charged to the cell: %s" % r.short()
        assert r.text.splitlines()[1].endswith("then Too many open files"), r.text


@row("M09")
def test_M09_descriptors_in_flight(attack):
    files = int(read("/proc/sys/fs/file-nr").split()[0])
    r = attack.run("C", **SLOWLY).expect("OK", "MLE")
    if r.words[0] == "OK":
        pairs, passed, filled = r.text.splitlines()
        assert pairs.endswith(": Too many open files") or passed.endswith(": Too many references: cannot splice"), r.text
        assert int(pairs.split()[1][:-1] if ":" in pairs.split()[1] else pairs.split()[1]) > 50 and filled == "filled 1"
    returns(lambda: int(read("/proc/sys/fs/file-nr").split()[0]), files, 256, "open files of the machine")


@row("M10", star=True)
def test_M10_no_swap(attack):
    """Whether or not the machine has swap: the cell's group may use none of it."""
    swap = machine("/proc/meminfo", "SwapFree")
    token = attack.submit(attack.job("C", **SLOWLY))[0]
    seen = eventually(lambda: swap_limits(attack, 128 * MIB), "the job's cgroup has its limits", 30)
    assert seen in (["0"], [str(128 * MIB)], ["none"]), "the group may swap: %s" % seen
    r = met(attack.result(token))
    assert r.text == "allocating\n"
    if QUIET:
        assert machine("/proc/meminfo", "SwapFree") >= swap - MIB


def swap_limits(attack, limit):
    """What the group that has this limit says of swap: memory and swap together on v1, swap alone on v2."""
    for group in attack.host.cgroup_names():
        g = pathlib.Path(group)
        if str(limit) not in (read(g / "memory.limit_in_bytes").strip(), read(g / "memory.max").strip()):
            continue
        for file in ("memory.memsw.limit_in_bytes", "memory.swap.max"):
            if (g / file).exists():
                return [read(g / file).strip()] if read(g / file) else None
        return ["none"] if machine("/proc/meminfo", "SwapTotal") == 0 else ["unlimited"]
    return None


@row("M11")
def test_M11_huge_and_locked(attack):
    huge = machine("/proc/meminfo", "HugePages_Free")
    r = met(attack.run("C", **SLOWLY))
    lines = r.text.splitlines()
    assert lines[0] == "MAP_HUGETLB: Cannot allocate memory", lines
    assert lines[1] in ("mlockall: Operation not permitted", "mlockall: Cannot allocate memory"), lines
    assert lines[2] in ("mlock: Operation not permitted", "mlock: Cannot allocate memory"), lines
    assert machine("/proc/meminfo", "HugePages_Free") == huge


@row("M12", star=True)
def test_M12_kernel_objects(attack):
    slab = machine("/proc/meminfo", "SUnreclaim")
    names = ("epoll", "timer", "inotify", "maps", "queue", "names")
    jobs = {n: attack.job("C", n, timeout=40000, cpu_timeout=2000) for n in names}
    r = dict(zip(names, attack.run_all(list(jobs.values()))))
    for name, many, why in (("timer", 10, "Resource temporarily unavailable"), ("queue", 10, "Resource temporarily unavailable"),
                            ("maps", 30000, "Cannot allocate memory")):
        if "MLE" in r[name].words:
            continue
        made, reason = r[name].expect("OK").text.strip().split(": ")
        assert int(made.split()[1]) >= many and reason == why, r[name].text
    if "MLE" not in r["epoll"].words:
        assert r["epoll"].expect("OK").text == "children 30, not EMFILE 0\n"
    assert r["inotify"].expect("OK").text in ("inotify 0: Function not implemented\n", "inotify 0: Operation not permitted\n")
    assert r["names"].expect("OK", "MLE", "TLE-cpu").text in ("asking\n", "asking\nabsent 10000000\n")
    returns(lambda: machine("/proc/meminfo", "SUnreclaim"), slab, 16 * MIB, "slab")


@row("M13", star=True)
def test_M13_children_together(attack):
    met(attack.run("C", **SLOWLY))


@row("M14", star=True)
def test_M14_java_ways_to_run_out(attack):
    times = attack.times(2, 50)
    kinds = [k for k in ("heap", "direct", "classes", "intern") for _ in range(times)]
    jobs = [attack.job("Java", k, timeout=60000, cpu_timeout=50000) for k in kinds]
    wrong = []
    for kind, r in zip(kinds, attack.run_all(jobs)):
        if r.words[0] != "MLE" or r.text != "allocating\n" or len(r.stderr) > 16384 or b"hs_err" in r.stdout + r.stderr:
            wrong.append((kind, r.words[0], r.short()))
    assert not wrong, "%d of %d: %s" % (len(wrong), len(jobs), wrong[:2])


@row("M15")
@pytest.mark.parametrize("name", ["heap", "buffer"])
def test_M15_node_ways_to_run_out(attack, name):
    r = attack.run("JS", name, **SLOWLY).expect("MLE")
    assert r.text == "allocating\n"


@row("M16", star=True)
def test_M16_page_cache(attack):
    """Files that are only read are the machine's, or are given back."""
    r = attack.run("C", timeout=60000, cpu_timeout=50000, memory_limit=64, args=["100000" if attack.full and attack.slow < 4 else "128"]).expect("OK")
    assert r.text == "read 1\nread 1\n"


@row("M17")
def test_M17_faults_survived(attack):
    r = attack.run("C", **SLOWLY).expect("MLE", "TLE-cpu")
    assert r.text == "came back\n"


@row("M18", "C Py JS Java", star=True)
def test_M18_hello_with_the_least_memory(attack, language):
    runs = attack.times(8 if language == "Java" else 20, 1000)
    jobs = [attack.job(language, memory_limit=LEAST[language], timeout=20000, cpu_timeout=20000) for _ in range(runs)]
    wrong = [r.short() for r in attack.run_all(jobs) if r.words[0] != "OK" or r.text != "hello\n"]
    assert not wrong, "%d of %d: %s" % (len(wrong), runs, wrong[:2])


@row("M19")
def test_M19_web_assembly(attack):
    assert attack.run("JS", timeout=40000, cpu_timeout=10000).expect("OK").text == "42\n"
