"""A master, a replica and three sentinels of the test's own, all with passwords; `redis-server --sentinel` is redis-sentinel."""

import os
import subprocess
import threading

from server import PATIENCE, end_with_us, eventually, free_port

SENTINELS, QUORUM = 3, 2
NAME = "jobs"  # what sentinels call the master
PASSWORD, SENTINEL_PASSWORD = "a-password-of-the-tests", "another-one-of-sentinels"


class Server:
    """`text`: of its configuration, but for where it listens.  A sentinel writes its own file again, so it is made once."""

    def __init__(self, directory, text, password, tls, args=()):
        self.directory, self.password, self.tls, self.args = directory, password, tls, args
        directory.mkdir()
        for _ in range(20):
            self.port = free_port()
            (directory / "redis.conf").write_text(
                "%s\nbind 127.0.0.1\ndir %s\nrequirepass %s\n%s\n" % (self._listen(), directory, password, text))
            if self.start():
                return  # else somebody took the port: another one
        raise AssertionError("redis-server did not start")

    def _listen(self):
        if not self.tls:
            return "port %d" % self.port
        return ("port 0\ntls-port %d\ntls-replication yes\ntls-auth-clients no\ntls-cert-file %s\ntls-key-file %s\n"
                "tls-ca-cert-file %s" % (self.port, *self.tls, self.tls[0]))

    def start(self):
        """Also again, after an end of it; false if it ended at once."""
        self.process = subprocess.Popen(["redis-server", str(self.directory / "redis.conf"), *self.args], stdout=subprocess.PIPE,
                                        text=True, preexec_fn=end_with_us)
        for line in self.process.stdout:
            if "eady to accept" in line or "+monitor" in line:
                threading.Thread(target=self.process.stdout.read, daemon=True).start()
                return True
        self.process.wait()
        return False

    @property
    def alive(self):
        return self.process.poll() is None

    def kill(self):
        self.process.kill()
        self.process.wait(PATIENCE)

    def command(self, *words):
        by = ["--tls", "--cacert", str(self.tls[0])] if self.tls else []
        r = subprocess.run(["redis-cli", *by, "-p", str(self.port), *words], env=dict(os.environ, REDISCLI_AUTH=self.password),
                           capture_output=True, text=True, timeout=PATIENCE)
        assert r.returncode == 0, r.stdout + r.stderr
        return r.stdout.strip()


class Sentinels:
    """`tls`: the files of the servers' certificate, which is its own authority, and of the key.  `down_ms`: how long a master
    says nothing before a sentinel takes it for dead; `vote_ms`: a vote that nobody won is repeated after twice that."""

    def __init__(self, directory, down_ms=1000, vote_ms=2000, tls=None):
        self.servers, self.sentinels, self.tls = [], [], tls
        try:
            for i in range(2):
                text = "masterauth %s\nappendonly yes\nappendfsync always\nsave \"\"\nrepl-diskless-sync-delay 0\n" % PASSWORD
                if i > 0:
                    text += "replicaof 127.0.0.1 %d\n" % self.servers[0].port
                self.servers.append(Server(directory / ("server%d" % i), text, PASSWORD, tls))
            eventually(self.replicated, "the replica has what the master has")
            for i in range(SENTINELS):
                self.sentinels.append(Server(directory / ("sentinel%d" % i), self._watches(down_ms, vote_ms), SENTINEL_PASSWORD, tls,
                                             ["--sentinel"]))
            eventually(self.agreed, "sentinels know each other and the replica")
        except BaseException:
            self.stop()
            raise

    def _watches(self, down_ms, vote_ms):
        return ("sentinel monitor {0} 127.0.0.1 {1} {2}\nsentinel auth-pass {0} {3}\nsentinel down-after-milliseconds {0} {4}\n"
                "sentinel failover-timeout {0} {5}\nsentinel parallel-syncs {0} 1").format(
                    NAME, self.servers[0].port, QUORUM, PASSWORD, down_ms, vote_ms)

    @property
    def queue(self):
        """What execd is told."""
        nodes = ",".join("127.0.0.1:%d" % s.port for s in self.sentinels)
        return {"url": "sentinel%s://%s/%s/0" % ("s" if self.tls else "", nodes, NAME), "password": PASSWORD,
                "sentinel_password": SENTINEL_PASSWORD, **({"tls_ca": str(self.tls[0])} if self.tls else {})}

    def agreed(self):
        for s in self.sentinels:
            words = s.command("sentinel", "master", NAME).split("\n")
            facts = dict(zip(words[::2], words[1::2]))
            if facts["flags"] != "master" or facts["num-slaves"] != "1" or facts["num-other-sentinels"] != str(SENTINELS - 1):
                return False
        return True

    def master(self):
        """The server that all sentinels name, or None while they differ."""
        ports = {s.command("sentinel", "get-master-addr-by-name", NAME).split("\n")[1] for s in self.sentinels}
        return next((s for s in self.servers if {str(s.port)} == ports), None)

    def replicated(self):
        """One is the master, the other has all of it and goes on."""
        infos = [s.command("info", "replication") for s in self.servers if s.alive]
        return sum("role:master" in i for i in infos) == 1 and sum("master_link_status:up" in i for i in infos) == 1

    def taken_over(self, dead):
        """All sentinels name another one than `dead`, and it takes writes."""
        m = self.master()
        return m is not None and m is not dead and "role:master" in m.command("info", "replication")

    def stop(self):
        for s in self.sentinels + self.servers:
            s.kill()
