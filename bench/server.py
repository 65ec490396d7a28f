"""An execd for the benchmark, with its defaults, in an environment of its own; and the measuring client."""

import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import subprocess
import time

import machine

BUILD = pathlib.Path(os.environ.get("EXECD_BUILD", pathlib.Path(__file__).resolve().parents[1] / "build/release"))
PATIENCE = 180


class Server:
    """`conf` is text of execd.conf; without any, execd has its defaults."""

    def __init__(self, directory, roles=None, conf="", args=()):
        self.directory = pathlib.Path(directory)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        (self.directory / "execd.conf").write_text(conf)
        self.log = open(self.directory / "execd.log", "wb")
        command = [str(BUILD / "execd"), "--config", str(self.directory / "execd.conf"), "--port", "0",
                   "--state", str(self.directory / "state"), *args]
        if roles:
            command += ["--role", roles]
        self.process = subprocess.Popen(command, env=machine.CLEAN, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.log, preexec_fn=machine.end_with_us)
        line = self.process.stdout.readline().decode()
        ready = re.search(r":(\d+)$", line.strip())
        if not ready:
            self.process.wait(PATIENCE)
            raise RuntimeError("execd did not start:\n" + (self.directory / "execd.log").read_text()[-4000:])
        self.port = int(ready.group(1))

    @property
    def pid(self):
        return self.process.pid

    def child(self, name):
        for pid in self.children():
            if pathlib.Path("/proc/%d/comm" % pid).read_text().strip() == name:
                return pid
        raise RuntimeError("execd has no child " + name)

    def children(self):
        tasks = pathlib.Path("/proc/%d/task" % self.pid)
        return [int(c) for t in tasks.iterdir() for c in (t / "children").read_text().split()]

    def redis(self, section):
        """INFO of its embedded Redis, as a dict."""
        with socket.socket(socket.AF_UNIX) as s:
            # A path of a unix socket is short, ours may not be.
            directory = os.open(self.directory / "state", os.O_PATH)
            s.connect("/proc/self/fd/%d/redis.sock" % directory)
            os.close(directory)
            s.sendall(b"INFO %s\r\n" % section.encode())
            text = b""
            while not re.match(rb"\$(\d+)\r\n", text) or len(text) < int(re.match(rb"\$(\d+)", text).group(1)):
                text += s.recv(65536)
        return dict(line.split(":", 1) for line in text.decode().split("\r\n") if ":" in line)

    def pin(self, core):
        """This process, and not its Redis, to one core; Redis to the others."""
        others = os.sched_getaffinity(0) - {core} or {core}
        for task in os.listdir("/proc/%d/task" % self.pid):
            os.sched_setaffinity(int(task), {core})
        os.sched_setaffinity(self.child("redis-server"), others)
        return others

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.log.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


def client(way, *args, command=(), cores=None, prefix=()):
    """bench-client's answer (client.c); what it counts as wrong is an error of the measurement."""
    def prepare():
        machine.end_with_us()
        if cores:
            os.sched_setaffinity(0, cores)

    words = [*prefix, str(BUILD / "bench/bench-client"), way, *(str(a) for a in args)]
    if command:
        words += ["--", *command]
    done = subprocess.run(words, env=machine.CLEAN, stdout=subprocess.PIPE, preexec_fn=prepare)
    if done.returncode != 0:
        raise RuntimeError("`%s` failed" % " ".join(words))
    return json.loads(done.stdout)


def expectations(texts):
    return [word for text in texts for word in ("--expect", text)]


class Tool:
    """A program that answers each line with a line: bench-jail and bench-queue."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(w) for w in command], env=machine.CLEAN, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("%s ended with status %s" % (self.process.args[0], self.process.wait()))
        return json.loads(line)

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        return self.read()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Shells:
    """Shells that loop: each line that a program of theirs says is a job done."""

    def __init__(self, scripts):
        self.shells = [subprocess.Popen(["/bin/sh", "-c", s], env=machine.CLEAN, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, start_new_session=True,
                                        preexec_fn=machine.end_with_us) for s in scripts]
        self.begin = time.monotonic()

    def rate(self, seconds):
        """Jobs a second of all of them together, for so long; then they end."""
        try:
            return self.count(seconds)
        finally:
            self.end()

    def count(self, seconds):
        done = {s.stdout.fileno(): [0, 0.0] for s in self.shells}
        for fd in done:
            os.set_blocking(fd, False)
        poll = select.poll()
        for fd in done:
            poll.register(fd, select.POLLIN)
        while (left := self.begin + seconds - time.monotonic()) > 0:
            for fd, events in poll.poll(left * 1000):
                lines = os.read(fd, 65536).count(b"\n") if events & select.POLLIN else 0
                if lines == 0:
                    raise RuntimeError("a shell of the comparison ended")
                done[fd][0] += lines
                done[fd][1] = time.monotonic() - self.begin
        return sum(n / last for n, last in done.values() if n)

    def end(self):
        for s in self.shells:
            try:
                os.killpg(s.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            s.wait()
            s.stdout.close()
