"""What the attack rows cannot see from within, or only by doing harm if it were missing: a cell by its own description
(programs/D_card.c), and how it ends.  With these each defence of the sandbox has a test that its absence makes red
(tests/mutation)."""

import errno
import os
import pathlib
import resource
import signal
import time

import facts
import pytest
from conftest import configuration
from facts import LIMITS, ROOT_LANES, SPACES
from host import read
from hostile import elf, lines, source
from rows import Attack
from server import BUILD, Execd, children_of, descendants, eventually

FEW = 0x1 | 1 << 1 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7 | 1 << 8 | 1 << 21 | 1 << 24 | 1 << 31  # of the jailer


def fact(function):
    """No row of the catalogue, but the means of one."""
    function.row_id = "D"
    return pytest.mark.star(function)


def card(attack, *args):
    return lines(attack.run("C", source=source("D", "card"), args=list(args), timeout=20000, cpu_timeout=5000).expect("OK"))


@fact
@pytest.mark.parametrize("space", SPACES)
def test_namespace(attack, space):
    facts.check_namespace(card(attack), attack, space)


@fact
def test_identity(attack):
    facts.check_identity(card(attack), attack)


@fact
def test_own_id_of_each_cell(attack):
    if attack.lane not in ROOT_LANES:
        return  # cells share the user's id, as /health declares: `uid` is missing
    jobs = [attack.job("C", source=source("D", "card"), args=["300"], timeout=20000) for _ in range(8)]
    ids = [lines(r.expect("OK"))["uid_map-0"].split()[1] for r in attack.run_all(jobs)]
    assert len(set(ids)) > 1, ids


@fact
def test_process(attack):
    facts.check_process(card(attack))


@fact
@pytest.mark.parametrize("limit", LIMITS)
def test_limit(attack, limit):
    facts.check_limit(card(attack), attack, limit)


@fact
@pytest.mark.parametrize("limit", ["NICE", "RTPRIO"])
def test_limit_is_set(tmp_path, limit):
    """Where execd itself may have no more than 0 the limit's value shows nothing: so let the call fail, and no cell runs."""
    log = refusal(tmp_path / "refused", "prlimit64:1=%d" % getattr(resource, "RLIMIT_" + limit), str(errno.ENOLINK))
    assert os.strerror(errno.ENOLINK) in log, log


@fact
@pytest.mark.parametrize("step", ["caps_drop", "pdeathsig"])
def test_step_is_made(attack, tmp_path, step):
    """Steps that have the same outcome as a later one: so let the call fail, and no cell runs."""
    # As root a cell's process gives up all but one capability, and then that; as a user its call comes after the jailer's two.
    second = "%d^2" if attack.lane in ROOT_LANES else "%d#3"
    call, error, why = {"caps_drop": ("capset", second, "drop every capability"),
                        "pdeathsig": ("prctl:0=1", "%d", "die with the jailer")}[step]
    assert why in refusal(tmp_path / "refused", call, error % errno.ENOLINK)


def refusal(folder, call, error):
    """The log of an execd that does not start, since a system call of its cells is refused."""
    folder.mkdir()
    conf = dict(configuration(), plugins=[{"file": "lang-c.so"}])
    server = Execd(folder, conf, prefix=[str(BUILD / "tests/support/inject"), call, error, "--"])
    said = server.process.stdout.readline()
    server.kill()
    assert said == b"", "it starts: " + server.logged()[-1500:]
    return server.logged()[-1500:]


@fact
def test_rate_of_cpu(attack):
    """As the cell's group has it: on a busy machine nobody could tell by the time that passes."""
    token = attack.submit(attack.job("C", source=source("D", "card"), args=["2000"], cpu_limit="500m", timeout=20000))[0]
    eventually(lambda: 0.5 in rates(attack), "a group of a cell has half a core", 10)
    attack.result(token).expect("OK")


def rates(attack):
    """Cores that each cell's group may use."""
    found = []
    for group in map(pathlib.Path, attack.host.cgroup_names()):
        one, two = read(group / "cpu.max").split(), [read(group / f) for f in ("cpu.cfs_quota_us", "cpu.cfs_period_us")]
        quota, period = one if one else two
        if quota.strip().isdigit():
            found.append(int(quota) / int(period))
    return found


@fact
def test_mounts(attack):
    facts.check_mounts(card(attack))


@fact
def test_stand_ins_of_etc(attack):
    r = attack.run("Py", source="import os\nprint(open('/etc/passwd').read(), os.listdir('/etc'))", timeout=20000).expect("OK")
    assert [u.split(":")[0] for u in r.text.splitlines()[:-1]] == ["root", "runner"], r.text
    for name in ("shadow", "fstab", "machine-id"):
        assert name not in r.text, r.text


@fact
def test_what_the_jailer_keeps(attack):
    status = dict(line.split(":", 1) for line in pathlib.Path("/proc/%d/status" % attack.host.jailer).read_text().splitlines())
    assert not int(status["CapEff"], 16) & ~FEW and not int(status["CapPrm"], 16) & ~FEW, status["CapEff"]
    assert status["NoNewPrivs"].strip() == "1"


# ---- how a cell ends ------------------------------------------------------------------------

SLEEPS = "#include <unistd.h>\nint main(void) { return usleep(4000000); }\n"


