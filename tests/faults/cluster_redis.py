"""A Redis Cluster in the place of the one Redis: the same questions, asked of all shards."""

import binascii
import time

from aof import Aof
from cluster import PASSWORD, Cluster
from history import History
from resp import Client, RedisError
from server import eventually

SHARDS = 6
SLOTS = 16384
STORE = b"{execd}:"  # how a question names a key of the store, whatever its shard's tag is


def slot_of(key):
    return binascii.crc_hqx(key[key.index(b"{") + 1:key.index(b"}")], 0) % SLOTS


def encoded(word):
    return word if isinstance(word, bytes) else str(word).encode()


def sum_of(fields):
    """Of several hashes of numbers: one."""
    total = {}
    for pairs in fields:
        for k, v in zip(pairs[::2], pairs[1::2]):
            total[k] = total.get(k, 0.0) + float(v)
    return [x for k, v in total.items() for x in (k, b"%f" % v)]


class ClusterClient:
    """As resp.Client; it knows the masters that there were when it was made."""

    def __init__(self, owners):
        self.owners = owners  # [(first slot, last slot, port)]
        self.masters = {port: Client(port) for _, _, port in owners}
        for c in self.masters.values():
            c("AUTH", PASSWORD)
        self.tags = sorted(k[:-len(b":count")] for k in self("KEYS", "*:count"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for c in self.masters.values():
            c.close()

    def _at(self, key):
        slot = slot_of(key)
        return next(self.masters[port] for first, last, port in self.owners if first <= slot <= last)

    def __call__(self, *args):
        if args[0] == "KEYS":
            return [k for c in self.masters.values() for k in c(*args)]
        if args[0] == "MEMORY":
            answers = [c(*args) for c in self.masters.values()]
            if args[1] == "PURGE":
                return answers[0]
            return [b"dataset.bytes", sum(dict(zip(a[::2], a[1::2]))[b"dataset.bytes"] for a in answers)]
        key = encoded(args[1])
        if not key.startswith(STORE):
            return self._at(key)(*args)
        keys = [tag + key[len(STORE) - 1:] for tag in self.tags]
        answers = [self._at(k)(args[0], k, *args[2:]) for k in keys]
        if args[0] == "HGETALL":
            return sum_of(answers)
        if isinstance(answers[0], int):
            return sum(answers)
        return next((a for a in answers if a is not None), None)

    def many(self, questions):
        answers = []
        for q in questions:
            try:
                answers.append(self(*q))
            except RedisError as e:
                answers.append(e)
        return answers


class ClusterRedis:
    """Three masters with so many replicas each."""

    def __init__(self, directory, replicas, timeout_ms):
        self.directory = directory
        directory.mkdir()
        self.cluster = Cluster(directory, replicas, timeout_ms)
        self.replicas = replicas
        self.down = []  # [when a master went, when its slots had one again]
        self.aofs = {n.port: Aof(n.directory) for n in self.cluster.nodes}

    def queue(self, _):
        return {"url": self.cluster.url, "password": PASSWORD, "shards": SHARDS}

    def owners(self):
        """(first slot, last slot, port) of each master, as a node says that is there."""
        node = next(n for n in self.cluster.nodes if n.process.poll() is None)
        with Client(node.port) as c:
            c("AUTH", PASSWORD)
            return [(first, last, master[1]) for first, last, master, *_ in c("CLUSTER", "SLOTS")]

    def whole(self):
        """Every slot has a master that is there, every replica what its master has."""
        alive = {n.port for n in self.cluster.nodes if n.process.poll() is None}
        try:
            owners = self.owners()
            if not all(port in alive for _, _, port in owners) or sum(b - a + 1 for a, b, _ in owners) != SLOTS:
                return False
            infos = [n.command("info", "replication") for n in self.cluster.nodes if n.port in alive]
            return all("cluster_state:ok" in n.command("cluster", "info") for n in self.cluster.nodes if n.port in alive) and (
                sum("master_link_status:up" in i for i in infos) == sum("role:slave" in i for i in infos))
        except (OSError, RedisError, AssertionError):
            return False

    def kill_master(self, port, pause_s, stays_away):
        """Its replica takes over while it is away, or it comes back with what its file has; when it died."""
        node = next(n for n in self.cluster.nodes if n.port == port)
        at = time.time()
        self.down.append([at, None])
        node.kill()
        if stays_away:
            eventually(lambda: self.whole() and port not in [p for _, _, p in self.owners()], "a replica takes over", 60)
            self.down[-1][1] = time.time()
        else:
            time.sleep(pause_s)
        assert node.start(), "a node does not start again"
        eventually(self.whole, "the cluster is whole again", 60)
        self.down[-1][1] = self.down[-1][1] or time.time()
        return at

    def client(self):
        return ClusterClient(self.owners())

    def call(self, *args):
        with self.client() as c:
            return c(*args)

    def history(self):
        """Each shard's, from the file of the master that it has now: a replica's has what it was told as well."""
        parts = [History(self.aofs[port].read(), self.aofs[port].when) for port in {port for _, _, port in self.owners()}]
        whole = parts[0]
        for h in parts[1:]:
            whole.jobs.update(h.jobs)
            whole.flushed |= h.flushed
            whole.ids.update(h.ids)
        return whole

    def stop(self):
        for a in self.aofs.values():
            a.stop()
        self.cluster.stop()
