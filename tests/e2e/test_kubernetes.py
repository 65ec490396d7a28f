"""scaler-k8s against FakeApi, a server of the tests' own (tests/support/kube.py): what it does when the API server fails.

That it works with Kubernetes is shown by tests/kubernetes, with a real one."""

import os
import pathlib
import re
import tempfile
import time

import pytest
from kube import COST, FIRST, FakeApi, Kubelet, write_kubeconfig
from server import C, eventually

SLEEP = "#include <unistd.h>\nint main(void) { usleep(%d000); return 0; }"


class Cluster:
    """A FakeApi whose pods are workers, and an execd that scales them."""

    def __init__(self, start, redis, directory, stateful=False, replicas=1, settings=None, user=None, ca=None, pods=True,
                 ready=lambda name: True, **scaling):
        directory.mkdir(exist_ok=True)
        self.api = FakeApi(directory, replicas, stateful)
        self.queue = {"url": redis.url, "password": redis.password, "answer_ms": 20000}
        self.kubelet = Kubelet(self.api.url, directory, self.worker, verify=str(self.api.ca), ready=ready) if pods else None
        config = write_kubeconfig(directory / "kubeconfig", self.api.url, ca or self.api.ca, **(user or {}))
        settings = {"name": "workers", "kubeconfig": str(config), "deadline_ms": 5000,
                    "kind": "StatefulSet" if stateful else "Deployment", **(settings or {})}
        self.execd = start({"plugins": [{"file": "lang-c.so"}, {"file": "scaler-k8s.so", "settings": settings}],
                            "queue": self.queue, "worker": {"heartbeat_ms": 200},
                            "scaling": {"minPods": 1, "maxPods": 3, "jobsPerPod": 2, "checkIntervalMs": 300,
                                        "stabilizationMs": 1000, **scaling}}, roles="api,scaler")

    def worker(self, name, number):
        return {"plugins": [{"file": "lang-c.so"}], "queue": self.queue, "warm": {"enabled": False},
                "worker": {"heartbeat_ms": 200, "slots": 1, "drain_ms": 0, "uid_base": 300000 + 2048 * number}}

    def active(self):
        return [n for n, p in self.api.pods.items() if "deletionTimestamp" not in p["metadata"]]

    def work(self, jobs, ms):
        return self.execd.submit(*({"language_id": C, "source_code": SLEEP % ms} for _ in range(jobs)))

    def done(self, tokens):
        for t in tokens:
            assert self.execd.result(t)["status"] == "completed"

    def killed(self):
        """Did a worker end with a job of its own?"""
        return [n for n, log in self.kubelet.logs().items()
                if "worker_killed" in log or re.search("job_handed_back .*status=cancelled", log)]

    def reasons(self):
        return [d["reason"] for d in self.execd.request("GET", "/v1/scaling?limit=1000").json()["decisions"]]

    def shown(self, text):
        return text in self.execd.logged() or any(text in r for r in self.reasons())

    def close(self):
        if self.kubelet:
            self.kubelet.close()
        self.api.close()


@pytest.fixture
def cluster(start, redis, tmp_path):
    made = []

    def make(**kw):
        made.append(Cluster(start, redis, tmp_path / ("kube%d" % len(made)), **kw))
        return made[-1]
    yield make
    for c in made:
        c.close()


def test_up_and_down(cluster):
    """1 -> 3 -> 1: each pod that goes was drained and marked, no job is begun twice, and nothing is left marked."""
    c = cluster()
    eventually(lambda: len(c.active()) == 1, "one pod")
    tokens = c.work(30, 400)
    eventually(lambda: len(c.active()) == 3, "three pods")
    c.done(tokens)
    eventually(lambda: len(c.active()) == 1 and len(c.api.pods) == 1, "one pod is left")
    assert len(c.api.deleted) == 2
    assert all(p["metadata"]["annotations"].get(COST) == FIRST for p in c.api.deleted), c.api.deleted
    assert not c.killed()
    assert COST not in c.api.pods[c.active()[0]]["metadata"]["annotations"]
    patches = [p for p in c.api.seen if p[0] == "PATCH" and "/scale" in p[1]]
    assert patches and all('"resourceVersion"' in p[2] for p in patches)
    lists = [p for p in c.api.seen if "/pods?" in p[1] and "watch=1" not in p[1]]
    assert all("labelSelector=app%3Dworkers%2Ctier%20in%20%28a%2Cb%29" in p[1] for p in lists) and lists


