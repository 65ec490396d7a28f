"""A Kubernetes control plane of the tests' own: etcd, kube-apiserver, kube-controller-manager, on free ports of the loopback.

Its nodes are tests/support/kube.py's Kubelet, which binds pods to one and runs each as a real worker process."""

import json
import os
import pathlib
import signal
import subprocess
import time

import requests
from kube import NAMESPACE, make_certificates
from server import end_with_us, eventually, free_port

CONTROLLERS = ("deployment-controller,replicaset-controller,statefulset-controller,serviceaccount-controller,"
               "resourcequota-controller,root-ca-certificate-publisher-controller")


class ControlPlane:
    def __init__(self, directory, binaries):
        self.directory, self.binaries = directory, pathlib.Path(binaries)
        self.processes = {}
        self.ca, self.cert, self.key = make_certificates(directory)
        self.admin = self.certificate("admin", "/O=system:masters/CN=admin")
        subprocess.run(["openssl", "genrsa", "-out", "account.key", "2048"], cwd=directory, check=True, capture_output=True)
        subprocess.run(["openssl", "rsa", "-in", "account.key", "-pubout", "-out", "account.pub"], cwd=directory, check=True,
                       capture_output=True)
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.verify, self.session.cert = str(self.ca), self.admin
        self.start_etcd()
        self.port = free_port()
        self.url = "https://127.0.0.1:%d" % self.port
        self.start_api()
        self.start_controllers()
        self.ok("POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}}, also=(409,))
        eventually(lambda: self.call("GET", "/api/v1/namespaces/%s/serviceaccounts/default" % NAMESPACE).status_code == 200,
                   "the namespace's account is made", 60)

    def certificate(self, name, subject):
        def openssl(*words):
            subprocess.run(["openssl", *words], cwd=self.directory, check=True, capture_output=True)
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject,
                "-keyout", name + ".key", "-out", name + ".csr")
        openssl("x509", "-req", "-in", name + ".csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-out", name + ".crt")
        return str(self.directory / (name + ".crt")), str(self.directory / (name + ".key"))

    # ---- processes ----

    def spawn(self, name, *command, stdin=subprocess.DEVNULL, stdout=None):
        log = open(self.directory / (name + ".log"), "ab")
        self.processes[name] = subprocess.Popen([str(w) for w in command], stdout=stdout or log, stderr=log, stdin=stdin,
                                                cwd=self.directory, preexec_fn=end_with_us,
                                                env={**os.environ, "ETCD_UNSUPPORTED_ARCH": "", "GOMAXPROCS": "2"})
        log.close()

    def log(self, name):
        return (self.directory / (name + ".log")).read_text(errors="replace")[-4000:]

    def alive(self, name):
        if self.processes[name].poll() is not None:
            raise AssertionError("%s ended:\n%s" % (name, self.log(name)))
        return True

    def start_etcd(self):
        client, peer = free_port(), free_port()
        self.etcd = "http://127.0.0.1:%d" % client
        self.spawn("etcd", "etcd", "--data-dir", "etcd", "--listen-client-urls", self.etcd, "--advertise-client-urls", self.etcd,
                   "--listen-peer-urls", "http://127.0.0.1:%d" % peer, "--initial-cluster", "default=http://127.0.0.1:%d" % peer,
                   "--initial-advertise-peer-urls", "http://127.0.0.1:%d" % peer, "--unsafe-no-fsync")

        def healthy():
            self.alive("etcd")
            try:
                return requests.get(self.etcd + "/health", timeout=2).json().get("health") == "true"
            except requests.RequestException:
                return False
        eventually(healthy, "etcd is healthy", 60)

    def start_api(self):
        """Below a shell that is there from the beginning: a test's own children are accounted for at its end."""
        if "kube-apiserver" not in self.processes:
            self.spawn_api()
        shell = self.processes["kube-apiserver"]
        shell.stdin.write(b"\n")
        shell.stdin.flush()
        self.api_pid = int(shell.stdout.readline())
        eventually(self.ready, lambda: "the API server is ready:\n" + self.log("kube-apiserver"), 180)

    def spawn_api(self):
        d = self.directory
        self.spawn("kube-apiserver", "sh", "-c", 'while read -r _; do setpriv --pdeathsig KILL "$@" >&2 & echo $!; wait $!; done', "sh",
                   self.binaries / "kube-apiserver", "--etcd-servers", self.etcd, "--bind-address", "127.0.0.1",
                   "--secure-port", self.port, "--endpoint-reconciler-type", "none", "--service-cluster-ip-range", "10.0.0.0/24",
                   "--tls-cert-file", self.cert, "--tls-private-key-file", self.key, "--client-ca-file", self.ca,
                   "--authorization-mode", "RBAC", "--service-account-issuer", "https://kubernetes.default.svc",
                   "--service-account-key-file", d / "account.pub", "--service-account-signing-key-file", d / "account.key",
                   stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ready(self):
        if not os.path.exists("/proc/%d" % self.api_pid):
            raise AssertionError("kube-apiserver ended:\n" + self.log("kube-apiserver"))
        try:
            return self.call("GET", "/readyz").status_code == 200
        except requests.RequestException:
            return False

    def start_controllers(self):
        config = self.directory / "admin.kubeconfig"
        config.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": self.url, "certificate-authority": str(self.ca)}}],
            "users": [{"name": "a", "user": {"client-certificate": self.admin[0], "client-key": self.admin[1]}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}]}))
        self.spawn("kube-controller-manager", self.binaries / "kube-controller-manager", "--kubeconfig", config, "--secure-port", 0,
                   "--leader-elect=false", "--controllers", CONTROLLERS, "--root-ca-file", self.ca,
                   "--service-account-private-key-file", self.directory / "account.key")

    def kill_api(self):
        os.kill(self.api_pid, signal.SIGKILL)
        eventually(lambda: not os.path.exists("/proc/%d" % self.api_pid), "the API server is gone")

    def close(self):
        shell = self.processes["kube-apiserver"]
        self.kill_api()
        shell.stdin.close()
        shell.stdout.close()
        for p in reversed(list(self.processes.values())):
            p.kill()
            p.wait()
        self.session.close()

    # ---- what an operator does ----

    def call(self, method, path, body=None, kind="application/json"):
        return self.session.request(method, self.url + path, timeout=10, headers={"Content-Type": kind},
                                    data=None if body is None else json.dumps(body))

    def ok(self, method, path, body=None, kind="application/json", also=()):
        end = time.monotonic() + 30
        while True:  # kubectl's patience with a server that has just begun
            r = self.call(method, path, body, kind)
            if r.status_code in (403, 429, 500, 503) and time.monotonic() < end:
                time.sleep(0.2)
                continue
            assert r.status_code < 300 or r.status_code in also, "%s %s: %s" % (method, path, r.text)
            return r.json()

    def pods(self):
        return self.ok("GET", "/api/v1/namespaces/%s/pods" % NAMESPACE)["items"]

    def active(self):
        return [p["metadata"]["name"] for p in self.pods() if "deletionTimestamp" not in p["metadata"]]

    def scale(self, name, replicas=None):
        path = "/apis/apps/v1/namespaces/%s/deployments/%s/scale" % (NAMESPACE, name)
        if replicas is not None:
            self.ok("PATCH", path, {"spec": {"replicas": replicas}}, "application/merge-patch+json")
        return self.ok("GET", path)["spec"].get("replicas", 0)

    def apply(self, document, dry_run=False, namespace=NAMESPACE):
        """kubectl apply --server-side, or --dry-run=server."""
        kind, name = document["kind"], document["metadata"]["name"]
        group = document["apiVersion"]
        base = ("/api/" if "/" not in group else "/apis/") + group
        plural = kind.lower() + ("es" if kind.endswith("ss") else "s")
        spaced = "" if kind in ("RuntimeClass", "Namespace") else "/namespaces/" + namespace
        self.ok("PATCH", "%s%s/%s/%s?fieldManager=tests&force=true%s" % (base, spaced, plural, name,
                                                                        "&dryRun=All" if dry_run else ""),
                document, "application/apply-patch+yaml")

    def token(self, account, bound_to=None):
        body = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 600}}
        if bound_to:
            body["spec"]["boundObjectRef"] = {"kind": "Secret", "apiVersion": "v1", "name": bound_to}
        return self.ok("POST", "/api/v1/namespaces/%s/serviceaccounts/%s/token" % (NAMESPACE, account), body)["status"]["token"]
