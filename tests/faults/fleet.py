"""What faults happen to: one Redis, a relay before it, execd in roles, each a process that a supervisor starts again."""

import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

from aof import Aof
from cluster_redis import ClusterRedis
from history import History
from proxy import Proxy
from resp import Client, RedisError
from sentinel_redis import SentinelRedis
from server import BUILD, Execd, children_of, command_name, end_with_us, eventually

REDIS_PORT, PROXY_PORT = 7000, 7001  # of a network namespace of our own, below those that the kernel gives away
RESTART_S = 0.1  # systemd's RestartSec
ENDS = {"kill", "kill_jailer", "term"}  # faults after which a process may end; after all others it has to go on
PATIENCE_S = 30  # how long a start waits for Redis (app.c, STORE_PATIENCE_MS)
PRELOAD = BUILD.resolve() / "tests/faults/redis-disk.so"
PLUGINS = [{"file": "lang-c.so"}]


def small(folder, kb):
    """A folder; with `kb` a file system of its own, of that size, in a mount namespace that ends with us."""
    folder.mkdir(parents=True)
    if kb:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=%dk,mode=0755" % kb, "faults", str(folder)], check=True)


class Redis:
    """A redis-server that can be killed, and starts again with what its disk kept."""

    BASE = {"bind": "127.0.0.1", "save": '""', "appendonly": "yes", "auto-aof-rewrite-percentage": "0",
            "maxmemory-policy": "noeviction", "hash-max-listpack-value": "512", "enable-debug-command": "yes",
            "enable-protected-configs": "yes",
            "busy-reply-threshold": "200"}

    def __init__(self, directory, fsync="always", extra=None, disk=False, disk_kb=0):
        self.directory = pathlib.Path(directory)
        small(self.directory, disk_kb)
        self.conf = dict(self.BASE, port=REDIS_PORT, dir=self.directory, appendfsync=fsync, **(extra or {}))
        self.env = dict(os.environ)
        self.synced, self.clock = self.directory.parent / "synced", self.directory.parent / "clock"
        self.clock.write_bytes(bytes(8))
        if disk:  # the shim tells what was synced, and moves the server's clock
            self.env.update(LD_PRELOAD=str(PRELOAD), EXECD_FAULTS_SYNCED=str(self.synced),
                            EXECD_FAULTS_CLOCK=str(self.clock))
        self.process = None
        self.down = []  # [when it went, when it was back]
        self.written = Aof(self.directory)

    @property
    def aof(self):
        return self.written.files()[0]  # nothing rewrites it

    def history(self):
        return History(self.written.read(), self.written.when)

    def queue(self, port):
        """What execd is told of it, which reaches it by that port of the relay."""
        return {"url": "redis://127.0.0.1:%d/0" % port}

    def start(self, wait=True):
        command = ["redis-server"]
        for key, value in self.conf.items():
            command += ["--" + key, str(value) if value != '""' else ""]
        with open(self.directory.parent / "redis.log", "ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=self.env,
                                            preexec_fn=end_with_us, cwd=self.directory)
        if wait:
            eventually(self.answers, "redis-server answers")  # it reads its whole file first
            if self.down and self.down[-1][1] is None:
                self.down[-1][1] = time.time()
        return self

    def answers(self):
        try:
            with Client(REDIS_PORT, 5) as c:
                return c("PING") == b"PONG"
        except (OSError, RedisError):
            return False

    def client(self):
        return Client(REDIS_PORT)

    def call(self, *args):
        with self.client() as c:
            return c(*args)

    def gone(self):
        self.down.append([time.time(), None])

    def kill(self):
        self.gone()
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.written.stop()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class Role:
    """One execd of one role; started again whenever it ends, unless it is held."""

    def __init__(self, fleet, name, roles, conf, env=None, prefix=()):
        self.fleet, self.name, self.roles, self.conf, self.env, self.prefix = fleet, name, roles, conf, env, prefix
        self.directory = fleet.directory / name
        self.directory.mkdir()
        self.execd, self.url, self.started = None, None, 0.0
        self.up, self.ended = threading.Event(), threading.Event()
        self.held = self.stopping = False
        self.thread = threading.Thread(target=self._supervise, daemon=True)
        self.thread.start()

    @property
    def pid(self):
        return self.execd.pid

    def _supervise(self):
        while not self.stopping:
            if self.held:
                time.sleep(0.02)
                continue
            self.ended.clear()
            self.execd = Execd(self.directory, self.conf, roles=self.roles, env=self.env, prefix=self.prefix,
                               args=("--state", str(self.fleet.state)))
            self.started = time.time()
            self.fleet.pids.add(self.execd.pid)
            line = self.execd.process.stdout.readline().decode()
            if line.startswith("execd ready"):
                self.url = line.split(" on ")[1].strip() if " on " in line else None
                self.up.set()
            self.execd.process.wait()
            self.execd.close()
            self.fleet.ended(self, self.execd.process.returncode)
            self.up.clear()
            self.ended.set()
            if not self.stopping:
                time.sleep(RESTART_S)

    def logged(self):
        return (self.directory / "execd.log").read_text(errors="replace")

    def jailer(self):
        """Its jailer's pid, or None while it has none."""
        for p in children_of(self.pid):
            if command_name(p).startswith("execd-jailer"):
                return p
        return None


