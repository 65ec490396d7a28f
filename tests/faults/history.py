"""The history of every job, as Redis wrote it down: its append-only file has each change of state, in their order.

A script's writes stand there between MULTI and EXEC, so what has to happen in one step can be seen to have."""

import re
from dataclasses import dataclass, field

from resp import commands

JOB = re.compile(rb":job:([0-9a-f-]{36})$")
PROGRAM = re.compile(rb":def:([0-9a-f-]{36})$")
ID = re.compile(rb"\bj\d{6}\b")  # which job of our clients it is, in its stdin
QUEUED, RUNNING, COMPLETED, CANCELLED, INTERNAL_ERROR = 0, 1, 2, 9, 10
BACK = {b"nb": "unbegun", b"at": "released"}  # what is counted, the first of them, with which a job is queued again
NOBODY = 0  # as the epoch that ended a job


@dataclass
class Claim:
    epoch: int
    worker: bytes
    started: float  # Unix seconds, by Redis
    attempt: int
    begun: bool  # as far as Redis knows: its attempt counts
    ended: float = 0.0  # when that was seen in the file
    end: str = ""  # "finished", "requeued" (its lease was lost), "unbegun" (likewise, before it was begun), "released" (handed
    # back), "concluded" (by a reaper)


@dataclass
class Past:
    """One job's."""
    status: int = QUEUED
    epoch: int = 0
    queued: float = 0.0
    finished: float = 0.0
    hook: bool = False
    result: bytes = b""
    claims: list = field(default_factory=list)
    terminals: int = 0
    kept_for_ever: bool = False  # it ended, and has no time to live
    breaches: list = field(default_factory=list)


class History:
    def __init__(self, aof, when):
        """when(offset): the time at which the file had reached that length."""
        self.jobs, self.flushed, self.offset, self.when = {}, set(), 0, when
        self.ids = {}  # token -> id
        whole, inside = [], None
        for offset, args in commands(aof):
            self.offset = offset
            name = args[0].upper()
            if name == b"MULTI":
                inside = []
            elif name == b"EXEC":
                whole, inside = inside, None
                self._step(whole)
            elif inside is not None:
                inside.append(args)
            else:
                self._step([args])

    def _step(self, step):
        """What happened at once."""
        leased, due, dated, back = set(), set(), set(), {}
        ahead, begun = set(), set()
        changed = []
        for args in step:
            name = args[0].upper()
            if name in (b"FLUSHALL", b"FLUSHDB"):
                self.flushed |= set(self.jobs)
                self.jobs = {}
            elif name == b"ZADD" and args[1].endswith(b":lease"):
                leased |= set(args[2:])
            elif name == b"ZADD" and args[1].endswith(b":since"):
                due |= set(args[2:])
            elif name == b"SET":
                self._named(args[1], args[2])
            elif name in (b"PEXPIRE", b"PEXPIREAT"):
                dated.add(args[1])
            elif name == b"HINCRBY" and args[2] in BACK:
                back.setdefault(args[1], BACK[args[2]])
            elif name == b"HDEL" and b"ah" in args[2:]:
                begun.add(args[1])
            elif name in (b"HSET", b"HMSET"):
                m = JOB.search(args[1])
                if m:
                    if b"ah" in args[2::2]:
                        ahead.add(args[1])
                    changed.append((m.group(1), args[1], dict(zip(args[2::2], args[3::2]))))
        for token, key, fields in changed:
            past = self.jobs.setdefault(token.decode(), Past())
            if b"url" in fields:
                past.hook = True
            if b"st" in fields:
                self._change(past, fields, token in leased, token in due, key in dated, back.get(key), key not in ahead)
        for key in begun - set(k for _, k, _ in changed):
            m = JOB.search(key)
            past = m and self.jobs.get(m.group(1).decode())
            if past and past.claims:
                past.claims[-1].begun = True

    def _named(self, key, value):
        program, found = PROGRAM.search(key), ID.search(value)
        if program and found:
            self.ids[program.group(1).decode()] = found.group().decode()

    def _change(self, p, f, leased, due, dated, back, begun):
        status = int(f[b"st"])
        if p.terminals > 0 and status <= RUNNING:
            p.breaches.append("it went on after its end")
        if status == RUNNING:
            epoch = int(f[b"ep"])
            if p.status == RUNNING:
                p.breaches.append("claimed while it ran (epoch %d)" % epoch)
            if epoch <= p.epoch:
                p.breaches.append("epoch %d after %d" % (epoch, p.epoch))
            if not leased:
                p.breaches.append("claimed without a lease")
            p.epoch = epoch
            p.claims.append(Claim(epoch, f.get(b"w", b"?:0"), int(f.get(b"sa", b"0")) / 1000, int(f.get(b"at", b"0")), begun))
        elif status == QUEUED:
            if b"meta" in f:
                p.queued = int(f[b"qa"]) / 1000
            elif p.status != RUNNING:
                p.breaches.append("queued again while it did not run")
            elif p.claims:
                p.claims[-1].end = back or "requeued"
                p.claims[-1].ended = self.when(self.offset)
        else:
            self._end(p, f, status, due, dated)
        p.status = status

    def _end(self, p, f, status, due, dated):
        p.terminals += 1
        if p.terminals > 1:
            p.breaches.append("%d terminal results" % p.terminals)
        if p.status == QUEUED and status not in (CANCELLED, INTERNAL_ERROR):
            p.breaches.append("a result of a job that did not run")
        given_up = status in (CANCELLED, INTERNAL_ERROR)  # by a reaper, or before a worker had it: then it is nobody's
        if int(f.get(b"fe", b"-1")) not in ({p.epoch, NOBODY} if given_up else {p.epoch}):
            p.breaches.append("a result of epoch %s while %d was the last" % (f.get(b"fe", b"-1").decode(), p.epoch))
        if p.hook and not due:
            p.breaches.append("a result without its webhook")
        p.kept_for_ever = not dated
        p.result = f.get(b"res", b"")
        p.finished = int(f.get(b"fa", b"0")) / 1000
        if p.claims and not p.claims[-1].end:
            concluded = status == INTERNAL_ERROR and b"the worker was lost" in p.result
            if concluded and f[b"fe"] != b"%d" % NOBODY:
                p.breaches.append("a reaper's end that says it was its last worker's")
            p.claims[-1].end = "concluded" if concluded else "finished"
