"""A Redis Cluster: jobs are on all its masters, and every accepted one ends, whatever becomes of slots and masters."""

import pathlib
import shutil
import tempfile
import threading
import time

import pytest
from cluster import MASTERS, Cluster
from server import PATIENCE, C, certificate, eventually

ANSWER = "#include <stdio.h>\nint main(void) { puts(\"%d\"); return 0; }"
PLUGINS = [{"file": "lang-c.so"}]
SHARDS = 2 * MASTERS


def conf(cluster, **queue):
    tls = {"tls_ca": str(cluster.tls[0])} if cluster.tls else {}
    return {"plugins": PLUGINS, "queue": {"url": cluster.url, "password": cluster.password, "shards": SHARDS, **tls, **queue},
            "worker": {"heartbeat_ms": 500}}


@pytest.fixture
def cluster(request):
    """execd's user, who is not root, reads its certificate; parameters: Cluster's, and whether it has TLS."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-cluster-"))
    directory.chmod(0o755)
    how = dict(getattr(request, "param", {}))
    how["tls"] = certificate(directory) if how.get("tls") else None
    c = Cluster(directory, **how)
    yield c
    c.stop()
    shutil.rmtree(directory)


BY_TLS = pytest.mark.parametrize("cluster", [{"tls": False}, {"tls": True}], ids=["plain", "tls"], indirect=True)


class Load:
    """Submits one job after another until it is ended; remembers which were accepted, and which were refused."""

    def __init__(self, server):
        self.server, self.accepted, self.refused = server, [], []
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.go)
        self.thread.start()

    def go(self):
        n = 0
        while not self.over.is_set():
            n += 1
            r = self.server.request("POST", "/v1/jobs", json={"language_id": C, "source_code": ANSWER % (n % 5)})
            if r.status_code in (201, 202):
                self.accepted.append((r.json()["token"], n % 5))
            else:
                assert r.status_code == 503, (r.status_code, r.text)  # unsure or away: never anything else
                self.refused.append(r.json())
            self.over.wait(0.02)

    def more(self, count):
        wanted = len(self.accepted) + count
        eventually(lambda: len(self.accepted) >= wanted, "%d more are accepted" % count)

    def end(self):
        self.over.set()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def result(server, token):
    """As Execd.result(), which takes no 503 for an answer."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        r = server.request("GET", "/v1/jobs/%s?wait=5" % token)
        if r.status_code == 200 and r.json()["status"] not in ("queued", "running"):
            return r.json()
        assert r.status_code in (200, 503), r.text
    raise AssertionError("job %s did not end: %s" % (token, r.text[:500]))


def all_end(server, load):
    for token, n in load.accepted:
        r = result(server, token)
        assert r["status"] == "completed" and r["stdout"] == "%d\n" % n, (token, r)


@BY_TLS
def test_jobs_are_on_all_masters(start, cluster):
    s = start(conf(cluster))
    tokens = [s.submit({"language_id": C, "source_code": ANSWER % i})[0] for i in range(2 * SHARDS)]
    for i, token in enumerate(tokens):
        assert s.result(token)["stdout"] == "%d\n" % i
    assert len(s.submit(*[{"language_id": C, "source_code": ANSWER % 1}] * 5)) == 5
    assert all(cluster.keys(node) > 0 for node in range(MASTERS)), [cluster.keys(n) for n in range(MASTERS)]
    assert s.request("GET", "/health").status_code == 200


@BY_TLS
def test_slots_move_under_load(start, cluster):
    """Each shard's slot goes to the next master: no accepted job is lost, and none is run by halves."""
    s = start(conf(cluster))
    load = Load(s)
    try:
        load.more(20)
        slots = {}
        for node in range(MASTERS):
            n = cluster.nodes[node]
            for key in n.command("--scan", "--pattern", "{execd*:count").split():
                slots[int(n.command("cluster", "keyslot", key))] = node
        assert len(slots) == SHARDS, slots
        for slot, node in slots.items():
            cluster.move_slot(slot, node, (node + 1) % MASTERS)
            load.more(5)
    finally:
        load.end()
    all_end(s, load)
    for node in range(MASTERS):
        for key in cluster.nodes[node].command("--scan", "--pattern", "{execd*:count").split():
            assert slots[int(cluster.nodes[node].command("cluster", "keyslot", key))] == (node - 1) % MASTERS


@pytest.mark.parametrize("cluster", [{"replicas": 1}, {"replicas": 1, "tls": True}], ids=["plain", "tls"], indirect=True)
def test_master_dies_under_load(start, cluster):
    """Its replica takes over; what was accepted before the replica had it may be lost, by as much as replicas are behind: here
    nothing is, because the load stands still when the master dies.  The other masters' jobs never wait for that."""
    s = start(conf(cluster, lease_ms=3000))
    load = Load(s)
    try:
        load.more(20)
        load.end()
        first = load
        assert cluster.nodes[1].command("wait", "1", "10000") == "1"
        cluster.nodes[1].kill()
        load = Load(s)
        load.more(40)
        eventually(lambda: any("role:master" in n.command("info", "replication") for n in cluster.nodes[MASTERS:]),
                   "a replica takes over")
        eventually(lambda: s.request("GET", "/health").status_code == 200, "all is well again")
        load.more(20)
    finally:
        load.end()
    all_end(s, first)
    all_end(s, load)