class Fleet:
    """conf: sections over what every role has.  `prelude`: see proxy.py.  `cluster`: see cluster_redis.py; `sentinels`: sentinel_redis.py."""

    def __init__(self, directory, seed=1, workers=3, apis=1, hooks=1, slots=2, lease_ms=2000, conf=None, prelude=None,
                 role_env=None, state_kb=0, cluster=None, sentinels=None, **redis):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True)
        self.directory.chmod(0o755)
        self.state = self.directory / "state"
        small(self.state, state_kb)
        self.lease_ms = lease_ms
        self.faults = []  # (time, kind, role's name, pid): all that was done to it
        self.slack_s = float(os.environ.get("EXECD_FAULTS_SLACK", "0"))  # of a recovery, on a machine that is busy
        self.crashed = []  # what ended by itself, and should not have
        self.pids = set()  # of every execd there was
        self.lock = threading.Lock()
        if cluster:  # behind no relay: its nodes name each other
            self.redis = ClusterRedis(self.directory / "redis", **cluster)
        elif sentinels:  # nor these: sentinels name the servers
            self.redis = SentinelRedis(self.directory / "redis", **sentinels)
        else:
            self.redis = Redis(self.directory / "redis", **redis).start()
        kinds = [("worker", workers), ("api", apis), ("hook", hooks)]
        names = ["%s%d" % (kind, i) for kind, n in kinds for i in range(n)]
        ports = {name: PROXY_PORT + i for i, name in enumerate(names)}
        self.proxy = Proxy(ports, REDIS_PORT, seed, prelude)
        self.roles = {}
        self.base = {
            "log": {"level": "info"},
            "queue": {"lease_ms": lease_ms, "result_ttl_ms": 600000},
            "worker": {"slots": slots, "heartbeat_ms": lease_ms // 4, "drain_ms": 3000},
            "warm": {"enabled": False},
            "compile": {"cache": "shared"},
            "hook": {"allow_private": True, "timeout_ms": 2000, "attempts": 50, "first_retry_ms": 100,
                     "max_retry_ms": 500, "per_host": 32, "breaker_pause_ms": 500},
            "plugins": PLUGINS,
        }
        for section, keys in (conf or {}).items():
            self.base[section] = {**self.base.get(section, {}), **keys} if isinstance(keys, dict) else keys
        try:
            for name in names:
                queue = dict(self.base["queue"], **self.redis.queue(ports[name]))
                self.roles[name] = Role(self, name, name.rstrip("0123456789"), dict(self.base, queue=queue),
                                        env=(role_env or {}).get(name))
        except BaseException:  # we are asked to end: nothing of it goes on running
            self.stop()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def of(self, kind):
        return [r for name, r in self.roles.items() if name.startswith(kind)]

    def ready(self):
        for r in self.roles.values():
            if not r.held and not r.up.wait(60):
                raise AssertionError("%s did not start:\n%s" % (r.name, r.logged()[-3000:]))
        return self

    def urls(self):
        return [r.url for r in self.of("api") if r.up.is_set()]

    # ---- faults ----

    def note(self, kind, name, pid=0):
        with self.lock:
            self.faults.append((time.time(), kind, name, pid))

    def signal(self, role, number, kind):
        """To execd itself.  False: it is not there at this moment."""
        if not role.up.is_set():
            return False
        self.note(kind, role.name, role.pid)
        try:
            os.kill(role.pid, number)
        except ProcessLookupError:
            pass
        return True

    def kill(self, role):
        return self.signal(role, signal.SIGKILL, "kill")

    def kill_jailer(self, role):
        pid = role.jailer() if role.up.is_set() else None
        if pid is None:
            return False
        self.note("kill_jailer", role.name, role.pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        return True

    def kill_redis(self, pause=0.0):
        self.note("kill_redis", "redis", self.redis.process.pid)
        self.redis.kill()
        time.sleep(pause)
        self.redis.start()

    def ways(self, name, mode):
        """The network between a role (or all, `*`) and Redis."""
        pid = 0 if name == "*" else self.roles[name].pid
        self.note("net_" + mode, name, pid)
        self.proxy.set(name, mode)

    def ended(self, role, code):
        with self.lock:
            asked = role.stopping or any(pid == role.pid and kind in ENDS for _, kind, _, pid in self.faults)
            if not (asked or self.gave_up(role, code)) or code in (-signal.SIGSEGV, -signal.SIGABRT, -signal.SIGBUS, -signal.SIGSYS):
                self.crashed.append("%s (%d) ended by itself with %d" % (role.name, role.pid, code))

    def gave_up(self, role, code):
        """It never served, and ended with 1 when its patience for a Redis that was made to be away was over, and says so.
        One that has served is to wait for Redis, however long."""
        waited = time.time() - role.started
        return (code == 1 and not role.up.is_set() and waited >= PATIENCE_S
                and any(name in ("redis", "*", role.name) and at > role.started - PATIENCE_S for at, _, name, _ in self.faults)
                and "cannot be used after %d s" % PATIENCE_S in role.logged()[-4000:])

    # ---- the end ----

    def stop(self):
        self.proxy.set("*", "pass")
        for r in self.roles.values():
            r.stopping = True
            if r.execd is not None and r.execd.process.poll() is None:
                r.execd.process.send_signal(signal.SIGCONT)
                r.execd.process.terminate()
        for r in self.roles.values():
            r.thread.join(15)
            if r.thread.is_alive():
                self.crashed.append("%s did not end within 15 s of SIGTERM" % r.name)
                r.execd.process.kill()
                r.thread.join()
        self.redis.stop()
        self.proxy.stop()

    def remove(self):
        for folder in (self.redis.directory, self.state):
            subprocess.run(["umount", "-q", str(folder)], check=False, stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)
