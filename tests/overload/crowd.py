"""Clients that are slow on purpose.  Each is a context: it is there for as long as its block lasts."""

import contextlib
import os
import resource
import select
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

from server import end_with_us

TCP_REPAIR = 19  # linux/tcp.h: a socket that is closed in repair says nothing to its peer
CONNECTIONS = 5000  # more than api.connections_max


def address(url):
    parts = urllib.parse.urlsplit(url)
    return parts.hostname, parts.port


def descriptors():
    """As many as we may have; root may have more."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


@contextlib.contextmanager
def slowhttptest(url, *options, connections=CONNECTIONS, rate=1000):
    """Debian's; it goes on until it is ended."""
    command = ["slowhttptest", *options, "-u", url, "-c", str(connections), "-r", str(rate), "-l", "3600", "-p", "30"]
    p = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         preexec_fn=end_with_us)
    try:
        yield
        if p.poll() is not None:
            raise RuntimeError("`%s` ended with %d" % (" ".join(command), p.returncode))
    finally:
        p.kill()
        p.wait()


def slow_headers(url):
    return slowhttptest(url + "/livez", "-H", "-i", "5", "-x", "24", "-t", "GET")


def slow_body(url):
    return slowhttptest(url + "/v1/jobs", "-B", "-i", "5", "-x", "16", "-s", "65536", "-t", "POST")


def slow_read(url, token, rate):
    """Of answers that are large: a window of a few bytes, 32 of them read each 5 s."""
    return slowhttptest(url + "/v1/jobs/" + token, "-X", "-w", "16", "-y", "32", "-n", "5", "-z", "32", "-k", "1", rate=rate)


def connect_all(where, count, within_s=60):
    """Without a byte sent; those that the server took, or the kernel for it."""
    sockets, poll, open_ = {}, select.poll(), []
    end = time.monotonic() + within_s
    while len(open_) < count and time.monotonic() < end:
        while len(sockets) < 256 and len(open_) + len(sockets) < count:
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(where)
            sockets[s.fileno()] = s
            poll.register(s, select.POLLOUT)
        for fd, _ in poll.poll(100):
            poll.unregister(fd)
            s = sockets.pop(fd)
            open_.append(s) if s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0 else s.close()
    for s in sockets.values():
        s.close()
    return open_


@contextlib.contextmanager
def idle(url, count):
    """Connections that say nothing; gives their number."""
    room = descriptors() - 500
    open_ = connect_all(address(url), min(count, room))
    try:
        yield len(open_)
    finally:
        for s in open_:
            s.close()


@contextlib.contextmanager
def vanished(url, count):
    """Connections whose clients are gone without a word, half of them in the middle of a request."""
    descriptors()
    open_ = connect_all(address(url), count)
    for i, s in enumerate(open_):
        if i % 2:
            s.send(b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n{")
    for s in open_:
        s.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        s.close()
    yield len(open_)


def checksum(data):
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    total = (total >> 16) + (total & 0xffff)
    return ~(total + (total >> 16)) & 0xffff


def syn(source, sport, destination, dport):
    pair = socket.inet_aton(source) + socket.inet_aton(destination)
    tcp = struct.pack("!HHIIBBHHH", sport, dport, int.from_bytes(os.urandom(4), "big"), 0, 5 << 4, 2, 65535, 0, 0)
    tcp = tcp[:16] + struct.pack("!H", checksum(pair + struct.pack("!BBH", 0, 6, len(tcp)) + tcp)) + tcp[18:]
    return struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, 64, 6, 0) + pair + tcp


@contextlib.contextmanager
def half_open(url, a_second=2000):
    """SYNs from where no answer ever comes."""
    host, port = address(url)
    over = threading.Event()
    sent = [0]

    def send_all():
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
            begin = time.monotonic()
            while not over.wait(0.01):
                while sent[0] < (time.monotonic() - begin) * a_second:
                    n = sent[0]
                    source = "10.9.%d.%d" % (1 + n // 250 % 250, 1 + n % 250)
                    raw.sendto(syn(source, 1024 + n % 60000, host, port), (host, 0))
                    sent[0] += 1

    t = threading.Thread(target=send_all, daemon=True)
    t.start()
    try:
        yield sent
    finally:
        over.set()
        t.join()
