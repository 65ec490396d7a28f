"""Faults of execd's own processes."""

import os
import pathlib
import re
import signal

from check import pid_of
from rows import ROWS, row
from server import descendants, eventually


def kill_one(w, kind, kill=None):
    role = w.one(kind)
    return role is not None and (kill or w.fleet.kill)(role)


@row("E01", "kill -9 of an API, before and between enqueue and reply", fleet={"apis": 2}, load={"pace": 150})
def e01(w):
    w.load(500)
    w.repeat(int(12 * w.factor), lambda: kill_one(w, "api"), 0.1, 0.4)


@row("E02", "kill -9 of a worker: while it runs, after the run and before the result, after the result and before the webhook",
     recovers=1, fleet={"slots": 4})
def e02(w):
    w.load(400)
    for _ in range(3):  # whoever dies, some of them are kept by heartbeats alone
        w.submit(ms=int(w.lease_s() * 1500))
    for _ in range(max(1, int(3 * w.factor))):
        role = w.running_on(w.submit(ms=600))  # mid-run
        w.fleet.kill(role)
        w.pause(0.2, 0.6)
    w.pause(w.lease_s() + 1)  # what these cost is measured by itself, not while a network is broken
    for _ in range(max(1, int(2 * w.factor))):  # it has run; its result does not reach Redis
        job = w.submit(ms=100)
        role = w.running_on(job)
        w.fleet.ways(role.name, "hold")
        w.pause(0.4)
        w.fleet.kill(role)
        w.pause(0.1)
        w.fleet.proxy.set(role.name, "cut")
        w.fleet.proxy.set(role.name, "pass")
    after_the_result(w)


def after_the_result(w):
    """Its webhook is only in the outbox when the worker dies: it comes, and the job is not run again."""
    hook = w.fleet.of("hook")[0]
    hook.held = True
    w.fleet.kill(hook)
    hook.ended.wait(10)
    job = w.submit(ms=0, callback=True)
    eventually(lambda: w.state(job) == "2", "it is completed", 60)
    pid = int(w.state(job, "w").split(":")[1])
    for role in w.fleet.of("worker"):
        if role.pid == pid:
            w.fleet.kill(role)
    hook.held = False
    eventually(lambda: w.receiver.seen.get(job.token), "its webhook comes", 60)
    assert w.state(job, "ep") == "1", "it was run again"


@row("E02b", "kill -9 of a worker of short jobs, which has claimed more than it has begun", recovers=1,
     fleet={"workers": 2, "slots": 1}, load={"pace": 300, "backlog": 600, "short": True})
def e02b(w):
    w.load(2000)
    w.repeat(max(1, int(5 * w.factor)), lambda: kill_who_holds_more(w), 0.03, 0.06)


def kill_who_holds_more(w):
    """It stands still meanwhile, so that it still holds them when it dies."""
    role = w.one("worker")
    if role is None or role.execd.process.poll() is not None:
        return False
    os.kill(role.pid, signal.SIGSTOP)
    with w.fleet.redis.client() as c:
        jobs = [b"{execd}:job:" + t for t in c("ZRANGE", "{execd}:lease", 0, -1)]
        held = c.many([("HMGET", j, "w", "ah") for j in jobs])
    if any(worker and pid_of(worker) == role.pid and ahead for worker, ahead in held) and w.fleet.kill(role):
        return True
    os.kill(role.pid, signal.SIGCONT)
    return False


@row("E03", "kill -9 of a jailer", recovers=1, fleet={"slots": 4})
def e03(w):
    w.load(300)
    w.repeat(int(8 * w.factor), lambda: kill_one(w, "worker", w.fleet.kill_jailer),
             0.2, 0.6)


@row("E04", "SIGSTOP of a worker for longer than its lease, another one takes its jobs, SIGCONT", fleet={"slots": 4})
def e04(w):
    w.load(300)
    for _ in range(max(1, int(3 * w.factor))):
        job, role = stopped_runner(w)
        try:  # its job's program runs on and ends meanwhile
            eventually(lambda: int(w.state(job, "ep")) > 1, "another worker takes it", 60)
            if w.rng.random() < 0.5:
                eventually(lambda: w.state(job) == "2", "it ends there", 60)
        finally:
            os.kill(role.pid, signal.SIGCONT)
    w.fleet.proxy.set("*", "pass")


def stopped_runner(w):
    """A job, and its worker, which was stopped before it had the result."""
    for _ in range(10):
        job = w.submit(ms=int(w.lease_s() * 500))
        role = w.running_on(job)
        if role is not None and w.fleet.signal(role, signal.SIGSTOP, "stop"):
            if w.state(job) == "1":
                return job, role
            os.kill(role.pid, signal.SIGCONT)
    raise AssertionError("each job was over before its worker could be stopped")


def refused_results(w):
    """After E04: what the deposed worker had to say."""
    n = sum(r.logged().count("result_refused") + r.logged().count("its lease was lost") for r in w.fleet.of("worker"))
    w.v.notes.append("%d late results thrown away" % n)


ROWS["E04"]["after"] = refused_results


def kill_runner(w, job):
    """False: it has said that it is ready, and that was not read yet."""
    role = w.running_on(job)
    return role is not None and w.fleet.kill(role)


@row("E17", "a job that its worker dies of, each time; and one whose last worker only stops, and has its result too late",
     fleet={"slots": 4})
