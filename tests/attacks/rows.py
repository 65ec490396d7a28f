"""Rows of the attack suite: what a row is, what a verdict word means.

A row is a test function whose name begins with its id.  It gets `attack`, through which it runs its programs (files
`programs/ID.c`, `ID.py`, `ID.js`, `ID.java`, or `ID_NAME.c` ...), and `language` where it names several:

    @row("T01", "C Py JS Java", star=True)
    def test_T01_endless_loop(attack, language):
        r = attack.run(language)
        r.expect("TLE-cpu")
        assert 1.0 <= r.cpu <= 1.1 * attack.slow

Words: OK, RE, RE(n), SIG, SIG(x), TLE-cpu, TLE-wall, TLE, MLE, OLE, CE, CE(why), WA.  IE, an internal error, is never
accepted.  After each row the host's invariants are checked (host.py).
"""

import base64
import os
import pathlib
import signal

import pytest
from server import C, JAVA, NODE, PYTHON

PROGRAMS = pathlib.Path(__file__).parent / "programs"
LANGUAGES = {"C": (C, "c"), "Py": (PYTHON, "py"), "JS": (NODE, "js"), "Java": (JAVA, "java"),
             "Staged": (900, "sh"), "Strict": (901, ""), "Compiler": (902, ""), "Jit": (903, "")}  # plugin/lang_hostile.c
MEMORY = {"JS": 192, "Java": 256}  # MiB, where it is not 128
# Rows whose mechanism depends on the cgroup's version or on the rights of the lane: what the emulated machines' short run
# has (`--core`), each in the first of its languages.
CORE = set("T01 T05 T08 F01 F03 F13 M01 M02 M05 M07 M12 M13 M16 P01 P04 P05 P07 P16 S01 S02 S03 S05 S08 S09 S16 S17 S20 "
           "X01 X09 X12 X13 X14 X15 N01 N05 Z01 Z02 Z03 Z04 Z07".split())
DECLARED = []
ROWS = {}  # id -> (star, function name)


def row(id, languages="", star=False, lanes=None, warm=False):
    """lanes: names of those in which the row can hold, where it cannot in all; elsewhere the lane must declare it.
    warm: it is about warm runtimes, and no part of a cold run."""
    def mark(function):
        assert function.__name__.startswith("test_" + id), function.__name__
        assert id not in ROWS, id + " is there twice"
        ROWS[id] = (star, function.__name__)
        function.row_id, function.row_star, function.row_lanes, function.row_warm = id, star, lanes, warm
        if star:
            function = pytest.mark.star(function)
        if id in CORE:
            function = pytest.mark.core(function)
        if languages:
            function = pytest.mark.parametrize("language", languages.split())(function)
        return function
    return mark


def content(value, encoding):
    return base64.b64decode(value) if encoding == "base64" else (value or "").encode()


class Result:
    """One job's result; the raw object is `json`."""

    def __init__(self, json, slow):
        self.json, self.slow = json, slow
        self.status = json["status"]
        self.stdout = content(json["stdout"], json["stdout_encoding"])
        self.stderr = content(json["stderr"], json["stderr_encoding"])
        self.compiled = content(json["compile_output"], json["compile_output_encoding"])
        self.cpu, self.wall = (json["cpu_time"] or 0) / 1000, (json["execution_time"] or 0) / 1000
        self.memory, self.exit_code, self.signal = json["memory"], json["exit_code"], json["signal"]
        self.hit = json["limit_hit"]
        self.text = self.stdout.decode(errors="replace")

    @property
    def words(self):
        """Every word that is true of it, the most telling first."""
        if self.status == "completed":
            return ["OK"]
        if self.status == "time_limit_exceeded":
            return ["TLE-" + {"cpu_time": "cpu", "wall_time": "wall"}[self.hit], "TLE"]
        if self.status == "runtime_error" and self.signal:
            return ["SIG(%s)" % signal.Signals(self.signal).name[3:], "SIG(%d)" % self.signal, "SIG"]
        if self.status == "runtime_error":
            return ["RE(%d)" % self.exit_code, "RE"]
        if self.status == "compile_error":
            why = {"cpu_time": "time", "wall_time": "time", "memory": "memory", "output": "output"}.get(self.hit, "error")
            message = self.json["message"] or ""
            if message.startswith(("the compiler's output was refused:", "the compile step passed its limit: file")):
                why = "file"
            return ["CE(%s)" % why, "CE"]
        return [{"memory_limit_exceeded": "MLE", "output_limit_exceeded": "OLE", "wrong_answer": "WA",
                 "internal_error": "IE", "cancelled": "CANCELLED"}[self.status]]

    def expect(self, *words):
        assert set(words) & set(self.words), "%s, not %s: %s" % (self.words[0], "|".join(words), self.short())
        return self

    def short(self):
        j = dict(self.json)
        for key in ("stdout", "stderr", "compile_output"):
            j[key] = (j[key] or "")[:600]
        return j


