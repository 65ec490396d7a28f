"""What tests of scaler-k8s share: a kubelet whose pods are real workers, certificates, kubeconfigs, and FakeApi.

FakeApi is a server of the tests' own that speaks as much of the Kubernetes API as the scaler and that kubelet need, as its
documentation says; it is there to fail in ways that a real one does not on demand.  What proves that the plugin works with
Kubernetes is tests/kubernetes, which runs against a real API server."""

import http.server
import json
import re
import signal
import ssl
import subprocess
import threading
import time
import urllib.parse

import requests
from server import PATIENCE, Execd

COST = "controller.kubernetes.io/pod-deletion-cost"
FIRST = "-2147483648"
NAMESPACE = "jobs"


def make_certificates(directory):
    """A CA, and a certificate for 127.0.0.1 that is signed by it."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
            "-subj", "/CN=a test's CA", "-keyout", "ca.key", "-out", "ca.crt")
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=server",
            "-keyout", "server.key", "-out", "server.csr")
    (directory / "san").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "san", "-out", "server.crt")
    return directory / "ca.crt", directory / "server.crt", directory / "server.key"


def write_kubeconfig(path, url, ca, **user):
    path.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "test",
        "clusters": [{"name": "test", "cluster": {"server": url, "certificate-authority": str(ca)}}],
        "users": [{"name": "test", "user": user}],
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test", "namespace": NAMESPACE}}]}))
    return path


class Kubelet:
    """Runs each pod that it finds as a worker process, in a UTS namespace with the pod's name, and tells how it is.

    `conf(name, number)` is the worker's configuration.  A pod that is deleted gets SIGTERM, and is gone when its process is."""

    def __init__(self, api, directory, conf, namespace=NAMESPACE, ready=lambda name: True, **session):
        self.base = "%s/api/v1/namespaces/%s/pods" % (api, namespace)
        self.session = requests.Session()
        self.session.trust_env = False  # REQUESTS_CA_BUNDLE would be believed instead of what is given here
        for k, v in session.items():
            setattr(self.session, k, v)
        self.directory, self.conf, self.ready = directory, conf, ready
        self.failed = None
        self.workers, self.told, self.ends = {}, {}, {}
        self.all = {}  # every worker that there ever was
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.loop, daemon=True)
        self.thread.start()

    def loop(self):
        while not self.stopping.wait(0.1):
            try:
                self.turn()
            except (requests.RequestException, ValueError) as e:
                self.failed = e  # the API server is away; kubelets go on over that

    def turn(self):
        r = self.session.get(self.base, timeout=5)
        if r.status_code != 200:
            return
        for pod in r.json()["items"]:
            name = pod["metadata"]["name"]
            if not pod["spec"].get("nodeName"):
                self.bind(name)
                continue
            if name not in self.all:
                self.start(name)
            if pod["metadata"].get("deletionTimestamp"):
                self.end(name)
            else:
                self.tell(name)

    def bind(self, name):
        """A scheduler's part: there is one node, and it has room."""
        self.session.post("%s/%s/binding" % (self.base, name), timeout=5, headers={"Content-Type": "application/json"},
                          data=json.dumps({"apiVersion": "v1", "kind": "Binding", "metadata": {"name": name},
                                           "target": {"apiVersion": "v1", "kind": "Node", "name": "node"}}))

    def start(self, name):
        directory = self.directory / name
        directory.mkdir()
        number = len(self.all)
        self.all[name] = self.workers[name] = Execd(
            directory, self.conf(name, number), roles="worker",
            prefix=["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', name])

    def tell(self, name):
        ready = "True" if self.ready(name) else "False"
        if self.told.get(name) == ready:
            return
        r = self.session.patch("%s/%s/status" % (self.base, name), timeout=5,
                               headers={"Content-Type": "application/strategic-merge-patch+json"}, data=json.dumps(
                                   {"status": {"phase": "Running", "conditions": [{"type": "Ready", "status": ready}]}}))
        if r.status_code == 200:
            self.told[name] = ready

    def end(self, name):
        worker = self.workers.get(name)
        if worker and name not in self.ends:
            worker.process.send_signal(signal.SIGTERM)
            self.ends[name] = time.monotonic()
        if not worker or worker.process.poll() is not None:
            if worker:
                worker.close()
                del self.workers[name]
            self.session.delete("%s/%s?gracePeriodSeconds=0" % (self.base, name), timeout=5)

    def logs(self):
        return {name: w.logged() for name, w in self.all.items()}

    def close(self):
        self.stopping.set()
        self.thread.join(PATIENCE)
        for w in self.workers.values():
            w.process.terminate()
        for w in self.workers.values():
            w.process.wait(PATIENCE)
            w.close()
        self.session.close()


def merge(target, patch):
    """RFC 7386."""
    for k, v in patch.items():
        if v is None:
            target.pop(k, None)
        elif isinstance(v, dict):
            merge(target.setdefault(k, {}), v)
        else:
            target[k] = v


class FakeApi(http.server.ThreadingHTTPServer):
    """`fault(method, path)`: None, a status, (status, headers), or "drop".  `tokens`: who may speak; empty: everybody."""

    daemon_threads = True
    page = 2

    def __init__(self, directory, replicas=1, stateful=False):
        super().__init__(("127.0.0.1", 0), Handler)
        self.ca, cert, key = make_certificates(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.stateful = stateful
        self.resource = "statefulsets" if stateful else "deployments"
        self.changed = threading.Condition()
        self.version = 1000
        self.oldest = 0  # versions below are forgotten
        self.scale = {"replicas": replicas, "version": 1000}
        self.pods, self.events = {}, []
        self.deleted = []  # what was deleted by the controller, as it was then
        self.made = 0
        self.tokens, self.fault = set(), lambda method, path: None
        self.seen = []
        self.cut = 0  # watches that began before this number end
        self.watches = 0
        self.cpu = {}  # metrics.k8s.io; empty: it is not there
        with self.changed:
            self.reconcile()
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self):
        return "https://127.0.0.1:%d" % self.server_address[1]

    def handle_error(self, request, client_address):
        pass  # a client that hangs up is what some tests are about

    # ---- with self.changed held ----

    def put(self, kind, pod):
        self.version += 1
        pod["metadata"]["resourceVersion"] = str(self.version)
        self.events.append((self.version, kind, json.loads(json.dumps(pod))))
        self.changed.notify_all()

    def make_pod(self, owner="rs-1"):
        self.made += 1
        ordinals = {int(n.rsplit("-", 1)[1]) for n in self.pods} if self.stateful else ()
        name = "workers-%s" % (next(i for i in range(1000) if i not in ordinals) if self.stateful
                               else "5d4f6c8b9-%05d" % self.made)
        pod = {"metadata": {"name": name, "annotations": {},
                            "ownerReferences": [{"uid": owner, "controller": True}]},
               "spec": {"nodeName": "n", "containers": [{"resources": {"limits": {"cpu": "1"}}}]},
               "status": {"phase": "Pending"}}
        self.pods[name] = pod
        self.put("ADDED", pod)

    def rank(self, pod):
        if self.stateful:
            return -int(pod["metadata"]["name"].rsplit("-", 1)[1])
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))
        return (pod["status"]["phase"] != "Pending", ready, int(pod["metadata"]["annotations"].get(COST, 0)),
                -int(pod["metadata"]["name"].rsplit("-", 1)[1]))

    def reconcile(self):
        active = [p for p in self.pods.values() if "deletionTimestamp" not in p["metadata"]]
        for _ in range(len(active), self.scale["replicas"]):
            self.make_pod()
        for pod in sorted(active, key=self.rank)[:max(0, len(active) - self.scale["replicas"])]:
            self.deleted.append(json.loads(json.dumps(pod)))
            pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
            self.put("MODIFIED", pod)

    # ---- from tests ----

    def set_replicas(self, replicas):
        """kubectl scale."""
        with self.changed:
            self.version += 1
            self.scale = {"replicas": replicas, "version": self.version}
            self.reconcile()

    def forget(self):
        """As etcd's compaction: who comes with what was known is sent away with 410."""
        with self.changed:
            self.version += 1
            self.oldest = self.version
            self.events.clear()
            self.changed.notify_all()

    def cut_watches(self):
        with self.changed:
            self.cut = self.watches
            self.changed.notify_all()

    def close(self):
        self.shutdown()
        self.cut_watches()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status, body, headers=()):
        raw = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        for k, v in dict(headers).items():
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(raw)

    def status(self, code, message, headers=()):
        self.reply(code, {"kind": "Status", "status": "Failure", "code": code, "message": message}, headers)

    def do_any(self):
        api = self.server
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query))
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kubelet = self.headers.get("User-Agent", "").startswith("python")
        if not kubelet:
            api.seen.append((self.command, self.path, body.decode()))
            said = api.fault(self.command, self.path)
            if said == "drop":
                self.close_connection = True
                return
            if said:
                code, headers = said if isinstance(said, tuple) else (said, {})
                self.status(code, "the test says %d" % code, headers)
                return
            if api.tokens and self.headers.get("Authorization", "")[len("Bearer "):] not in api.tokens:
                self.status(401, "Unauthorized")
                return
        if parts.path == "/apis/apps/v1/namespaces/%s/%s/workers/scale" % (NAMESPACE, api.resource):
            self.do_scale(body)
        elif parts.path == "/apis/metrics.k8s.io/v1beta1/namespaces/%s/pods" % NAMESPACE and api.cpu:
            self.reply(200, {"items": [{"metadata": {"name": n}, "containers": [{"usage": {"cpu": c}}]}
                                       for n, c in api.cpu.items()]})
        elif parts.path == "/api/v1/namespaces/%s/pods" % NAMESPACE and "watch" in query:
            self.do_watch(int(query["resourceVersion"]), float(query["timeoutSeconds"]))
        elif parts.path == "/api/v1/namespaces/%s/pods" % NAMESPACE:
            self.do_list(query)
        elif re.fullmatch("/api/v1/namespaces/%s/pods/[^/]+(/status)?" % NAMESPACE, parts.path):
            self.do_pod(parts.path.split("/")[6], body)
        else:
            self.status(404, "not found")

    do_GET = do_PATCH = do_DELETE = do_any

    def do_scale(self, body):
        api = self.server
        with api.changed:
            if self.command == "PATCH":
                patch = json.loads(body)
                if patch.get("metadata", {}).get("resourceVersion", str(api.scale["version"])) != str(api.scale["version"]):
                    self.status(409, "the object has been modified")
                    return
                api.version += 1
                api.scale = {"replicas": patch["spec"]["replicas"], "version": api.version}
                api.reconcile()
            spec = {"replicas": api.scale["replicas"]} if api.scale["replicas"] else {}  # as omitempty
            self.reply(200, {"kind": "Scale", "metadata": {"resourceVersion": str(api.scale["version"])}, "spec": spec,
                             "status": {"replicas": len(api.pods), "selector": "app=workers,tier in (a,b)"}})

    def do_list(self, query):
        api = self.server
        with api.changed:
            names = sorted(api.pods)
            begin = int(query.get("continue", 0))
            end = begin + api.page if "limit" in query else len(names)
            self.reply(200, {"items": [api.pods[n] for n in names[begin:end]], "metadata": {
                "resourceVersion": str(api.version), **({"continue": str(end)} if end < len(names) else {})}})

    def do_pod(self, name, body):
        api = self.server
        with api.changed:
            pod = api.pods.get(name)
            if not pod:
                self.status(404, "pods \"%s\" not found" % name)
                return
            if self.command == "DELETE":
                del api.pods[name]
                api.put("DELETED", pod)
                api.reconcile()
            else:
                merge(pod, json.loads(body))
                api.put("MODIFIED", pod)
            self.reply(200, pod)

    def chunk(self, raw):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(raw), raw))

    def event(self, kind, obj):
        raw = json.dumps({"type": kind, "object": obj}).encode() + b"\n"
        self.chunk(raw[:7])  # an event may come in pieces
        self.wfile.flush()
        self.chunk(raw[7:])
        self.wfile.flush()

    def do_watch(self, version, seconds):
        api = self.server
        end = time.monotonic() + seconds
        gone = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old resource version"}
        with api.changed:
            if version < api.oldest:
                self.reply(410, gone)
                return
            api.watches += 1
            number = api.watches
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        while time.monotonic() < end:
            with api.changed:
                if number <= api.cut:
                    self.close_connection = True
                    return
                if version < api.oldest:
                    ready, version = [("ERROR", gone)], api.version
                else:
                    ready = [(k, o) for v, k, o in api.events if v > version]
                    version = api.version
                if not ready and not api.changed.wait(0.3):
                    ready = [("BOOKMARK", {"kind": "Pod", "metadata": {"resourceVersion": str(version)}})]
            for kind, obj in ready:
                self.event(kind, obj)
        self.chunk(b"")