@fact
def test_end_by_wall_time(attack):
    r = attack.run("C", source=SLEEPS, timeout=300, cpu_timeout=None).expect("TLE-wall")
    assert r.wall < 0.8 * attack.slow, r.short()


OUTLIVES = r"""
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
    puts("begin"), fflush(stdout);
    if (fork() == 0)
        for (char *p; (p = malloc(1 << 20)) != NULL;)
            { memset(p, 1, 1 << 20); __asm__ volatile("" : : "r"(p) : "memory"); }
    wait(NULL);
    sleep(3);
    puts("lived"), fflush(stdout);
}
"""


@fact
def test_nobody_outlives_the_memory(attack):
    """One process of it out of memory is the end of all."""
    r = attack.run("C", source=OUTLIVES, timeout=30000, cpu_timeout=20000).expect("MLE")
    assert r.text == "begin\n", r.short()


@fact
def test_nothing_lives_while_files_are_kept(attack):
    """The build leaves a process that counts in two files; the second is packed long after the first."""
    make = ("# keep: out a big b\nprintf '#!/bin/sh\\necho $(cat a) / $(cat b)\\n' > out; chmod 755 out\n"
            "head -c 25000000 /dev/zero > big; echo 0 > a; echo 0 > b\n"
            "(n=0; while :; do n=$((n + 1)); echo $n > a; echo $n > b; done) > /dev/null 2>&1 &\n"
            "until read n < a && [ \"${n:-0}\" -gt 50 ]; do :; done\n# %d\n")
    for r in attack.run_all([attack.job("Staged", source=make % n, timeout=20000) for n in range(6)]):
        a, b = (part.strip() for part in r.expect("OK").text.split("/"))
        assert not a or not b or abs(int(a) - int(b)) <= 1, "it counted on: %s" % r.text  # empty: just being written


@fact
def test_no_more_files_than_may_be_kept(attack, tmp_path):
    """Where a box may hold more than a bundle."""
    program = elf(b"#include <fcntl.h>\n#include <stdio.h>\n#include <sys/stat.h>\n#include <unistd.h>\n"
                  b"int main(void) { char n[32]; mkdir(\"out\", 0700); chdir(\"out\");\n"
                  b"for (int i = 0; i < 66000; i++) { snprintf(n, sizeof(n), \"%d\", i); int fd = creat(n, 0600);\n"
                  b"if (fd < 0) { perror(n); return 1; } close(fd); } return 0; }\n", "-static")
    conf = configuration()
    conf["compile"]["box_inodes"] = 100000
    conf["plugins"] = [{"file": str(BUILD / "tests/attacks/lang-hostile.so")}]
    with Execd(tmp_path, conf) as server:
        own = Attack(server.ready(), attack.host, "D", attack.lane, attack.slow)
        r = own.run("Staged", source=program, timeout=20000)
        assert "more than 65536 files were made" in r.expect("CE(file)").json["message"], r.short()


@fact
def test_kept_files_are_counted(attack):
    make = "printf '#!/bin/sh\\n' > out; chmod 755 out\n"
    r = attack.run("Staged", source="# keep: out two\n" + make + "truncate -s 20M two; mkdir x; truncate -s 20M out\n")
    assert "too large to keep" in r.expect("CE(file)").json["message"]


class Own:
    """An execd of the test's own, to be killed; whatever it leaves is ended by pid."""

    def __init__(self, directory):
        self.directory, self.conf = directory, dict(configuration(), plugins=[{"file": "lang-c.so"}])
        self.server, self.all = Execd(directory, self.conf).ready(), []

    def __enter__(self):
        self.jailer = next(p for p in children_of(self.server.pid) if jailer_name(p))
        (token,) = self.server.submit({"language_id": 50, "source_code": SLEEPS.replace("4000000", "60000000"), "timeout": 60000})
        get = lambda: self.server.request("GET", "/v1/jobs/" + token).json()["status"]  # noqa: E731
        eventually(lambda: get() == "running" and any(children_of(p) for p in children_of(self.jailer)), "the job runs")
        self.all = descendants(self.jailer)
        return self

    def __exit__(self, *_):
        if self.server.process.poll() is None:
            self.server.process.kill()
            self.server.process.wait()
        self.server.close()
        for p in self.all:
            try:
                os.kill(p, signal.SIGKILL)
            except ProcessLookupError:
                pass

        with Execd(self.directory, self.conf) as next:  # which sweeps up what is left of cgroups
            next.ready()

    @staticmethod
    def gone(pids):
        return not any(alive(p) for p in pids)


def jailer_name(pid):
    return pathlib.Path("/proc/%d/comm" % pid).read_text().startswith("execd-jailer")


def alive(pid):
    try:
        return ") Z " not in pathlib.Path("/proc/%d/stat" % pid).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


@fact
def test_end_of_the_worker(attack, tmp_path):
    with Own(tmp_path) as own:
        begin = time.monotonic()
        own.server.process.kill()
        eventually(lambda: own.gone(own.all), "the jailer and its cells end with execd", 20)
        assert time.monotonic() - begin < 2 * attack.slow, "they ended late"


@fact
def test_end_of_the_jailer(attack, tmp_path):
    with Own(tmp_path) as own:
        inits = children_of(own.jailer)
        assert inits
        own.server.process.send_signal(signal.SIGSTOP)  # which would kill them as well
        os.kill(own.jailer, signal.SIGKILL)
        eventually(lambda: own.gone(own.all), "cells end with the jailer", 10)
