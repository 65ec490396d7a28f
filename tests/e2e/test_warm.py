"""Warm runtimes: that jobs run in them, that nobody notices, and that whatever goes wrong with one is no verdict.

Most of it is tried with a language made for it (tests/warm/puppet.py), whose runtimes do wrong what they are told to."""

import itertools
import os
import re
import signal
import subprocess
import time

import pytest
from server import BUILD, JAVA, NODE, PATIENCE, PYTHON, Execd, command_name, descendants, eventually, of_process

PUPPET = 910
PLUGIN = str(BUILD / "tests/warm/lang-puppet.so")
BEAT = {"heartbeat_ms": 100}


class Server(Execd):
    def __init__(self, directory, sin="", plugin=None, **conf):
        conf.setdefault("plugins", [{"file": PLUGIN, "settings": {"sin": sin}, **(plugin or {})}])
        conf["worker"] = {**BEAT, **conf.get("worker", {})}
        conf.setdefault("compile", {}).setdefault("cache", "off")  # else the second of equal sources meets no service
        super().__init__(directory, conf)

    def metrics(self, name):
        """{labels but for the worker's, as a frozenset of pairs: value}"""
        found = {}
        for line in self.request("GET", "/metrics").text.splitlines():
            m = re.fullmatch(r"%s\{(.*)\} (\S+)" % name, line)
            if m:
                labels = dict(re.findall(r'(\w+)="([^"]*)"', m.group(1)))
                labels.pop("worker")
                found[frozenset(labels.items())] = float(m.group(2))
        return found

    def total(self, name, **labels):
        want = set(labels.items())
        return int(sum(v for k, v in self.metrics("execd_warm_" + name).items() if want <= k))

    def warm(self, ways=("preboot", "service"), language=PUPPET):
        """Waits until jobs may go each of these ways."""
        for way in ways:
            eventually(lambda w=way: "warm_ready language_id=%d way=%s" % (language, w) in self.logged(),
                       lambda: "%s is not warm:\n%s" % (way, self.logged()[-3000:]))
        return self.idle(len(ways))

    def idle(self, count):
        """Waits until so many runtimes do nothing, and none boots or serves."""
        eventually(lambda: self.total("runtimes", state="idle") >= count and not self.total("runtimes", state="busy")
                   and not self.total("runtimes", state="booting"),
                   lambda: "runtimes: %s" % self.metrics("execd_warm_runtimes"))
        return self

    def counts(self, **expected):
        """Waits until the counters (as of the next beat) are these; steps by way, fallbacks by reason."""
        def now():
            found = {"preboot": self.total("steps_total", way="preboot"),
                     "service": self.total("steps_total", way="service"),
                     "zygote": self.total("steps_total", way="zygote")}
            for labels, value in self.metrics("execd_warm_fallbacks_total").items():
                found[dict(labels)["reason"]] = int(value)
            return {k: v for k, v in found.items() if v}
        eventually(lambda: now() == expected, lambda: "counts %s instead of %s" % (now(), expected))

    def processes(self, *words):
        """Of the cells' processes those with all of these words in their command line."""
        found = []
        for pid in descendants(self.pid):
            said = of_process(pid, "cmdline").split("\0")
            if all(w in said for w in words):
                found.append(pid)
        return found


@pytest.fixture
def serve(tmp_path):
    servers = []

    def make(*args, **conf):
        directory = tmp_path / str(len(servers))
        directory.mkdir()
        servers.append(Server(directory, *args, **conf))
        return servers[-1].ready()
    yield make
    for s in servers:
        s.__exit__(None)


def said(result):
    """What a client sees of a result, without what differs from run to run."""
    return {k: result.get(k) for k in ("status", "stdout", "stderr", "exit_code", "signal", "compile_output", "message",
                                       "limit", "stdout_truncated", "stderr_truncated")}


# ---- jobs run in them, and look as they do cold -------------------------------------------

def test_jobs_run_warm_and_each_is_counted(serve):
    s = serve().warm()
    for i in range(5):
        r = s.run(PUPPET, "print %d\nargs\ncat" % i, args=["a", "b c"], stdin="in %d" % i)
        assert (r["status"], r["stdout"]) == ("completed", "%d\n['a', 'b c']\nin %d" % (i, i))
        s.idle(2)
    s.counts(preboot=5, service=5)
    assert s.total("memory_bytes") > 0


