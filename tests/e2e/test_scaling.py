"""The scaler with real workers of this machine: load comes, load goes, no job is lost or killed."""

import os
import re
import signal
import time

from server import C, PATIENCE, children, children_of, command_name, descendants, eventually

SLEEP = "#include <unistd.h>\nint main(void) { usleep(%d000); return 0; }"
PLUGINS = [{"file": "lang-c.so"}, {"file": "scaler-local.so"}]


def conf(redis=None, drain_ms=60000, **scaling):
    """drain_ms 0: a worker that is ended while it has a job kills it, and killed() sees that."""
    c = {"plugins": PLUGINS,
         "worker": {"heartbeat_ms": 200, "slots": 1, "drain_ms": drain_ms},
         "warm": {"enabled": False},
         "scaling": {"minPods": 1, "maxPods": 3, "jobsPerPod": 2, "checkIntervalMs": 300, "stabilizationMs": 1500, **scaling}}
    c["queue"] = {"lease_ms": 3000}
    if redis:
        c["queue"].update(url=redis.url, password=redis.password)
    return c


def busy(s, ms):
    """Two workers have a job for so long and the third has what is short: then fewer are wanted than have a job."""
    return s.submit(*({"language_id": C, "source_code": SLEEP % t} for t in (ms, ms, 50, 50, 50, 50)))


def scaling(s):
    return s.request("GET", "/v1/scaling?limit=1000").json()


def workers(s):
    """Pids of the workers that its keeper started."""
    keepers = [p for p in children_of(s.pid) if command_name(p) == "execd-keeper"]  # none yet, right after the start
    return [p for k in keepers for p in children_of(k) if command_name(p) == "execd"]


def metric(s, name):
    found = re.search(r"^%s(?:{.*})? (\S+)$" % name, s.request("GET", "/metrics").text, re.M)
    return float(found.group(1)) if found else None


def killed(s):
    """Did anybody end a worker with a job of its own?"""
    return "worker_killed" in s.logged() or re.search("job_handed_back .*status=cancelled", s.logged())


def all_done(s, tokens):
    for t in tokens:
        assert s.result(t)["status"] == "completed", s.result(t)


def test_load_up_and_down(start):
    """1 -> 3 -> 1 with the embedded Redis; every job completes in its first run, and nobody was killed."""
    s = start(conf(drain_ms=0), roles="api,scaler")
    eventually(lambda: len(workers(s)) == 1, "one worker is started")
    tokens = s.submit(*({"language_id": C, "source_code": SLEEP % 400} for _ in range(30)))
    eventually(lambda: len(workers(s)) == 3, "three workers work")
    eventually(lambda: metric(s, "execd_workers") == 3, "three workers are heard of")
    all_done(s, tokens)
    eventually(lambda: len(workers(s)) == 1, "one is left")
    assert not killed(s), s.logged()[-3000:]
    assert metric(s, "execd_jobs_recovered_total") == 0
    assert metric(s, "execd_scaling_decisions_total") > 3
    seen = scaling(s)
    assert seen["leader"] and seen["epoch"] == 1 and not seen["leaving"]
    most = max(d["target"] for d in seen["decisions"])
    assert most == 3 and all(1 <= d["target"] <= 3 and d["reason"] for d in seen["decisions"])
    assert any(sum(d["queued"].values()) > 0 and d["running"] > 0 for d in seen["decisions"])


def test_busy_workers_are_waited_for(start):
    """A worker that has a job is sent away: it finishes it, is given no other, and ends; all the way down to nobody."""
    s = start(conf(drain_ms=0, minPods=0, stabilizationMs=600), roles="api,scaler")
    all_done(s, busy(s, 3500))
    eventually(lambda: not workers(s), "nobody is left")
    assert re.search("worker_rests .*held=1", s.logged()), "nobody was sent away while busy:\n" + s.logged()[-3000:]
    assert not killed(s), s.logged()[-3000:]
    tokens = s.submit({"language_id": C, "source_code": SLEEP % 1})  # and from nothing again
    all_done(s, tokens)


def test_drain_is_taken_back(start):
    """A worker that was sent away goes on when load comes back."""
    s = start(conf(minPods=0, stabilizationMs=600), roles="api,scaler")
    tokens = busy(s, 6000)
    eventually(lambda: re.search("worker_rests .*held=1", s.logged()), "one is sent away while it is busy")
    tokens += s.submit(*({"language_id": C, "source_code": SLEEP % 100} for _ in range(12)))
    eventually(lambda: "worker_goes_on" in s.logged(), "it goes on")
    all_done(s, tokens)


