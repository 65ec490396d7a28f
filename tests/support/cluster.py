"""A Redis Cluster of the test's own: three masters with a replica each, made by redis-cli as an operator would."""

import os
import subprocess
import threading

from server import PATIENCE, end_with_us, eventually, free_port

MASTERS = 3
PASSWORD = "a-password-of-the-tests"


class Node:
    def __init__(self, directory, timeout_ms, tls):
        self.directory, self.tls = directory, tls
        directory.mkdir()
        for _ in range(20):
            self.port, bus = free_port(), free_port()
            (directory / "redis.conf").write_text(
                "%s\ncluster-port %d\nbind 127.0.0.1\nrequirepass %s\nmasterauth %s\nappendonly yes\nappendfsync always\n"
                "save \"\"\ndir %s\ncluster-enabled yes\ncluster-node-timeout %d\ncluster-require-full-coverage no\n"
                % (self._listen(), bus, PASSWORD, PASSWORD, directory, timeout_ms))
            if self.start():
                return  # else somebody took a port: others
        raise AssertionError("redis-server did not start")

    def _listen(self):
        if not self.tls:
            return "port %d" % self.port
        return ("port 0\ntls-port %d\ntls-cluster yes\ntls-replication yes\ntls-auth-clients no\ntls-cert-file %s\n"
                "tls-key-file %s\ntls-ca-cert-file %s" % (self.port, *self.tls, self.tls[0]))

    def start(self):
        self.process = subprocess.Popen(["redis-server", str(self.directory / "redis.conf")], stdout=subprocess.PIPE, text=True,
                                        preexec_fn=end_with_us)
        for line in self.process.stdout:
            if "eady to accept" in line:
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return True
        self.process.wait()
        return False

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def command(self, *words):
        return cli(self.tls, "-p", str(self.port), *words)


def cli(tls, *words):
    by = ["--tls", "--cacert", str(tls[0])] if tls else []
    r = subprocess.run(["redis-cli", *by, *words], env=dict(os.environ, REDISCLI_AUTH=PASSWORD), capture_output=True, text=True,
                       timeout=PATIENCE)
    assert r.returncode == 0, r.stdout + r.stderr
    return r.stdout.strip()


class Cluster:
    """`tls`: the files of its nodes' certificate, which is its own authority, and of the key."""

    password = PASSWORD

    def __init__(self, directory, replicas=0, timeout_ms=3000, tls=None):
        self.nodes, self.tls = [], tls
        try:
            for i in range(MASTERS * (1 + replicas)):
                self.nodes.append(Node(directory / ("node%d" % i), timeout_ms, tls))
            cli(tls, "--cluster", "create", *("127.0.0.1:%d" % n.port for n in self.nodes), "--cluster-replicas", str(replicas),
                "--cluster-yes")
            for n in self.nodes:
                eventually(lambda: "cluster_state:ok" in n.command("cluster", "info"), "the cluster is one")
            for n in self.nodes[MASTERS:]:
                eventually(lambda: "master_link_status:up" in n.command("info", "replication"), "replicas have what masters have")
        except BaseException:
            self.stop()
            raise

    @property
    def url(self):
        return "cluster%s://127.0.0.1:%d,127.0.0.1:%d" % ("s" if self.tls else "", self.nodes[0].port, self.nodes[1].port)

    def keys(self, node):
        return int(self.nodes[node].command("dbsize"))

    def id_of(self, node):
        return self.nodes[node].command("cluster", "myid")

    def move_slot(self, slot, giver, taker):
        """By redis-cli, which moves the keys a few at a time, while everybody goes on."""
        g, t = self.nodes[giver], self.nodes[taker]
        t.command("cluster", "setslot", str(slot), "importing", self.id_of(giver))
        g.command("cluster", "setslot", str(slot), "migrating", self.id_of(taker))
        while keys := g.command("cluster", "getkeysinslot", str(slot), "10").split():
            assert g.command("migrate", "127.0.0.1", str(t.port), "", "0", "10000", "auth", PASSWORD, "keys", *keys) in ("OK", "NOKEY")
        for n in (t, g, *self.nodes):
            if n.process.poll() is None and "role:master" in n.command("info", "replication"):
                n.command("cluster", "setslot", str(slot), "node", self.id_of(taker))

    def stop(self):
        for n in self.nodes:
            n.kill()