PROGRAMS = {
    "output": ("print one\nfiles\nargs\ncat", {"stdin": "x" * 100000}),
    "empty": ("", {}),
    "exit": ("print then\nexit 7", {}),
    "compile error": ("fail no such word", {}),
    "many errors": ("errors 20000", {}),
    "time": ("print first\nspin", {"timeout": 300}),
    "cpu": ("print first\nspin", {"cpu_timeout": 300}),
    "output limit": ("flood", {}),
    "memory": ("print first\nhog 600", {}),
    "wrong answer": ("print one", {"expected_output": "two"}),
    "arguments": ("args", {"args": ["x" * 1000] * 40}),
}


@pytest.fixture(scope="module")
def both(tmp_path_factory, accounting):
    """The same language, kept warm and not."""
    with Server(tmp_path_factory.mktemp("warm")) as warm, \
            Server(tmp_path_factory.mktemp("cold"), plugin={"warm": False}) as cold:
        warm.ready(), cold.ready()
        yield warm.warm(), cold


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_warm_result_is_the_cold_one(both, name):
    warm, cold = both
    source, fields = PROGRAMS[name]
    before = warm.idle(2).total("steps_total")
    assert said(warm.run(PUPPET, source, **fields)) == said(cold.run(PUPPET, source, **fields))
    ran = 1 if "error" in name else 2
    eventually(lambda: warm.total("steps_total") == before + ran,
               lambda: "%d steps were warm" % (warm.total("steps_total") - before))


def test_off_for_one_plugin_or_for_all(serve):
    for conf in ({"plugin": {"warm": False}}, {"warm": {"enabled": False}}):
        s = serve(**conf)
        for _ in range(3):
            assert s.run(PUPPET, "print cold")["stdout"] == "cold\n"
        time.sleep(2 * BEAT["heartbeat_ms"] / 1000)  # nothing may come: there is no event to wait for
        assert s.metrics("execd_warm_runtimes") == {}
        assert "way=" not in s.logged() and not s.processes(".boot")


@pytest.mark.parametrize("language, plugin, ways, source", [
    (PYTHON, "lang-python.so", ["zygote"], "print('well')"),
    (NODE, "lang-node.so", ["preboot"], "console.log('well')"),
    (JAVA, "lang-java.so", ["preboot", "service"],
     "public class Main { public static void main(String[] a) { System.out.println(\"well\"); } }"),
], ids=["python", "node", "java"])
def test_shipped_languages_are_warm(serve, language, plugin, ways, source):
    s = serve(plugins=[{"file": plugin}]).warm(ways, language)
    for _ in range(3):
        r = s.run(language, source)
        assert (r["status"], r["stdout"]) == ("completed", "well\n"), r
        s.idle(len(ways))
    s.counts(**{way: 3 for way in ways})


def test_a_worker_of_its_own_has_zygotes(start, redis):
    """It may open nothing for writing, which it must not need."""
    conf = {"queue": {"url": redis.url, "password": redis.password}, "plugins": [{"file": "lang-python.so"}]}
    worker = start(conf, roles="worker")
    eventually(lambda: "warm_ready language_id=%d way=zygote" % PYTHON in worker.logged(), lambda: worker.logged()[-3000:], 60)


# ---- what goes wrong is no verdict -----------------------------------------------------------

@pytest.fixture(scope="module")
def sinner(tmp_path_factory, accounting):
    with Server(tmp_path_factory.mktemp("sinner"), compile={"timeout_ms": 3000}) as s:
        yield s.ready().warm()


@pytest.mark.parametrize("sin, reason", [
    ("die", "died"), ("climb", "fault"), ("absolute", "fault"), ("elsewhere", "fault"), ("beside", "fault"),
    ("nameless", "fault"), ("endless", "fault"), ("large", "fault"), ("ready", "fault"), ("kind", "fault"),
    ("exit", "fault"), ("pile", "fault"), ("flood", "timeout"), ("talk", "fault"), ("hang", "timeout")])
def test_a_compiler_that_sins_is_replaced_and_the_cold_one_tells(sinner, sin, reason):
    s = sinner.idle(2)
    first, before = s.processes(".boot", "service"), s.total("fallbacks_total", reason=reason)
    r = s.run(PUPPET, "print honest\nwarm " + sin)
    assert (r["status"], r["stdout"]) == ("completed", "honest\n"), r
    eventually(lambda: s.total("fallbacks_total", reason=reason) == before + 1, "it is counted as " + reason)
    s.idle(2)
    assert not set(first) & set(s.processes(".boot", "service"))
    before = s.total("steps_total", way="service")
    assert s.run(PUPPET, "print next")["stdout"] == "next\n"
    eventually(lambda: s.total("steps_total", way="service") == before + 1, "the next step is warm again")