def test_a_worker_that_dies(start):
    """kill -9 of one: another one takes its place and its job."""
    s = start(conf(minPods=2, stabilizationMs=60000), roles="api,scaler")
    eventually(lambda: metric(s, "execd_workers") == 2, "two workers are heard of")
    tokens = s.submit(*({"language_id": C, "source_code": SLEEP % 300} for _ in range(6)))
    dead = workers(s)[0]
    os.kill(dead, signal.SIGKILL)
    eventually(lambda: len(workers(s)) >= 2 and dead not in workers(s), "another one takes its place")
    all_done(s, tokens)


def test_the_end_of_the_leader(start, redis):
    """Two scalers, one leads.  kill -9 of it: its workers finish and go, the other leads on with what was decided."""
    one = start(conf(redis, minPods=1, stabilizationMs=60000), roles="api,scaler")
    eventually(lambda: metric(one, "execd_workers") == 1, "one worker is heard of")
    two = start(conf(redis, minPods=1, stabilizationMs=60000), roles="api,scaler")
    tokens = two.submit(*({"language_id": C, "source_code": SLEEP % 500} for _ in range(8)))
    eventually(lambda: len(workers(one)) == 3, "the leader's machine has three")
    assert not workers(two) and scaling(two)["epoch"] == 1
    left = workers(one)
    one.kill()
    eventually(lambda: scaling(two)["epoch"] == 2, "the other leads")
    eventually(lambda: not any(os.path.exists("/proc/%d" % p) for p in left), "the first one's workers are gone")
    all_done(two, tokens)
    log = two.logged()
    found = re.search(r"scaler_leads .*decisions=(\d+)", log)
    assert found and int(found.group(1)) > 0, log[-3000:]
    eventually(lambda: len(workers(two)) == 3, "the window outlives the leader: three were wanted within it")


def test_blindness_takes_nobody_away(start, redis):
    """Redis is away for longer than the window: nothing goes down meanwhile, nor right after."""
    s = start(conf(redis, minPods=0, jobsPerPod=1), roles="api,scaler")
    tokens = s.submit(*({"language_id": C, "source_code": SLEEP % 1500} for _ in range(12)))
    eventually(lambda: metric(s, "execd_jobs_running") == 3, "each has its job")
    pids = sorted(workers(s))
    redis.kill()
    eventually(lambda: "scaler_blind" in s.logged(), "the scaler sees nothing")
    time.sleep(2)  # more than the window's length: that time passes is what is tested
    assert sorted(workers(s)) == pids
    assert redis.start()
    eventually(lambda: s.request("GET", "/readyz").status_code == 200, "Redis is there again")
    all_done(s, tokens)
    eventually(lambda: not workers(s), "and goes down when it sees again")


def test_stop_takes_its_workers_along(start):
    """SIGTERM: the workers finish what runs, record it, and are gone before execd is."""
    s = start(conf(minPods=2, stabilizationMs=60000), roles="api,scaler")
    eventually(lambda: metric(s, "execd_workers") == 2, "two workers are heard of")
    s.submit(*({"language_id": C, "source_code": SLEEP % 1500} for _ in range(2)))
    eventually(lambda: metric(s, "execd_jobs_running") == 2, "both have a job")
    below = descendants(s.pid)
    s.stop()
    assert not [p for p in below if os.path.exists("/proc/%d" % p)]
    assert s.logged().count("status=completed") == 2, s.logged()[-3000:]


def test_the_end_of_the_keeper(start, redis):
    """It cannot be had anew: its workers are told to finish, do so, and execd says why it ends."""
    s = start(conf(redis), roles="api,scaler")
    eventually(lambda: len(workers(s)) == 1, "one worker is started")
    token = s.submit({"language_id": C, "source_code": SLEEP % 2000})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it has a job")
    below = set(descendants(s.pid))
    os.kill(s.child("execd-keeper"), signal.SIGKILL)
    assert s.process.wait(PATIENCE) == 1 and "execd-keeper" in s.logged()
    eventually(lambda: not below & set(children()), "whom it left behind has ended")
    assert re.search("job_finished token=%s .*status=completed" % token, s.logged()), s.logged()[-3000:]


def test_the_role_needs_a_plugin(start):
    said = start({"plugins": [{"file": "lang-c.so"}]}, wait=False, roles="api,scaler").refused()
    assert "none of the plugins is a scaler" in said
    said = start({"plugins": PLUGINS + [{"file": "scaler-local.so"}]}, wait=False).refused()
    assert "scaler already" in said or "taken" in said, said