class Attack:
    """What a row works with; made anew for each."""

    def __init__(self, server, host, id, lane, slow):
        self.server, self.host, self.id, self.lane, self.slow = server, host, id, lane, slow

    @property
    def full(self):
        """Every repetition that the catalogue names, not the quick run's share of them."""
        return bool(os.environ.get("EXECD_ATTACKS_FULL"))

    def times(self, quick, full):
        """How often a row repeats itself; an emulated machine makes fewer rounds."""
        n = full if self.full else quick
        return n if self.slow < 4 else max(3, n // 4)

    def lacks(self, protection):
        """Does this lane's execd say that it goes without a protection?  (/health has the names, as `doctor` has.)"""
        detail = {c["name"]: c["detail"] for c in self.server.request("GET", "/health").json()["checks"]}["jailer"]
        return protection in detail.partition("accepted:")[2].partition(",")[0].split()

    def declare(self, what):
        """What this lane lacks, so that a row, or a part of one, holds nothing here; the summary says it."""
        DECLARED.append("%s: %s" % (self.id, what))

    def served(self, *languages):
        """Those of them that this lane's execd serves (conftest.py: an emulated machine is too slow for Java)."""
        return [each for each in languages if each != "Java" or self.slow < 4]

    def program(self, language, name=None):
        return (PROGRAMS / ("%s%s.%s" % (self.id, "_" + name if name else "", LANGUAGES[language][1]))).read_bytes()

    def job(self, language, name=None, source=None, stdin=None, **fields):
        """A submission: the row's program with the suite's limits.  Times are multiplied where the machine is slow."""
        source = self.program(language, name) if source is None else source
        source = source if isinstance(source, bytes) else source.encode()
        j = {"language_id": LANGUAGES[language][0], "encoding": "base64", "source_code": base64.b64encode(source).decode(),
             "memory_limit": MEMORY.get(language, 128), "timeout": 3000, "cpu_timeout": 1000}
        j.update(fields)
        j["timeout"] = min(60000, int(j["timeout"] * self.slow))
        if j["cpu_timeout"] is None:
            del j["cpu_timeout"]
        else:
            j["cpu_timeout"] = min(j["timeout"], int(j["cpu_timeout"] * self.slow))
        for key, value in (("stdin", stdin), ("expected_output", j.get("expected_output"))):
            if value is not None:
                value = value if isinstance(value, bytes) else value.encode()
                j[key] = base64.b64encode(value).decode()
        return j

    def submit(self, *jobs):
        """Tokens.  A problem answer fails the row."""
        self.host.jobs += len(jobs)
        return self.server.submit(*jobs)

    def result(self, token):
        return self.checked(self.server.result(token))

    def checked(self, json):
        r = Result(json, self.slow)
        self.host.check_secrets(str(r.json), "result")
        limit = r.json["limits"]["timeout"] / 1000
        assert r.wall <= limit + 0.5 * self.slow, "H7: ended %.2f s after its limit of %.2f s" % (r.wall - limit, limit)
        assert r.status != "internal_error", "IE: " + str(r.short())
        return r

    def run(self, language, name=None, source=None, **fields):
        return self.result(self.submit(self.job(language, name, source, **fields))[0])

    def run_all(self, jobs):
        """Results of many jobs that are queued at once, in order."""
        ended = [self.server.result(t) for t in self.submit(*jobs)]  # all of them, before one fails the row
        return [self.checked(json) for json in ended]

    def refused(self, status=422, **fields):
        """A submission that the API must refuse; returns the problem."""
        j = self.job("Py", source="print('ran')")
        j.update(fields)
        j = {k: v for k, v in j.items() if v is not Attack.absent}
        r = self.server.request("POST", "/v1/jobs", json=j)
        statuses = status if isinstance(status, tuple) else (status,)
        assert r.status_code in statuses, "REJ-%s expected, not %d of %.300s: %s" % (statuses, r.status_code, fields, r.text[:500])
        assert r.headers["Content-Type"].startswith("application/problem+json"), r.headers
        return r.json()

    absent = object()