@pytest.mark.parametrize("sin, words", [
    ("preboot_exits", "no room for me"), ("preboot_odd", "it said something else"),
    ("preboot_noisy", "it wrote something before its job came")])
def test_one_that_does_not_boot_is_told_once_and_tried_with_pauses(serve, sin, words):
    s = serve(sin).warm(["service"])
    begun = time.monotonic()
    eventually(lambda: "warm_failed" in s.logged(), s.logged)
    for _ in range(4):
        assert s.run(PUPPET, "print cold")["stdout"] == "cold\n"
    eventually(lambda: time.monotonic() > begun + 2, "time passes")
    told = [line for line in s.logged().splitlines() if "warm_failed" in line]
    assert len(told) == 1 and words in told[0] and "way=preboot" in told[0]
    assert s.total("steps_total", way="preboot") == 0


@pytest.mark.parametrize("sin, way", [("preboot_lies", "preboot"), ("service_lies", "service")])
def test_one_whose_self_test_says_other_bytes_is_refused(serve, sin, way):
    s = serve(sin)
    eventually(lambda: "warm_refused language_id=%d way=%s" % (PUPPET, way) in s.logged(), s.logged)
    for _ in range(3):
        assert s.run(PUPPET, "print honest")["stdout"] == "honest\n"
    eventually(lambda: s.total("fallbacks_total", reason="refused") == 3, "counted")
    assert s.total("steps_total", way=way) == 0
    eventually(lambda: not s.processes(".boot", way), "its runtimes end")


def test_an_idle_runtime_that_is_killed_is_replaced(serve):
    s = serve().warm()
    for way in ("preboot", "service"):
        killed = s.processes(".boot", way)
        before = s.total("steps_total", way=way)
        for pid in killed:
            os.kill(pid, signal.SIGKILL)
        eventually(lambda k=killed, w=way: set(s.processes(".boot", w)) - set(k), "another one")
        eventually(lambda w=way, b=before: s.run(PUPPET, "print on")["stdout"] == "on\n"
                   and s.total("steps_total", way=w) > b, "steps are warm again, and never wrong")
        s.idle(2)


def test_a_compiler_that_is_killed_while_it_compiles(serve):
    s = serve().warm()
    [pid] = s.processes(".boot", "service")
    [token] = s.submit({"language_id": PUPPET, "source_code": "print on\nwarm hang"})
    eventually(lambda: s.total("runtimes", state="busy") == 1, "it compiles")
    os.kill(pid, signal.SIGKILL)
    assert s.result(token)["stdout"] == "on\n"
    s.idle(2).counts(preboot=1, died=1)


def test_cancelling_reaches_a_job_wherever_it_is(serve):
    s = serve().warm()
    for source, there in (("spin", lambda: s.total("steps_total", way="service") == 1),
                          ("warm hang", lambda: s.total("runtimes", state="busy") == 1)):
        [token] = s.submit({"language_id": PUPPET, "source_code": source, "timeout": 60000})
        eventually(lambda t=there: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running" and t(),
                   "it is there")
        assert s.request("DELETE", "/v1/jobs/" + token).status_code in (200, 202, 204)
        assert s.result(token)["status"] == "cancelled"
        s.idle(2)


def test_who_cancels_again_and_again_has_no_compiler_start_after_the_other(serve):
    """Each is one that nobody can use any more; the pause before the next one doubles until one has compiled to the end."""
    s = serve().warm()
    for pause in (0.1, 0.2, 0.4, 0.8, 1.6):
        s.idle(2)
        [token] = s.submit({"language_id": PUPPET, "source_code": "warm hang", "timeout": 60000})
        eventually(lambda: s.total("runtimes", state="busy") == 1, "it compiles")
        begun, lost = time.monotonic(), s.processes(".boot", "service")
        s.request("DELETE", "/v1/jobs/" + token)
        eventually(lambda old=lost: set(s.processes(".boot", "service")) - set(old), "another one")
        assert time.monotonic() - begun >= pause
    assert "warm_failed" not in s.logged()


# ---- how many there are ----------------------------------------------------------------------

def test_bounds_hold(serve):
    for bounds in ({"runtimes_max": 1}, {"memory_max_bytes": "512M"}):
        s = serve(warm=bounds)
        eventually(lambda: "warm_ready" in s.logged(), s.logged)
        tokens = s.submit(*[{"language_id": PUPPET, "source_code": "print %d" % i} for i in range(20)])
        most = 0
        for i, token in enumerate(tokens):
            assert s.result(token)["stdout"] == "%d\n" % i
            most = max(most, len(s.processes(".boot", "service")) * 4 + len(s.processes(".boot", "preboot")))
            assert s.total("runtimes") <= bounds.get("runtimes_max", 4)
            assert s.total("memory_bytes") <= 512 << 20
        assert most <= 8  # one may take the place of one that ends, while a job is what it was started for


