"""The scaler, in its own ServiceAccount with the shipped Role, drives a Deployment of a real API server; its pods are workers."""

import os
import pathlib
import re
import tempfile

import pytest
import yaml
from kube import COST, FIRST, NAMESPACE, Kubelet
from server import C, ROOT, eventually

SLEEP = "#include <unistd.h>\nint main(void) { usleep(%d000); return 0; }"
MANIFESTS = sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
SLOW = 180  # s; pods are processes here, and ten of them start on a small machine


def documents(*files):
    return [d for f in files or MANIFESTS for d in yaml.safe_load_all(f.read_text()) if d]


def worker_deployment():
    """As it is named in the shipped Role; its pods need no image here."""
    labels = {"app": "execd", "role": "worker"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "execd-worker"},
            "spec": {"selector": {"matchLabels": labels},
                     "template": {"metadata": {"labels": labels},
                                  "spec": {"automountServiceAccountToken": False, "terminationGracePeriodSeconds": 60,
                                           "containers": [{"name": "worker", "image": "execd"}]}}}}


class Scene:
    """The worker Deployment with one replica, the scaler's account, and executables: a kubelet, an execd that scales."""

    def __init__(self, plane, start, redis, directory):
        self.plane, self.start, self.directory = plane, start, directory
        self.scalers = []
        self.queue = {"url": redis.url, "password": redis.password, "answer_ms": 20000}
        for d in documents(ROOT / "deploy/kubernetes/scaler.yaml"):
            if d["kind"] in ("ServiceAccount", "Role", "RoleBinding"):
                if d["kind"] == "RoleBinding":
                    d["subjects"][0]["namespace"] = NAMESPACE
                plane.apply(d)
        self.readable = tempfile.TemporaryDirectory(prefix="execd-kube-")  # for execd without its privileges
        os.chmod(self.readable.name, 0o755)
        self.account = pathlib.Path(self.readable.name)
        (self.account / "ca.crt").write_bytes(plane.ca.read_bytes())
        (self.account / "namespace").write_text(NAMESPACE)
        self.give_token(plane.token("execd-scaler"))
        plane.apply(worker_deployment())
        plane.scale("execd-worker", 1)
        directory.joinpath("pods").mkdir()
        self.kubelet = Kubelet(plane.url, directory / "pods", self.worker, verify=str(plane.ca), cert=plane.admin)

    def give_token(self, token):
        (self.account / "next").write_text(token + "\n")
        os.replace(self.account / "next", self.account / "token")

    def worker(self, name, number):
        return {"plugins": [{"file": "lang-c.so"}], "queue": self.queue, "warm": {"enabled": False},
                "worker": {"heartbeat_ms": 300, "slots": 1, "drain_ms": 0, "uid_base": 300000 + 2048 * number}}

    def scaler(self, **scaling):
        settings = {"name": "execd-worker", "account_dir": str(self.account)}
        execd = self.start({"plugins": [{"file": "lang-c.so"}, {"file": "scaler-k8s.so", "settings": settings}],
                           "queue": self.queue, "worker": {"heartbeat_ms": 300},
                           "scaling": {"minPods": 1, "maxPods": 10, "jobsPerPod": 2, "checkIntervalMs": 500,
                                       "stabilizationMs": 2000, **scaling}},
                          roles="api,scaler", env={"KUBERNETES_SERVICE_HOST": "127.0.0.1",
                                                   "KUBERNETES_SERVICE_PORT": str(self.plane.port)})
        self.scalers.append(execd)
        return execd

    def end_scalers(self):
        for s in self.scalers:
            if s.process.poll() is None:
                s.stop()

    def killed(self):
        return [n for n, log in self.kubelet.logs().items()
                if "worker_killed" in log or re.search("job_handed_back .*status=cancelled", log)]

    def close(self):
        """The garbage collector does not run here, so the order is: the pods, then what they are made by."""
        apps = "/apis/apps/v1/namespaces/%s/" % NAMESPACE
        self.plane.scale("execd-worker", 0)
        try:
            eventually(self.gone, "all pods have ended", 60)
        finally:
            self.kubelet.close()
            self.readable.cleanup()
            self.plane.ok("DELETE", apps + "deployments/execd-worker")
            self.plane.ok("DELETE", apps + "replicasets")

    def gone(self):
        return not self.plane.active() and not self.kubelet.workers


@pytest.fixture
def scene(plane, start, redis, tmp_path):
    s = Scene(plane, start, redis, tmp_path)
    yield s
    s.end_scalers()
    s.close()


def work(execd, jobs, ms):
    return execd.submit(*({"language_id": C, "source_code": SLEEP % ms} for _ in range(jobs)))


def done(execd, tokens):
    for t in tokens:
        assert execd.result(t)["status"] == "completed"


def shown(execd, text):
    decisions = execd.request("GET", "/v1/scaling?limit=1000").json()["decisions"]
    return text in execd.logged() or any(text in d["reason"] for d in decisions)