def test_highest_ordinals_go(cluster):
    """A StatefulSet ends its highest ordinals: these are drained, however busy others were less."""
    c = cluster(stateful=True)
    tokens = c.work(30, 400)
    eventually(lambda: len(c.active()) == 3, "three pods")
    c.done(tokens)
    eventually(lambda: c.active() == ["workers-0"] and len(c.api.pods) == 1, "the first is left")
    assert [p["metadata"]["name"] for p in c.api.deleted] == ["workers-2", "workers-1"]
    assert not c.killed() and not any("annotations" in p[2] for p in c.api.seen)


@pytest.mark.parametrize("fault,shown", [
    (401, "the token or certificate is not accepted: 401"), (403, "its role does not allow it: 403"), (404, "404 to"),
    (409, "409 to"), (410, "410 to"), (422, "422 to"), ((429, {"Retry-After": "1"}), "429 to"), (500, "500 to"),
    ((503, {"Retry-After": "1"}), "503 to"), ("drop", "the API server https://127.0.0.1")])
def test_every_answer_is_shown_and_got_over(cluster, fault, shown):
    """Whatever the server says to everything: it is shown, nobody goes, and it works again afterwards."""
    c = cluster(pods=False, replicas=2, minPods=2, maxPods=4)
    eventually(lambda: c.shown("pods are not listed") or any("watch=1" in p[1] for p in c.api.seen), "it watches")
    c.api.fault = lambda method, path: fault
    c.api.cut_watches()
    eventually(lambda: c.shown(shown), lambda: "%s is not shown: %s" % (shown, c.execd.logged()[-3000:]))
    assert c.api.scale["replicas"] == 2
    c.api.fault = lambda method, path: None
    c.work(20, 1)
    eventually(lambda: c.api.scale["replicas"] == 4, lambda: "it grows: %s" % c.execd.logged()[-3000:])
    begun = len(c.api.seen)
    eventually(lambda: any("watch=1" in p[1] for p in c.api.seen[begun:]) or c.api.watches > c.api.cut, "it watches again")


def test_a_server_that_asks_for_time_gets_it(cluster):
    c = cluster(pods=False)
    eventually(lambda: any("watch=1" in p[1] for p in c.api.seen), "it watches")
    times = []

    def fault(method, path):
        times.append(time.monotonic())
        return (429, {"Retry-After": "3"})
    c.api.fault = fault
    eventually(lambda: len(times) >= 2, "it asks again")
    assert times[1] - times[0] > 2.9


@pytest.fixture
def readable():
    """A folder that execd can read when it has dropped its privileges, as a pod's is from the start."""
    with tempfile.TemporaryDirectory(prefix="execd-kube-") as d:
        os.chmod(d, 0o755)
        yield pathlib.Path(d)


def test_token_rotation(cluster, readable):
    """The old token is refused and a new one is in the file: nobody notices.  No good token: nobody goes."""
    token = readable / "token"
    token.write_text("the-old-token")
    c = cluster(pods=False, user={"tokenFile": str(token)})
    eventually(lambda: any("watch=1" in p[1] for p in c.api.seen), "it watches")
    (readable / "next").write_text("the-new-token\n")
    os.replace(readable / "next", token)
    c.api.tokens = {"the-new-token"}
    begun = len(c.reasons())
    eventually(lambda: len(c.reasons()) > begun + 3, "it goes on")
    assert "scaler_blind" not in c.execd.logged()
    c.api.tokens = {"the-newest-token"}
    eventually(lambda: c.shown("not accepted: 401"), "401 is shown")
    token.write_text("the-newest-token")
    c.work(20, 1)
    eventually(lambda: c.api.scale["replicas"] == 3, "it grows again")
    assert "-token" not in c.execd.logged()