def test_more_are_kept_under_load_and_fewer_without(serve):
    s = serve(warm={"idle_ms": 1500}, worker={"slots": 8}).warm()
    asked = itertools.count()

    def three_at_once():  # never as many jobs as slots: then nothing is booted ahead of time
        tokens = s.submit(*[{"language_id": PUPPET, "source_code": "print %d" % next(asked)} for _ in range(3)])
        for token in tokens:
            assert s.result(token)["status"] == "completed"
        return s.total("runtimes") > 2  # a compiler, and more than one to run

    eventually(three_at_once, "more are kept")
    eventually(lambda: s.total("runtimes") == 0 and not s.processes(".boot"), "nobody asks, so none is kept")
    assert s.run(PUPPET, "print cold")["stdout"] == "cold\n"
    s.idle(1)  # somebody asked: there is one again
    assert s.total("fallbacks_total", reason="none_ready") >= 1


def test_a_compiler_is_replaced_after_its_uses(serve):
    s = serve(warm={"uses_max": 3}).warm()
    seen = set()
    for i in range(10):
        assert s.run(PUPPET, "print %d" % i)["stdout"] == "%d\n" % i
        s.counts(preboot=i + 1, service=i + 1)  # what metrics say of runtimes is as old
        s.idle(2)
        seen |= set(s.processes(".boot", "service"))
    assert len(seen) >= 3
    s.counts(preboot=10, service=10)


def test_a_variant_is_cold_until_it_is_asked_for_again(serve):
    s = serve().warm()
    for _ in range(2):
        assert s.run(PUPPET, "print small", memory_limit=64)["stdout"] == "small\n"
    s.counts(service=2, variant=1, unproven=1)
    eventually(lambda: "way=preboot variant=2" in s.logged(), s.logged)
    s.idle(3)
    assert s.run(PUPPET, "print small", memory_limit=64)["stdout"] == "small\n"
    s.counts(service=3, preboot=1, variant=1, unproven=1)


# ---- the end ------------------------------------------------------------------------------------

@pytest.mark.parametrize("when", ["booting", "idle", "compiling"])
def test_a_stop_is_quick_and_leaves_nothing(serve, when):
    s = serve(worker={"drain_ms": 200})
    if when != "booting":
        s.warm()
    if when == "compiling":
        s.submit({"language_id": PUPPET, "source_code": "warm hang"})
        eventually(lambda: s.total("runtimes", state="busy") == 1, "it compiles")
    cells = [p for p in descendants(s.pid) if command_name(p) != "redis-server" and p != s.pid]
    s.stop()
    eventually(lambda: not [p for p in cells if of_process(p, "cmdline")], "every process is gone")


def test_a_jailer_that_is_lost_takes_them_along(serve):
    s = serve().warm()
    runtimes = s.processes(".boot")
    os.kill(s.child("execd-jailer"), signal.SIGKILL)
    s.process.wait(PATIENCE)
    eventually(lambda: not [p for p in runtimes if ".boot" in of_process(p, "cmdline")], "every runtime is gone")
    serve(warm={"enabled": False})  # the next start removes the cgroups that the jailer could not


def test_doctor_tells_of_them(tmp_path):
    conf = tmp_path / "execd.conf"
    conf.write_text('plugins = ( { file = "lang-python.so"; } );\n')
    out = subprocess.run([str(BUILD / "execd"), "doctor", "--config", str(conf)], capture_output=True, text=True,
                         timeout=PATIENCE).stdout
    assert re.search(r"Python \(71\) +zygote gives the cold bytes", out), out
    for sin, words in (("", "preboot gives the cold bytes"), ("preboot_lies", "preboot refused: its self-test"),
                       ("preboot_exits", "preboot does not start")):
        conf.write_text('plugins = ( { file = "%s"; settings = { sin = "%s"; }; } );\n' % (PLUGIN, sin))
        out = subprocess.run([str(BUILD / "execd"), "doctor", "--config", str(conf)], capture_output=True, text=True,
                             timeout=PATIENCE).stdout
        assert re.search(r"bounds +\d+ runtimes, 2048 MiB", out), out
        assert re.search(r"Puppet \(910\) +service gives the cold bytes, " + re.escape(words), out), out