def test_manifests(plane):
    """Every shipped manifest, as `kubectl apply --dry-run=server` does it."""
    plane.apply({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": "execd"}, "handler": "execd"})
    for d in documents():
        plane.apply(d, dry_run=True)


def test_one_to_ten_to_one(scene, plane):
    """Load comes and goes; the API server is killed while it is there.  No job is lost, only drained go."""
    execd = scene.scaler()
    marked = {}
    tokens = work(execd, 120, 1500)
    eventually(lambda: plane.scale("execd-worker") == 10, lambda: "ten are asked for\n" + execd.logged()[-3000:], SLOW)
    eventually(lambda: len(scene.kubelet.workers) >= 5, "half of them run", SLOW)
    plane.kill_api()
    eventually(lambda: shown(execd, "scaler_blind"), "the scaler sees nothing", SLOW)
    plane.start_api()
    done(execd, tokens)

    def one_is_left():
        for p in plane.pods():
            if "deletionTimestamp" in p["metadata"]:
                marked[p["metadata"]["name"]] = p["metadata"].get("annotations", {}).get(COST)
        return plane.scale("execd-worker") == 1 and len(scene.kubelet.workers) == 1
    eventually(one_is_left, lambda: "one is left\n" + execd.logged()[-3000:], SLOW)
    assert not scene.killed()
    assert "ends, and was not drained" not in execd.logged()
    assert marked and set(marked.values()) == {FIRST}, marked


def test_rights_that_are_taken_away(scene, plane):
    """Without its Role the scaler says so and takes nobody away; with it again it goes on."""
    execd = scene.scaler(minPods=2, maxPods=4)
    eventually(lambda: plane.scale("execd-worker") == 2, "two are asked for", SLOW)
    path = "/apis/rbac.authorization.k8s.io/v1/namespaces/%s/rolebindings" % NAMESPACE
    binding = plane.ok("GET", path + "/execd-scaler")
    plane.ok("DELETE", path + "/execd-scaler")
    eventually(lambda: shown(execd, "its role does not allow it: 403"), lambda: execd.logged()[-3000:], SLOW)
    assert plane.scale("execd-worker") == 2
    for k in ("resourceVersion", "uid", "creationTimestamp", "managedFields"):
        binding["metadata"].pop(k, None)
    plane.ok("POST", path, binding)
    tokens = work(execd, 20, 300)
    eventually(lambda: plane.scale("execd-worker") == 4, lambda: "it grows again\n" + execd.logged()[-3000:], SLOW)
    done(execd, tokens)


def test_token_rotation(scene, plane):
    """The token's Secret is deleted, which ends it; the file has another one by then.  Nobody notices."""
    secrets = "/api/v1/namespaces/%s/secrets" % NAMESPACE
    plane.ok("POST", secrets, {"metadata": {"name": "bound"}})
    old = plane.token("execd-scaler", "bound")
    scene.give_token(old)
    execd = scene.scaler()
    path = "/apis/apps/v1/namespaces/%s/deployments/execd-worker/scale" % NAMESPACE
    eventually(lambda: shown(execd, "scaling"), "it decides", SLOW)
    scene.give_token(plane.token("execd-scaler"))
    plane.ok("DELETE", secrets + "/bound")

    def refused():
        import requests
        return requests.get(plane.url + path, headers={"Authorization": "Bearer " + old}, verify=str(plane.ca),
                            timeout=10).status_code == 401
    eventually(refused, "the old token is refused", SLOW)
    tokens = work(execd, 12, 300)
    eventually(lambda: plane.scale("execd-worker") > 1, lambda: "it grows\n" + execd.logged()[-3000:], SLOW)
    done(execd, tokens)
    assert "scaler_blind" not in execd.logged() and old not in execd.logged()


def test_a_quota_that_refuses_pods(scene, plane):
    """Fewer pods than replicas: what is there works, nobody with a job goes, and all is well when there is room again."""
    path = "/api/v1/namespaces/%s/resourcequotas" % NAMESPACE
    eventually(lambda: len(plane.active()) == 1, "one pod", SLOW)
    plane.ok("POST", path, {"metadata": {"name": "two"}, "spec": {"hard": {"pods": "2"}}})
    eventually(lambda: plane.ok("GET", path + "/two").get("status", {}).get("used") == {"pods": "1"}, "it is counted", SLOW)
    execd = scene.scaler(maxPods=4)
    tokens = work(execd, 30, 500)
    eventually(lambda: plane.scale("execd-worker") == 4, "four are asked for", SLOW)
    done(execd, tokens)
    assert len(plane.active()) <= 2
    plane.ok("DELETE", path + "/two")
    eventually(lambda: plane.scale("execd-worker") == 1 and len(scene.kubelet.workers) == 1,
               lambda: "one is left\n" + execd.logged()[-3000:], SLOW)
    assert not scene.killed()


def test_edited_by_hand(scene, plane):
    """Somebody scales: it is held to maxPods again, and what is ended by us was drained."""
    execd = scene.scaler(maxPods=3)
    eventually(lambda: shown(execd, "scaling"), "it decides", SLOW)
    plane.scale("execd-worker", 5)
    eventually(lambda: shown(execd, "replicas=5 "), "it sees them", SLOW)
    eventually(lambda: plane.scale("execd-worker") == 1, lambda: "one is left\n" + execd.logged()[-3000:], SLOW)
    assert not scene.killed()


def test_two_scalers(scene, plane):
    """The one that leads is killed; the other goes on with what was decided."""
    one = scene.scaler()
    eventually(lambda: "scaler_leads" in one.logged(), "one leads", SLOW)
    two = scene.scaler()
    tokens = work(two, 12, 500)
    eventually(lambda: plane.scale("execd-worker") > 1, "it grows", SLOW)
    assert "scaler_leads" not in two.logged()
    one.kill()
    eventually(lambda: "scaler_leads" in two.logged(), "the other leads", SLOW)
    done(two, tokens)
    eventually(lambda: plane.scale("execd-worker") == 1, lambda: "one is left\n" + two.logged()[-3000:], SLOW)
    assert not scene.killed()
