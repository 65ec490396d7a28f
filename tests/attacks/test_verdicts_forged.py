"""V: verdicts that a program would like to have."""

import secrets
import signal

from conftest import configuration
from rows import LANGUAGES, Attack, Result, row
from server import HOOKS, Execd, Receiver

SLOWLY = {"timeout": 40000, "cpu_timeout": 20000}


@row("V01", star=True)
def test_V01_words(attack):
    r = attack.run("C", **SLOWLY).expect("OK")
    assert r.text == "honest\n" and r.hit is None and r.stderr.count(b"\n") == 15 and r.exit_code == 0, r.short()


@row("V02", star=True)
def test_V02_exit_codes(attack):
    codes = [124, 125, 126, 127, 128, 134, 137, 139, 152, 255]
    for n, r in zip(codes, attack.run_all([attack.job("C", args=[str(n)], **SLOWLY) for n in codes])):
        assert r.expect("RE(%d)" % n).hit is None and r.signal is None, r.short()


@row("V03", star=True)
def test_V03_raised_signals(attack):
    numbers = [signal.SIGKILL, signal.SIGXCPU, signal.SIGSYS, signal.SIGTERM, signal.SIGXFSZ]
    for n, r in zip(numbers, attack.run_all([attack.job("C", args=[str(int(n))], **SLOWLY) for n in numbers])):
        assert r.expect("SIG(%d)" % n).hit is None and r.exit_code is None, r.short()
    # The peak of its memory is at the limit, by memory that it had given back: no reason to doubt the signal.
    job = attack.job("C", "peak", memory_limit=64, **SLOWLY)
    for n, r in zip((11, 9), attack.run_all([dict(job, args=[str(n)]) for n in (11, 9)])):
        assert r.expect("SIG(%d)" % n).hit is None and r.memory >= 60 << 20, r.short()


@row("V04", star=True)
def test_V04_descriptors(attack):
    assert attack.run("C", **SLOWLY).expect("RE(3)").text == "taken 0 EBADF 1021 other 0\n"


@row("V05")
def test_V05_init_under_attack(attack):
    for r in attack.run_all([attack.job("C", **SLOWLY)] * attack.times(5, 50)):
        trace, descriptors, memory = r.expect("RE(5)").text.splitlines()
        assert trace.split(": ")[1] in ("Operation not permitted", "Function not implemented"), r.text
        assert descriptors == "descriptors of init: 0" and memory == "memory of init: Permission denied", r.text


@row("V06", star=True)
def test_V06_right_answer_first(attack):
    """What it printed is right in each case; how it ended is what counts."""
    ends = {"hang": "TLE-wall", "spin": "TLE-cpu", "crash": "SIG(SEGV)", "memory": "MLE", "exit": "RE(1)",
            "wrong": "WA", "none": "OK"}
    jobs = [attack.job("C", args=[e], expected_output="42\n", **({"timeout": 40000} if e == "spin" else {})) for e in ends]
    for (end, word), r in zip(ends.items(), attack.run_all(jobs)):
        assert r.expect(word).text == ("42\n43\n" if end == "wrong" else "42\n")


@row("V07", star=True)
def test_V07_expected_answer_sought(attack):
    """Neither the expected output nor a neighbour's input is anywhere in a cell; its own input is, and is found."""
    word, input = "w" + secrets.token_hex(16), "w" + secrets.token_hex(16)
    args = ["x" + word[1:]]
    sought = attack.job("C", args=args, expected_output=word, stdin="nothing", **SLOWLY)
    neighbours = [attack.job("Py", source="import time\ntime.sleep(1)\n", stdin=word, expected_output=word, **SLOWLY)] * 2
    own = attack.job("C", args=["x" + input[1:]], stdin=input, **SLOWLY)
    results = attack.run_all([*neighbours, sought, own])
    assert results[2].expect("WA").text == "memory of init: Permission denied\nread 1 found 0\n"
    found = results[3].expect("OK").text
    assert "found in /proc/self/fd/0\n" in found and "/proc/1/" not in found, found


@row("V08", star=True)
def test_V08_child_out_of_memory(attack):
    """The job's memory is that of all its processes: one of them killed for it is the job's end, however the first
    one ends, and whichever is faster."""
    runs = attack.times(20, 100)
    wrong = [r.short() for r in attack.run_all([attack.job("C", memory_limit=32, **SLOWLY)] * runs) if r.words[0] != "MLE"]
    assert not wrong, "%d of %d: %s" % (len(wrong), runs, wrong[:2])


@row("V09")
def test_V09_next_test_of_the_job(attack):
    """A submission has one test; more than one is refused by name.  So the next test is the next job, of the same
    program, in a cell that takes the place of the one before."""
    assert "tests" in str(attack.refused(422, tests=[{"stdin": ""}, {"stdin": ""}]))
    for r in attack.run_all([attack.job("C", **SLOWLY)] * 12):
        # init and the program are all that there is; six things were new each time
        assert r.expect("OK").text == "left 6 processes 2\n"


@row("V10")
def test_V10_no_interactor(attack):
    """There is none: a submission that asks for one is refused and not run as if it had not.  A program that waits
    for more input than there is gets its end."""
    for field in ("interactor", "interactive", "checker"):
        problem = attack.refused(422, **{field: {"source_code": "print(1)", "language_id": 71}})
        assert field in str(problem), problem
    source = "import os\nwhile os.read(0, 1 << 16):\n    pass\nos.close(0)\nprint('end of input')\n"
    r = attack.run("Py", source=source, stdin="ping\n" * 1000, **SLOWLY).expect("OK")
    assert r.text == "end of input\n"


@row("V11")
def test_V11_at_the_very_limit(attack, tmp_path):
    """Ends when its time does: one of two verdicts, the same for whoever asks, told once."""
    each = attack.times(10, 250)
    limit = {"C": 200, "Py": 500, "JS": 500, "Java": 1000}
    starts = {"C": 3, "Py": 40, "JS": 80, "Java": 300}  # ms that a runtime may take to begin
    conf = configuration()
    conf["hook"] = dict(conf.get("hook", {}), **HOOKS)
    receiver = Receiver()
    own = Execd(tmp_path, conf).ready()
    try:
        with_hook = Attack(own, attack.host, attack.id, attack.lane, attack.slow)
        jobs = []
        for i in range(each):
            for name in limit:
                ms = int((limit[name] + 1 - starts[name] * (i + 1) / each) * attack.slow)
                args = [str(ms), "cpu"] if name == "C" and i % 2 else [str(ms)]
                jobs.append(with_hook.job(name, args=args, timeout=limit[name], cpu_timeout=limit[name],
                                          callback_url=receiver.url))
        tokens = own.submit(*jobs)
        for token in tokens:
            first = own.result(token)
            r = Result(first, attack.slow).expect("OK", "TLE")
            assert own.result(token) == first
            assert r.text == "begin\nend\n" or r.words[0] != "OK", r.short()
        receiver.wait(len(tokens))
        own.stop()  # whatever else would be told has been by then
        assert len(receiver.seen) == len(tokens)
    finally:
        own.kill()
        receiver.close()
