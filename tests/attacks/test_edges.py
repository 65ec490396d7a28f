"""At the edges of the limits, many times over, beside canaries and with more jobs than cores: never a wrong verdict.
(Cpu time: row T11.)"""

import pytest

CAP, MIB, PROCESSES = 65536, 1 << 20, 32
SLOWLY = {"timeout": 30000, "cpu_timeout": 20000}


def edge(function):
    """No row of the catalogue, but the means of one."""
    function.row_id = "E"
    return pytest.mark.star(function)


def many(attack, name, cases, right):
    """cases: what each asks for; right(case, result) says whether the result is what it must be."""
    runs = attack.times(10, 200)
    cases = [c for c in cases for _ in range(runs)]
    wrong = []
    for first in range(0, len(cases), 200):
        part = cases[first:first + 200]
        results = attack.run_all([attack.job("C", name, args=[str(c)], **SLOWLY) for c in part])
        wrong += [(c, r.short()) for c, r in zip(part, results) if not right(c, r)]
    assert not wrong, "%d of %d wrong: %s" % (len(wrong), len(cases), wrong[:2])


@edge
def test_memory(attack):
    limit = 128 * 1024  # KiB
    below, above = int(0.90 * limit), int(1.15 * limit)
    many(attack, "memory", [below, above],
         lambda c, r: r.words[0] == "OK" and r.text == "done\n" and r.memory >= c * 1024 if c == below
         else r.words[0] == "MLE" and r.hit == "memory" and r.memory <= 128 * MIB)


@edge
def test_output(attack):
    many(attack, "output", [CAP - 1, CAP, CAP + 1],
         lambda c, r: r.words[0] == ("OK" if c <= CAP else "OLE") and len(r.stdout) == min(c, CAP)
         and r.json["stdout_truncated"] is (c > CAP))


@edge
def test_processes(attack):
    """The program itself is one of them."""
    most = PROCESSES - 1
    many(attack, "processes", [most, most + 1, PROCESSES + 1],
         lambda c, r: r.words[0] == "OK" and r.text == "made %d\n" % min(c, most)
         and r.json["processes_limit_hit"] is (c > most))