def e17(w):
    w.load(150)
    w.poison = [too_late(w)]
    for _ in range(max(1, int(2 * w.factor))):
        job = w.submit(ms=6000)
        w.poison.append(job)
        for attempt in range(1, 4):
            eventually(lambda: w.state(job) == "1" and w.state(job, "at") == str(attempt), "attempt %d" % attempt, 60)
            eventually(lambda: kill_runner(w, job), "its worker is killed", 20)
        eventually(lambda: w.state(job) == "10", "it ends as internal_error", 60)


def too_late(w):
    """Its program ends while its worker is stopped, and so does its lease."""
    job = w.submit(ms=int(w.lease_s() * 750))
    for attempt in (1, 2):
        if not runs(w, job, attempt):
            return too_late(w)
        eventually(lambda: kill_runner(w, job), "its worker is killed", 20)
    if not runs(w, job, 3):
        return too_late(w)
    w.late = w.running_on(job)
    w.fleet.signal(w.late, signal.SIGSTOP, "stop")
    try:
        eventually(lambda: w.state(job) in ("2", "10"), "it ends", 60)
    finally:
        os.kill(w.late.pid, signal.SIGCONT)
    if w.state(job) == "2":
        return too_late(w)
    eventually(lambda: said_of(w.late, job, "(result_refused|job_abandoned|job_finished)"), "its worker says what became of it", 60)
    return job


def runs(w, job, attempt):
    """Waits for that attempt; False: it was over before somebody looked."""
    eventually(lambda: w.state(job) == "2" or (w.state(job) == "1" and w.state(job, "at") == str(attempt)), "attempt %d" % attempt, 60)
    return w.state(job) == "1"


def said_of(role, job, event):
    return re.findall(" %s token=%s.*" % (event, job.token), role.logged())


def is_told(w):
    for job in w.poison:
        said = job.answers[0]
        assert said["status"] == "internal_error" and "lost 3 times" in said["message"], said
    w.v.some("told that its late result was recorded", said_of(w.late, w.poison[0], "job_finished"))


ROWS["E17"]["after"] = is_told


@row("E18", "SIGTERM of a worker with 5 s of grace, one after the other: a rolling restart", fleet={"slots": 4})
def e18(w):
    w.load(400)

    def restart(role=None):
        role = role or w.one("worker")
        if role is None or not w.fleet.signal(role, signal.SIGTERM, "term"):
            return False
        if not role.ended.wait(5):
            w.fleet.kill(role)
        return True
    restart(w.running_on(w.submit(ms=4500)))  # longer than drain_ms: it is handed back
    w.repeat(int(8 * w.factor), restart, 0.1, 0.3)


def nothing_repeated(w):
    killed = {pid for _, kind, _, pid in w.fleet.faults if kind == "kill"}  # those that were not done in 5 s
    repeated = [t for t, p in w.v.history.jobs.items()
                if any(c.end == "requeued" and pid_of(c.worker) not in killed for c in p.claims)]
    w.v.some("run again although their workers ended in order", repeated)


ROWS["E18"]["after"] = nothing_repeated


@row("E19", "workers 1, 5, 0, 3 under load: the surplus gets SIGTERM", fleet={"workers": 5, "slots": 2})
def e19(w):
    w.load(400)
    for count in (1, 5, 0, 3):
        for i, role in enumerate(w.fleet.of("worker")):
            role.held = i >= count
            if role.held and role.up.is_set():
                w.fleet.signal(role, signal.SIGTERM, "term")
        w.pause(1.5)


@row("E20", "the receiver is down, then up; the hook is killed each half second", failing=0.2, load={"callbacks": 1.0})
def e20(w):
    w.load(300)
    w.receiver.down = True
    w.repeat(int(6 * w.factor), lambda: kill_one(w, "hook"), 0.5, 0.5)
    w.receiver.down = False
    w.repeat(int(6 * w.factor), lambda: kill_one(w, "hook"), 0.5, 0.5)


@row("E22", "six reapers at once, two of them stopped in the middle, while workers die", recovers=1, fleet={"apis": 2, "slots": 4})
def e22(w):
    w.load(400)
    for _ in range(max(1, int(3 * w.factor))):
        job = w.submit(ms=int(w.lease_s() * 1000))
        role = w.running_on(job)
        stopped = [w.fleet.of("api")[0], w.fleet.of("hook")[0]]
        for other in stopped:
            w.fleet.signal(other, signal.SIGSTOP, "stop")
        w.fleet.kill(role)
        w.pause(w.lease_s() + 1)
        for other in stopped:
            os.kill(other.pid, signal.SIGCONT)


@row("E26", "the OOM killer takes a job before its worker, and a worker that it takes is as one that is killed", recovers=1, fleet={"slots": 4})
def e26(w):
    w.load(100)
    job = w.submit(ms=2000)
    role = w.running_on(job)
    scores = eventually(lambda: [s for s in map(score, descendants(role.jailer())) if s is not None and s > 0], "a job's score", 20)
    assert max(scores) == 1000 and score(role.pid) <= 0, (scores, score(role.pid))
    w.v.notes.append("oom_score_adj of a job %d, of its worker %d" % (max(scores), score(role.pid)))
    w.fleet.kill(role)


def score(pid):
    try:
        return int(pathlib.Path("/proc/%d/oom_score_adj" % pid).read_text())
    except (OSError, ValueError):
        return None
