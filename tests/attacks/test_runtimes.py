"""L: what Node and Python let a program do to them, and through them."""

import native
from rows import row

AMPLE = {"timeout": 20000, "cpu_timeout": 5000}  # for rows that are not about time


@row("L01", star=True)
def test_L01_bombs_of_node(attack):
    fork, workers = attack.run_all([attack.job("JS", name, timeout=6000, cpu_timeout=2000) for name in ("fork", "workers")])
    fork.expect("RE", "TLE", "MLE")
    assert fork.json["processes_limit_hit"] is True, fork.short()
    workers.expect("RE", "TLE", "MLE", "SIG")
    assert "workers 1000" not in workers.text, workers.short()


@row("L02", star=True)
def test_L02_loops(attack):
    jobs = [attack.job("JS", name, timeout=30000, memory_limit=512) for name in ("redos", "microtask")]
    redos, microtask, interval = attack.run_all(jobs + [attack.job("JS", "interval", timeout=1000, cpu_timeout=900)])
    redos.expect("TLE-cpu")
    microtask.expect("TLE-cpu")
    assert redos.text == microtask.text == "", (redos.short(), microtask.short())
    interval.expect("TLE-wall")


@row("L03")
def test_L03_inspector(attack):
    """A debugger has no port to listen on, and no job a socket to reach one with; two look at the same time."""
    for _ in range(5):
        results = [r.expect("OK") for r in attack.run_all([attack.job("JS", **AMPLE)] * 2)]
        found = [dict(line.split(" ", 1) for line in r.text.splitlines() if " " in line) for r in results]
        if max(int(f["begun"]) for f in found) < min(int(f["ended"]) for f in found):
            break
    else:
        raise AssertionError("the two were never there together: %s" % found)
    for r, f in zip(results, found):
        assert f["connect"] == "EPERM" and "url undefined\n" in r.text, r.short()
        assert b"Starting inspector on 127.0.0.1:9229 failed: operation not permitted" in r.stderr, r.short()


@row("L04", "JS")
def test_L04_native_code_in_node(attack, language):
    r = attack.run(language, stdin=native.library(), **AMPLE).expect("OK")
    native.check(r.text)
    assert r.text == native.as_program(attack, "Jit")
    assert r.stderr.decode().splitlines() == [
        "Module did not self-register", "tcp_wrap -1", "spawn_sync 0 2 Seccomp:\t2"], r.short()


@row("L05", "JS", star=True)
def test_L05_start_of_node(attack, language):
    for field in ("env", "environment", "files"):
        assert field in attack.refused(language_id=63, **{field: {"NODE_OPTIONS": "--require /box/evil.js"}})["detail"]
    bent = attack.run(language, **AMPLE).expect("OK")
    assert bent.text == "evil ran in PID\nown package\nsecond true\noptions undefined false\n", bent.short()
    for r in attack.run_all([attack.job(language, "next", **AMPLE)] * 4):  # as many as there are slots
        assert r.expect("OK").text == "main.js undefined undefined\n", r.short()


@row("L06", "Py", star=True)
def test_L06_system_calls_by_ctypes(attack, language):
    r = attack.run(language, **AMPLE).expect("OK")
    native.check(r.text)
    assert r.text == native.as_program(attack, "Strict"), r.short()


@row("L07", "Py", star=True)
def test_L07_recursion_without_limit(attack, language):
    """Through C code it is the stack that ends; calls of Python alone use none of it since 3.11, but memory."""
    through_c, plain = attack.run_all([attack.job(language, **AMPLE), attack.job(language, "plain", **AMPLE)])
    through_c.expect("SIG(SEGV)")
    plain.expect("SIG(SEGV)", "MLE")
    assert through_c.text == plain.text == "going\n"


@row("L08", "Py", star=True)
def test_L08_sources(attack, language):
    jobs = {"power": attack.job(language, "power", timeout=20000), "string": attack.job(language, "string", **AMPLE),
            "utf7": attack.job(language, "utf7", **AMPLE),
            "parens": attack.job(language, source="x = %s%s\n" % ("(" * 100000, ")" * 100000), **AMPLE),
            "nul": attack.job(language, source=b"print(1)\nx = '\0'\nprint(2)\n", **AMPLE),
            "no text": attack.job(language, source=bytes(range(128, 256)), **AMPLE)}
    r = dict(zip(jobs, attack.run_all(list(jobs.values()))))
    r["power"].expect("TLE-cpu", "MLE")
    r["string"].expect("MLE", "RE(1)")
    assert r["utf7"].expect("OK", "RE(1)").text in ("utf-7 \u00e9\n", ""), r["utf7"].short()
    r["parens"].expect("RE(1)", "OLE", "MLE", "SIG(SEGV)")  # the message quotes the line, which is more than may be written
    r["nul"].expect("RE(1)")
    assert r["nul"].text == "", r["nul"].short()
    r["no text"].expect("RE(1)")
    assert "SyntaxError" in r["no text"].stderr.decode(errors="replace"), r["no text"].short()


@row("L09", "Py", star=True)
def test_L09_modules_in_the_box(attack, language):
    for field in ("files", "additional_files"):
        assert field in attack.refused(**{field: [{"name": "sitecustomize.py", "content": "x"}]})["detail"]
    r = attack.run(language, **AMPLE).expect("OK")
    own, standard = r.text.splitlines()[:3], r.text.splitlines()[3:]
    assert own == ["evil site", "evil random", "forged helper"], r.short()  # within the job it does work
    assert len(standard) == 4 and all(s in ("stdlib 30", "stdlib 13", "stdlib 2") for s in standard), r.short()
    for after in attack.run_all([attack.job(language, "next", **AMPLE)] * 4):
        assert after.expect("OK").text == "['main.py'] False True\n", after.short()


@row("L10", "Py")
def test_L10_honest_pool(attack, language):
    r = attack.run(language, **AMPLE).expect("OK")
    assert r.text == "332833500\n1 True []\n", r.short()
    after = attack.run(language, source="import os; print(os.listdir('/dev/shm'))", **AMPLE).expect("OK")
    assert after.text == "[]\n", after.short()


@row("L11", "Py")
def test_L11_odd_ends(attack, language):
    fault, trace, gc, end = attack.run_all([attack.job(language, name, **AMPLE) for name in
                                           ("faulthandler", "settrace", "gc", "exit")])
    fault.expect("SIG(SEGV)")
    assert fault.text.startswith("going\nFatal Python error: Segmentation fault\n"), fault.short()
    assert trace.expect("OK").text == "traced\n"
    assert gc.expect("OK").text == "frozen True\n"
    assert end.expect("RE(42)").text == "end\ndel\n"
