"""Two servers, one of which keeps warm runtimes, and programs that go through both.

A program is a file in tests/data/warm/LANGUAGE/: NAME.py with what else its submission says in NAME.stdin, NAME.args (each
ended by a NUL) and NAME.job (JSON: limits and the like)."""

import base64
import json
import re
import threading
from dataclasses import dataclass, field

import requests
from server import C, JAVA, NODE, PATIENCE, PYTHON, ROOT, Execd, eventually

DATA = ROOT / "tests/data/warm"
LANGUAGES = {"python": (PYTHON, ".py"), "node": (NODE, ".js"), "java": (JAVA, ".java"), "c": (C, ".c")}
WAYS = {PYTHON: {"zygote"}, NODE: {"preboot"}, JAVA: {"service", "preboot"}, C: {"zygote"}}
COMPARED = ("status", "exit_code", "signal", "limit_hit", "stdout", "stdout_truncated", "stderr", "stderr_truncated",
            "compile_output", "compile_output_truncated", "processes_limit_hit", "disk_limit_hit", "message")
# What a program's source makes of its steps: those that count as none, neither warm nor fallen back.
UNCOUNTED = {
    **{name: "javac makes no class, which the cold step is left to say" for name in ("java/empty", "java/comment_only")},
    **{name: "a source with assembly is the driver's" for name in ("c/error_assembler", "c/error_link_twice")},
}
TRIES = 4  # a runtime may be missing at the moment, and the job is run cold


@dataclass
class Program:
    language: int
    name: str
    source: bytes
    fields: dict = field(default_factory=dict)
    folder: str = ""

    def submission(self):
        fields = {k: base64.b64encode(v).decode() if k == "stdin" else v for k, v in self.fields.items()}
        return {"language_id": self.language, "source_code": base64.b64encode(self.source).decode(), "encoding": "base64",
                **fields}


def beside(path, suffix):
    file = path.with_suffix(suffix)
    return file.read_bytes() if file.exists() else None


def program_of(path, language):
    fields = json.loads(beside(path, ".job") or "{}")
    if beside(path, ".stdin") is not None:
        fields["stdin"] = beside(path, ".stdin")
    if beside(path, ".args") is not None:
        fields["args"] = [a.decode() for a in beside(path, ".args").split(b"\0")[:-1]]
    return Program(language, path.stem, path.read_bytes(), fields, path.parent.name)


def small_programs():
    return {"%s/%s" % (folder, path.stem): program_of(path, language)
            for folder, (language, suffix) in LANGUAGES.items() for path in sorted((DATA / folder).glob("*" + suffix))}


def real_programs():
    rows = [json.loads(line) for line in (ROOT / "tests/data/programs.jsonl").open()]
    return {r["id"]: Program(r["language_id"], r["id"], r["source_code"].encode()) for r in rows}


class Server(Execd):
    """Several threads may submit to it at once."""

    def __init__(self, directory, warm):
        plugins = [{"file": "lang-%s.so" % name} for name in ("python", "c", "java")]
        plugins.append({"file": "lang-node.so", "settings": {"modules": str(ROOT / "tests/data/node_modules")}})
        super().__init__(directory, {"plugins": plugins, "warm": {"enabled": warm}, "worker": {"heartbeat_ms": 50},
                                     "compile": {"cache": "off"}})  # a program that is run again is compiled again
        self.own = threading.local()

    def wait_proven(self):
        """Every language's self-test went every way."""
        for language, ways in WAYS.items():
            for way in ways:
                eventually(lambda: "warm_ready language_id=%d way=%s " % (language, way) in self.logged(),
                           lambda: "%d is not warm by %s:\n%s" % (language, way, self.logged()[-3000:]))

    def request(self, method, path, **kw):
        if not hasattr(self.own, "session"):
            self.own.session = requests.Session()
        kw.setdefault("timeout", PATIENCE)
        return self.own.session.request(method, self.url + path, **kw)

    def counters(self, language):
        """{name with its labels but worker and language: value}"""
        found = {}
        for line in self.request("GET", "/metrics").text.splitlines():
            m = re.fullmatch(r'execd_warm_(\w+)\{worker="[^"]*",language="%d"(?:,(\w+)="(\w+)")?\} (\d+)' % language, line)
            if m:
                found[m.group(1) if m.group(3) is None else "%s %s" % (m.group(1), m.group(3))] = int(m.group(4))
        return found

    def steps(self, language):
        """How many steps of each way there were, and fallbacks by reason."""
        return {k: v for k, v in self.counters(language).items() if k.startswith(("steps_total", "fallbacks_total"))}

    def wait_warm(self, language):
        """A runtime for each way does nothing, and none is on its way."""
        if WAYS[language]:
            eventually(lambda: (lambda c: c.get("runtimes idle", 0) >= len(WAYS[language]) and not c["runtimes booting"]
                                and not c["runtimes busy"])(self.counters(language)), lambda: str(self.counters(language)))


class Pair:
    def __init__(self, cold, warm):
        self.cold, self.warm = cold, warm
        self.locks = {language: threading.Lock() for language in WAYS}

    def run_all(self, programs):
        """{name: (cold result, warm result, which ways the warm one went)}, of one language.

        The counters are shown once a second, so they are asked for all together; where they tell of a step that ran
        cold, one program after the other."""
        language = next(iter(programs.values())).language
        with self.locks[language]:
            self.warm.wait_warm(language)
            before = self.warm.steps(language)
            results = {name: (self.finish(self.cold, p), self.finish(self.warm, p)) for name, p in programs.items()}
            expected = {name: self.expected(p, results[name][1]) for name, p in programs.items()}
            after = self.steps_after(language, before, sum(map(len, expected.values())))
            if any(k.startswith("fallbacks") and after[k] > before.get(k, 0) for k in after):
                return {name: (results[name][0], *self.run_warm(p)) for name, p in programs.items()}
        return {name: (*results[name], expected[name]) for name in programs}

    @staticmethod
    def finish(server, program):
        return server.result(server.submit(program.submission())[0])

    def steps_after(self, language, before, count):
        """The counters, when they have so many steps more."""
        eventually(lambda: sum(self.warm.steps(language).values()) >= sum(before.values()) + count,
                   lambda: "steps %s, before %s" % (self.warm.steps(language), before))
        return self.warm.steps(language)

    def expected(self, program, result):
        """Which ways a program goes if all is well."""
        if "%s/%s" % (program.folder, program.name) in UNCOUNTED:
            return set()
        return WAYS[program.language] - ({"preboot"} if result["status"] == "compile_error" else set())

    def run_warm(self, program):
        """(result, ways) of one that is tried until it runs warm."""
        for _ in range(TRIES):
            self.warm.wait_warm(program.language)
            before = self.warm.steps(program.language)
            result = self.finish(self.warm, program)
            expected = self.expected(program, result)
            after = self.steps_after(program.language, before, len(expected))
            ways = {k.split()[1] for k in after if k.startswith("steps_total") and after[k] > before.get(k, 0)}
            if ways == expected:
                break
        return result, ways
