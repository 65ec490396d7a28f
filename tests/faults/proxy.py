"""A TCP relay between each process and Redis, whose ways can be broken; a process of its own.

Modes, each for one listener:
    pass   what comes goes on
    hold   nothing goes on in either direction, and nothing is told: a network that loses all.  What was held arrives late
    deaf   questions arrive at Redis, its answers are held
    cut    connections are reset, new ones too
    lose   of the answers one in LOSE is thrown away with its connection: the question had its effect

With `prelude` each script that an execd loads is changed on its way: {"finish": "Lua that runs first"} (mutants.py).
"""

import json
import os
import random
import selectors
import signal
import socket
import struct

from resp import command_at, encode

LOSE = 12
READ = 1 << 16


class Proxy:
    """The harness's end: starts the relay, sets its modes."""

    def __init__(self, listeners, target, seed, prelude=None):
        """listeners: {name: port}; target: Redis' port; all on loopback."""
        self.ours, its = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self.ours.close()
                for number in (signal.SIGTERM, signal.SIGINT):
                    signal.signal(number, signal.SIG_IGN)  # it ends with the harness
                Relay(listeners, target, seed, prelude or {}, its).run()
            finally:
                os._exit(0)
        its.close()
        self.file = self.ours.makefile("rb")
        self.file.readline()  # it listens

    def set(self, name, mode):
        self.ours.sendall(json.dumps([name, mode]).encode() + b"\n")
        self.file.readline()

    def stop(self):
        self.file.close()
        self.ours.close()
        os.waitpid(self.pid, 0)


class Pair:
    """One connection through the relay; `waiting` holds what may not go on."""

    def __init__(self, name, client, server):
        self.name, self.client, self.server = name, client, server
        self.waiting = {client: b"", server: b""}  # by who is to get it
        self.partial = b""  # of a question, while questions are read for their scripts
        self.gone = False

    def other(self, sock):
        return self.server if sock is self.client else self.client


class Relay:
    def __init__(self, listeners, target, seed, prelude, control):
        self.target, self.prelude, self.control = target, prelude, control
        self.rng = random.Random(seed)
        self.selector = selectors.DefaultSelector()
        self.modes = dict.fromkeys(listeners, "pass")
        self.pairs = set()
        self.ended = False
        for name, port in listeners.items():
            s = socket.create_server(("127.0.0.1", port), backlog=128)
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ, ("listen", name))
        self.selector.register(control, selectors.EVENT_READ, ("control", None))
        control.sendall(b"ready\n")

    def run(self):
        while not self.ended:
            for key, events in self.selector.select():
                what, arg = key.data
                if what == "control":
                    self.on_control()
                elif what == "listen":
                    self.on_connect(key.fileobj, arg)
                elif not arg.gone:
                    self.on_io(arg, key.fileobj, events)

    # ---- orders ----

    def on_control(self):
        data = self.control.recv(READ)
        if not data:
            self.ended = True
            return
        for line in data.splitlines():
            name, mode = json.loads(line)
            for n in self.modes if name == "*" else [name]:
                self.modes[n] = mode
            for pair in [p for p in self.pairs if name in ("*", p.name)]:
                self.apply(pair)
            self.control.sendall(b"ok\n")

    def apply(self, pair):
        if self.modes[pair.name] == "cut":
            self.drop(pair)
            return
        for sock in (pair.client, pair.server):
            if not pair.gone:
                self.watch(pair, sock)

    def stopped(self, pair, reader):
        mode = self.modes[pair.name]
        return mode == "hold" or (mode == "deaf" and reader is pair.server)

    def watch(self, pair, sock):
        """Reads unless held back; writes while there is something that may go."""
        events = 0
        if not self.stopped(pair, sock) and len(pair.waiting[pair.other(sock)]) < 1 << 22:
            events |= selectors.EVENT_READ
        if pair.waiting[sock] and not self.stopped(pair, pair.other(sock)):
            events |= selectors.EVENT_WRITE
        known = sock in self.selector.get_map()
        if not events:
            if known:
                self.selector.unregister(sock)
        elif known:
            self.selector.modify(sock, events, ("pair", pair))
        else:
            self.selector.register(sock, events, ("pair", pair))

    # ---- connections ----

    def on_connect(self, listener, name):
        try:
            client, _ = listener.accept()
        except OSError:
            return
        if self.modes[name] == "cut":
            self.reset(client)
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 1)
        except OSError:
            self.reset(client)
            return
        for s in (client, server):
            s.setblocking(False)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        pair = Pair(name, client, server)
        self.pairs.add(pair)
        self.apply(pair)

    @staticmethod
    def reset(sock):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.close()

    def drop(self, pair):
        pair.gone = True
        self.pairs.discard(pair)
        for s in (pair.client, pair.server):
            if s in self.selector.get_map():
                self.selector.unregister(s)
            self.reset(s)

    def on_io(self, pair, sock, events):
        try:
            if events & selectors.EVENT_WRITE:
                sent = sock.send(pair.waiting[sock])
                pair.waiting[sock] = pair.waiting[sock][sent:]
            if events & selectors.EVENT_READ and not self.take(pair, sock):
                return
        except BlockingIOError:
            pass
        except OSError:
            self.drop(pair)
            return
        self.watch(pair, sock)
        self.watch(pair, pair.other(sock))

    def take(self, pair, sock):
        """Reads from `sock` for the other side; False: the pair is gone."""
        data = sock.recv(READ)
        to = pair.other(sock)
        lost = sock is pair.server and self.modes[pair.name] == "lose" and self.rng.randrange(LOSE) == 0
        if not data or lost:
            if not data and pair.waiting[to]:
                try:
                    to.send(pair.waiting[to])
                except OSError:
                    pass
            self.drop(pair)
            return False
        if sock is pair.client and self.prelude:
            data = self.changed(pair, data)
        if not pair.waiting[to] and data:  # the usual case takes no turn of the loop
            try:
                data = data[to.send(data):]
            except BlockingIOError:
                pass
        pair.waiting[to] += data
        return True

    # ---- mutants ----

    def changed(self, pair, data):
        pair.partial += data
        out, at = [], 0
        while at < len(pair.partial):
            found = command_at(pair.partial, at)
            if found is None:
                break
            args, end = found
            if [a.upper() for a in args[:2]] == [b"SCRIPT", b"LOAD"]:
                out.append(encode([b"SCRIPT", b"LOAD", self.mutate(args[2].decode())]))
            else:
                out.append(pair.partial[at:end])
            at = end
        pair.partial = pair.partial[at:]
        return b"".join(out)

    def mutate(self, script):
        for name, lua in self.prelude.items():
            head = "-- %s.lua " % name
            if head in script:
                before, rest = script.split(head, 1)
                line, body = rest.split("\n", 1)
                return before + head + line + "\n" + lua + "\n" + body
        return script
