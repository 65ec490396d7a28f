"""Drives a warm runtime directly, without cells: frames on descriptor 3, a box that is a folder.

A cold run and a warm run happen in the same folder, one after the other, so that every path is the same."""

import fcntl
import os
import pathlib
import select
import shutil
import signal
import socket
import struct
import time
from dataclasses import dataclass

READY, ARGV, FILE, GO, OUTPUT, EXIT = 1, 2, 3, 4, 5, 6
WARM_FD = 3


def frame(kind, body=b""):
    return struct.pack("<II", kind, len(body)) + body


def read_frame(sock, timeout=120):
    """(kind, body), or None at the end."""
    sock.settimeout(timeout)
    head = _read(sock, 8)
    if head is None:
        return None
    kind, length = struct.unpack("<II", head)
    return kind, _read(sock, length)


def _read(sock, length):
    data = b""
    while len(data) < length:
        try:
            piece = sock.recv(length - len(data))
        except ConnectionResetError:
            return None
        if not piece:
            return None
        data += piece
    return data


def words(argv):
    return b"".join(os.fsencode(w) + b"\0" for w in argv)


@dataclass
class Result:
    status: int  # as a shell has it, negative for a signal
    out: bytes
    err: bytes
    seconds: float = 0

    def __eq__(self, other):
        return (self.status, self.out, self.err) == (other.status, other.out, other.err)


def spawn(argv, box, env, stdin, out, err, warm=None):
    """A process in `box` with these descriptors as 0, 1, 2, and 3 if there is one, and no other."""
    fds = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100) for fd in (stdin, out, err, warm) if fd is not None]
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            os.chdir(box)
            for to, fd in enumerate(fds):
                os.dup2(fd, to)
            os.closerange(len(fds), 4096)
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for number in (signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.execve(argv[0], argv, env)
        except OSError as e:
            os.write(2, str(e).encode())
        finally:
            os._exit(127)
    for fd in fds:
        os.close(fd)
    return pid


class Process:
    """One that runs, its output being collected; `go()` is called when it is to begin."""

    def __init__(self, argv, box, env, stdin=b"", warm=None):
        self.stdin = os.memfd_create("stdin")
        (self.out, out), (self.err, err) = os.pipe(), os.pipe()
        self.feed(stdin)
        self.pid = spawn(argv, box, env, self.stdin, out, err, warm)
        os.close(out), os.close(err)
        self.begin = time.perf_counter()

    def feed(self, data):
        os.pwrite(self.stdin, data, 0)

    def end(self, timeout=120):
        got = {self.out: b"", self.err: b""}
        left = [self.out, self.err]
        deadline = time.monotonic() + timeout
        while left:
            for fd in select.select(left, [], [], max(0, deadline - time.monotonic()))[0]:
                data = os.read(fd, 1 << 16)
                got[fd] += data
                if not data:
                    left.remove(fd)
            if left and time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        seconds = time.perf_counter() - self.begin
        for fd in (self.out, self.err, self.stdin):
            os.close(fd)
        return Result(status, got[self.out], got[self.err], seconds)


class Runtime:
    """A language's cold command and the warm one that stands in for it, both as the plugin plans them."""

    def __init__(self, box, cold, warm, env, warm_env=None, warm_files=None):
        self.box = pathlib.Path(box)
        self.cold_argv, self.warm_argv, self.env = cold, warm, env
        self.warm_env = warm_env or env
        self.warm_files = warm_files or {}

    def _fresh(self, files):
        shutil.rmtree(self.box, ignore_errors=True)
        self.box.mkdir(parents=True)
        self._put(files)

    def _put(self, files):
        for name, (body, mode) in files.items():
            path = self.box / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
            path.chmod(mode)

    def cold(self, files, args=(), stdin=b""):
        self._fresh(files)
        return Process([*self.cold_argv, *args], self.box, self.env, stdin).end()

    def boot(self):
        """(process, socket) of one that has said that it is ready."""
        self._fresh(self.warm_files)
        ours, its = socket.socketpair()
        with its:
            p = Process(self.warm_argv, self.box, self.warm_env, b"", its.fileno())
        first = read_frame(ours)
        if first != (READY, b""):
            raise AssertionError("%s: %s" % (first, p.end()))
        return p, ours

    def warm(self, files, args=(), stdin=b"", cold_argv=None):
        p, sock = self.boot()
        with sock:
            return self.finish(p, sock, files, args, stdin, cold_argv)

    def finish(self, p, sock, files, args=(), stdin=b"", cold_argv=None):
        """It gets its job and does it."""
        sock.sendall(frame(ARGV, words([*(cold_argv or self.cold_argv), *args])))
        self._put(files)
        p.feed(stdin)
        p.begin = time.perf_counter()
        sock.sendall(frame(GO))
        return p.end()


def programs(folder, suffix):
    """name -> (source, args, stdin) of the table in `folder`."""
    table = {}
    for path in sorted(pathlib.Path(folder).glob("*" + suffix)):
        args, stdin = path.with_suffix(".args"), path.with_suffix(".stdin")
        table[path.stem] = (path.read_bytes(), args.read_bytes().split(b"\0") if args.exists() else [],
                            stdin.read_bytes() if stdin.exists() else b"")
    return table
