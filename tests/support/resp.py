"""Redis' protocol: a small client, and a reader of what an append-only file holds."""

import socket


class RedisError(Exception):
    """What Redis answered with a minus sign."""


def encode(args):
    parts = [b"*%d\r\n" % len(args)]
    for a in args:
        a = a if isinstance(a, bytes) else str(a).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(a), a))
    return b"".join(parts)


def command_at(data, at):
    """(arguments, where the next one begins) of the command at `at`; None where it is not whole."""
    end = data.find(b"\r\n", at)
    if end < 0:
        return None
    args, count = [], int(data[at + 1:end])
    at = end + 2
    for _ in range(count):
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        size = int(data[at + 1:end])
        at = end + 2 + size + 2
        if at > len(data):
            return None
        args.append(data[end + 2:at - 2])
    return args, at


def commands(data):
    """(where it ends, command) of all whole commands of an append-only file, in order; comments (#TS) are skipped."""
    at = 0
    while at < len(data):
        if data[at:at + 1] == b"#":
            at = data.find(b"\n", at) + 1
            continue
        found = command_at(data, at)
        if found is None:
            return
        at = found[1]
        yield at, found[0]


class Client:
    """One connection; errors are raised, the connection's own as OSError."""

    def __init__(self, port, timeout=30):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.sock.close()

    def __call__(self, *args):
        self.sock.sendall(encode(args))
        return self._answer()

    def many(self, questions):
        """Pipelined; an error is an item of the answer."""
        answers = []
        for at in range(0, len(questions), 500):
            part = questions[at:at + 500]
            self.sock.sendall(b"".join(encode(q) for q in part))
            for _ in part:
                try:
                    answers.append(self._answer())
                except RedisError as e:
                    answers.append(e)
        return answers

    def _answer(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionResetError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b"+":
            return rest
        if kind == b":":
            return int(rest)
        size = int(rest)
        if size < 0:
            return None
        if kind == b"$":
            return self.file.read(size + 2)[:-2]
        return [self._answer() for _ in range(size)]