def test_watches_that_break(cluster):
    """A watch that is cut goes on from where it was; one whose version was forgotten begins with a list."""
    c = cluster(pods=False)

    def lists():
        return sum("/pods?" in p[1] and "watch=1" not in p[1] for p in c.api.seen)
    eventually(lambda: c.api.watches == 1, "it watches")
    before = lists()
    c.api.cut_watches()
    eventually(lambda: c.api.watches >= 2, "it watches again")
    assert lists() == before
    c.api.forget()
    eventually(lambda: lists() > before and c.api.watches >= 3, "and lists after a 410 within the stream")
    # And after one that is the answer: the version is forgotten while no watch can be had.
    before, watches = lists(), c.api.watches
    c.api.fault = lambda method, path: "drop" if "watch=1" in path else None
    c.api.cut_watches()
    begun = len(c.api.seen)
    eventually(lambda: any("watch=1" in p[1] for p in c.api.seen[begun:]), "it asks for a watch in vain")
    c.api.forget()
    assert lists() == before
    c.api.fault = lambda method, path: None
    eventually(lambda: lists() > before and c.api.watches > watches, "and lists after an answer of 410")


def test_edited_by_hand(cluster):
    """Somebody scales between our read and our write: the write is refused, and theirs is what is gone on from."""
    c = cluster(pods=False, maxPods=9, minPods=1)
    eventually(lambda: c.api.watches == 1, "it watches")
    raced = []

    def fault(method, path):
        if method == "PATCH" and "/scale" in path and not raced:
            raced.append(c.api.scale["replicas"])
            c.api.set_replicas(8)  # after its read, before its write
    c.api.fault = fault
    c.work(6, 1)
    eventually(lambda: raced, "it writes")
    time.sleep(1)
    assert c.api.scale["replicas"] == 8, "a write went over another's"


def test_pods_that_are_not_ready_hold_it(cluster):
    """A worker with a job whose pod is not ready would be ended before the drained ones: nothing goes."""
    ill = set()
    c = cluster(ready=lambda name: name not in ill)
    tokens = c.work(16, 300)
    eventually(lambda: len(c.active()) == 3, "three pods")
    eventually(lambda: len(c.kubelet.workers) == 3, "three workers")
    ill.add(sorted(c.active())[0])
    eventually(lambda: c.shown("is not ready"), "the reason is shown")
    assert not c.api.deleted or all(p["metadata"]["name"] not in ill for p in c.api.deleted)
    ill.clear()
    c.done(tokens)
    eventually(lambda: len(c.active()) == 1, "then it goes on")
    assert not c.killed()


def test_a_rollout_holds_it(cluster):
    """Pods of two templates: nobody can say whose go, so none is sent by us."""
    c = cluster()
    tokens = c.work(12, 300)
    eventually(lambda: len(c.active()) == 3, "three pods")
    with c.api.changed:
        pod = c.api.pods[c.active()[0]]
        pod["metadata"]["ownerReferences"][0]["uid"] = "rs-2"
        c.api.put("MODIFIED", pod)
    c.done(tokens)
    eventually(lambda: c.shown("a rollout is under way"), "the reason is shown")
    assert not c.api.deleted
    with c.api.changed:
        pod["metadata"]["ownerReferences"][0]["uid"] = "rs-1"
        c.api.put("MODIFIED", pod)
    eventually(lambda: len(c.active()) == 1, "then it goes on")


def test_a_rollout_that_begins_meanwhile_holds_it(cluster):
    """Between the look at who would go and the lower count there are marks to be made."""
    c = cluster()
    tokens = c.work(12, 300)
    eventually(lambda: len(c.active()) == 3, "three pods")
    rolled = []

    def another_template(uid):
        with c.api.changed:
            pod = c.api.pods[rolled[0]]
            pod["metadata"]["ownerReferences"][0]["uid"] = uid
            c.api.put("MODIFIED", pod)

    def fault(method, path):
        if method == "PATCH" and "/pods/" in path and not rolled:
            rolled.append(c.active()[0])
            another_template("rs-2")
    c.api.fault = fault
    c.done(tokens)
    eventually(lambda: c.shown("a rollout is under way"), "the reason is shown")
    assert rolled and not c.api.deleted
    another_template("rs-1")
    eventually(lambda: len(c.active()) == 1, "then it goes on")
    assert not c.killed()


def test_another_ca_is_not_believed(cluster, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    from kube import make_certificates
    c = cluster(pods=False, ca=make_certificates(other)[0])
    eventually(lambda: c.shown("the API server"), "the reason is shown")
    assert not c.api.seen
