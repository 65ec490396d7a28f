"""A language for the tests of warm runtimes: a program of lines, a compiler that copies it, and both of them kept warm.

    print TEXT | cat | args | files | exit N | spin | flood | hog MIB      what the program does
    fail TEXT | errors N                                                   what its compiler does, cold and warm
    warm SIN                                                               what only the warm compiler does

The same file is the cold compiler, the cold interpreter, the compile service and the pre-booted runtime; the last two
commit the sin that the plugin's setting `sin` names, if it is theirs."""

import os
import socket
import struct
import sys

READY, ARGV, FILE, GO, OUTPUT, EXIT = 1, 2, 3, 4, 5, 6


# ---- the language --------------------------------------------------------------------

def compiled(source, say):
    """The program, or None; say() gets the compiler's words."""
    for line in source.decode().splitlines():
        word, _, rest = line.partition(" ")
        if word == "fail":
            say(rest + "\n")
            return None
        if word == "errors":
            for i in range(int(rest)):
                say("error %d\n" % i)
            return None
    return source


def flood():
    """Whatever becomes of the other end: nothing of this reaches stderr."""
    while True:
        try:
            os.write(1, b"x" * 1000)
        except OSError:
            pass


def interpret(argv):
    for line in open("out/prog"):
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "print":
            print(rest)
        elif word == "cat":
            sys.stdout.write(sys.stdin.read())
        elif word == "args":
            print(argv)
        elif word == "files":
            print(sorted(os.listdir(".")), sorted(os.listdir("out")))
        elif word == "exit":
            sys.exit(int(rest))
        elif word == "spin":
            while True:
                pass
        elif word == "flood":
            flood()
        elif word == "hog":
            print(len(bytearray(os.urandom(1 << 20) * int(rest))))


def compile_cold():
    prog = compiled(open("main.txt", "rb").read(), sys.stdout.write)
    if prog is None:
        return 1
    os.mkdir("out")
    open("out/prog", "wb").write(prog)
    return 0


# ---- frames ------------------------------------------------------------------------------

class Frames:
    def __init__(self):
        self.socket = socket.socket(fileno=3)

    def send(self, kind, body=b""):
        self.raw(struct.pack("<II", kind, len(body)) + body)

    def raw(self, data):
        self.socket.sendall(data)

    def read(self):
        kind, length = struct.unpack("<II", self.take(8))
        return kind, self.take(length)

    def take(self, length):
        data = b""
        while len(data) < length:
            piece = self.socket.recv(length - len(data))
            if not piece:
                os._exit(0)
            data += piece
        return data


def wait_for_ever():
    while True:
        os.read(3, 1)


# ---- a runtime that becomes a job ----------------------------------------------------------

def preboot(sin):
    if sin == "preboot_exits":
        sys.stderr.write("no room for\nme\n")
        sys.exit(7)
    frames = Frames()
    if sin == "preboot_silent":
        wait_for_ever()
    if sin == "preboot_odd":
        frames.send(GO)
    if sin == "preboot_noisy":
        os.write(1, b"boot\n")
    frames.send(READY)
    kind, words = frames.read()
    go, _ = frames.read()
    if (kind, go) != (ARGV, GO):
        sys.exit("frames %d and %d" % (kind, go))
    frames.socket.close()
    argv = [w.decode() for w in words.split(b"\0")[:-1]]
    if sin == "preboot_lies":
        print("warm")
    interpret(argv[argv.index("run") + 1:])


# ---- a compiler that stays -------------------------------------------------------------------

def wanted_sin(source):
    for line in source.decode().splitlines():
        if line.startswith("warm "):
            return line[5:]
    return ""


def commit(frames, sin):
    """What must never become a result."""
    if sin == "hang":
        wait_for_ever()
    if sin == "die":
        os._exit(3)
    if sin == "climb":
        frames.send(FILE, b"out/../../prog\0print taken over\n")
    if sin == "absolute":
        frames.send(FILE, b"/box/out/prog\0print taken over\n")
    if sin == "elsewhere":
        frames.send(FILE, b"main.txt\0print taken over\n")
    if sin == "beside":
        frames.send(FILE, b"outer/prog\0print taken over\n")
    if sin == "nameless":
        frames.send(FILE, b"\0print taken over\n")
    if sin == "endless":
        frames.send(FILE, b"o" * 3000)
    if sin == "large":
        frames.raw(struct.pack("<II", FILE, 0xfffffff0))
    if sin == "ready":
        frames.send(READY)
    if sin == "kind":
        frames.send(77, b"?")
    if sin == "exit":
        frames.send(EXIT, b"\0" * 5)
    if sin == "pile":
        for _ in range(70):
            frames.send(FILE, b"out/prog\0" + b"x" * (1 << 20))
    if sin == "flood":
        while True:
            frames.send(OUTPUT, b"x" * 100000)


def service(sin):
    frames = Frames()
    frames.send(READY)
    served = 0
    while True:
        kind, body = frames.read()
        files = {}
        while kind != GO:
            if kind == FILE:
                path, _, content = body.partition(b"\0")
                files[path] = content
            kind, body = frames.read()
        source = files[b"main.txt"]
        commit(frames, wanted_sin(source))
        words = []
        prog = compiled(source, words.append)
        for w in words:
            frames.send(OUTPUT, w.encode())
        if prog is not None:
            if sin == "service_lies":
                prog = b"print service\n"
            frames.send(FILE, b"out/prog\0" + prog)
        served += 1
        end = struct.pack("<II", EXIT, 4) + struct.pack("<i", 0 if prog is not None else 1)
        if wanted_sin(source) == "talk":  # behind its last word comes another answer
            end += struct.pack("<II", FILE, 27) + b"out/prog\0print taken over!\n" + end
        frames.raw(end)


def main():
    role = sys.argv[1]
    if role == "compile":
        sys.exit(compile_cold())
    if role == "run":
        interpret(sys.argv[2:])
    if role in ("preboot", "service"):
        os.unlink(sys.argv[0])
        {"preboot": preboot, "service": service}[role](sys.argv[2])


main()
