"""A network of the test's own, for webhooks: run as root of a new network and mount namespace by Island (below).

    island.py DIRECTORY COMMAND...

Gives the loopback device addresses of all the kinds that must not be reached, listens there on port 80 and notes who
comes, answers DNS from names.json, and then becomes COMMAND (an execd).  The listeners end with it.
"""

import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import threading
import time

# What a callback could name to reach into a network, and one address that the configuration allows.
ADDRESSES = ["169.254.169.254/32", "10.0.0.1/32", "172.16.0.1/32", "192.168.0.1/32", "100.64.0.1/32", "10.1.0.1/32",
             "fd00:ec2::254/128", "fe80::1/128", "2001:db8::1/128"]
ALLOWED = "10.1.0.0/16"


def answer(query, names, seen):
    """The reply to one DNS query (RFC 1035): names maps "name. A" to a list of lists, one a query, the last for ever."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode(errors="replace").lower())
        at += query[at] + 1
    kind = struct.unpack(">H", query[at + 1:at + 3])[0]
    question = query[12:at + 5]
    key = ".".join(labels) + " " + {1: "A", 28: "AAAA"}.get(kind, "?")
    turns = names.get(key, [[]])
    turn = turns[min(seen.get(key, 0), len(turns) - 1)]
    seen[key] = seen.get(key, 0) + 1
    if turn == "SERVFAIL":
        return query[:2] + b"\x81\x82" + b"\0\x01\0\0\0\0\0\0" + question
    records = b""
    for value in turn:
        if value.endswith("."):  # a CNAME; the address follows under its own name
            data = b"".join(bytes([len(p)]) + p.encode() for p in value.rstrip(".").split(".")) + b"\0"
            records += b"\xc0\x0c" + struct.pack(">HHIH", 5, 1, 0, len(data)) + data
        else:
            data = socket.inet_pton(socket.AF_INET6 if ":" in value else socket.AF_INET, value)
            records += b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 0, len(data)) + data
    return query[:2] + b"\x81\x80" + struct.pack(">HHHH", 1, len(turn), 0, 0) + question + records


def serve_names(directory):
    names, seen = json.loads((directory / "names.json").read_text()), {}
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 53))
    while True:
        query, peer = s.recvfrom(4096)
        try:
            s.sendto(answer(query, names, seen), peer)
        except (IndexError, ValueError, struct.error):
            pass


def serve_visits(directory, family, address):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, 80))
    s.listen(64)
    while True:
        c, _ = s.accept()
        with c, open(directory / "visits", "a") as f:
            f.write(c.getsockname()[0] + "\n")
            f.flush()
            c.settimeout(2)
            try:
                c.recv(65536)
                c.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            except OSError:
                pass


def listeners(directory, parent):
    for target, args in ((serve_names, (directory,)), (serve_visits, (directory, socket.AF_INET, "0.0.0.0")),
                         (serve_visits, (directory, socket.AF_INET6, "::1")), (serve_visits, (directory, socket.AF_INET6, "fd00:ec2::254"))):
        threading.Thread(target=target, args=args, daemon=True).start()
    (directory / "up").touch()
    while os.getppid() == parent:  # it became an execd of another uid, so PR_SET_PDEATHSIG would be refused
        time.sleep(0.05)
    os._exit(0)


def main():
    directory, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for a in ADDRESSES:
        subprocess.run(["ip", "addr", "add", a, "dev", "lo", *(["nodad"] if ":" in a else [])], check=True)
    (directory / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:2\n")
    for file, over in (("resolv.conf", "/etc/resolv.conf"), ("hosts", "/etc/hosts"), ("nsswitch.conf", "/etc/nsswitch.conf"),
                       ("roots.pem", "/etc/ssl/certs/ca-certificates.crt")):
        if (directory / file).exists():
            subprocess.run(["mount", "--bind", str(directory / file), os.path.realpath(over)], check=True)
    parent = os.getpid()
    if os.fork() == 0:
        listeners(directory, parent)
    while not (directory / "up").exists():
        time.sleep(0.01)
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
