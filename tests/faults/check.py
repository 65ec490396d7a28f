"""What must hold after whatever happened, said over the whole history; and the figures of it."""

import json
import re
from dataclasses import dataclass, field

from history import COMPLETED, INTERNAL_ERROR
from resp import RedisError

LEASE_SLACK_S = 1.0  # "recovery within lease + 1 s"
BASE_KEYS = (b":count", b":langs", b":languages", b":stat:", b":worker:", b":workers")
# Of jobs that wait, run or are to be told of: gone when there are none.
LIVE_KEYS = re.compile(rb":(lease|wait|out|since|weight)$|:(q|ring|pass|ten|def|out|fly|rate):")
# Of jobs that ended: these go with their results, or by a time of their own.
DATED_KEYS = re.compile(rb":(job|log|letter|dead|brk|idem):")
MEMORY_SLACK = 1 << 20


@dataclass
class Verdict:
    """Of one row: figures, and each breach of a promise as a line."""
    faults: int = 0
    accepted: int = 0
    unsure: int = 0
    lost: int = 0
    duplicated: int = 0
    refused: int = 0
    recoveries: list = field(default_factory=list)  # seconds from a worker's death until its job is queued again
    restarts: list = field(default_factory=list)  # until it is run again
    late: int = 0  # of these, beyond lease + 1 s
    poisoned: int = 0  # jobs that ended as internal_error because max_attempts workers died of them
    webhooks: int = 0
    slowest_refusal: float = 0.0
    breaches: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    losses: list = field(default_factory=list)  # (from, to): what Redis took then may be lost, by this row's promise

    def breach(self, text, *args):
        self.breaches.append(text % args if args else text)

    def some(self, what, items):
        """A breach of many jobs, with a few of them named."""
        if items:
            self.breach("%s: %d, for instance %s", what, len(items), "; ".join(map(str, items[:3])))


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else 0.0


# ---- the history ----------------------------------------------------------------------------------


def workers_harmed(faults):
    """pid -> when it was first harmed, of every worker that could lose a lease for it; 0: all of them."""
    harmed = {}
    for at, kind, name, pid in faults:
        if name == "*" or name.startswith(("worker", "redis")):
            key = 0 if name in ("*", "redis") else pid
            harmed.setdefault(key, []).append((at, kind))
    return harmed


def pid_of(worker):
    return int(worker.split(b":")[1])


def explained(claim, harmed, until):
    """Was something done to the worker, or to Redis, between this claim and the loss of its lease?"""
    own = [at for at, _ in harmed.get(pid_of(claim.worker), []) if at <= until]
    everybodys = [at for at, _ in harmed.get(0, []) if claim.started - 1 <= at <= until]
    return bool(own or everybodys)


def losses_before(past):
    """For each claim, how many leases of its job had been lost: no more attempts than that may be counted."""
    lost, before = 0, []
    for c in past.claims:
        before.append(lost)
        lost += c.end == "requeued"
    return before


def check_batches(v, clients, history):
    """A submission that nobody answered is there whole or not at all, whatever became of its jobs."""
    there = {history.ids.get(t) for t in history.jobs}
    halves = [ids for ids in clients.unsure_batches if 0 < sum(i in there for i in ids) < len(ids)]
    v.some("half of a batch", halves)


def check_jobs(v, clients, history, harmed, max_attempts):
    """{accepted} = {terminal}, once each, with the right answer."""
    breached, wrong, unexplained, lost = [], [], [], []
    for token, past in history.jobs.items():
        breached += ["%s: %s" % (token, b) for b in past.breaches]
        job = clients.jobs.get(token)
        if past.terminals == 0:
            lost.append("%s (status %d, epoch %d)" % (token, past.status, past.epoch))
        if past.kept_for_ever:
            breached.append("%s: no time to live after its end" % token)
        losses = [c for c in past.claims if c.end in ("requeued", "concluded")]
        breached += ["%s: attempt %d after %d lost leases" % (token, c.attempt, n)
                     for c, n in zip(past.claims, losses_before(past)) if c.attempt != n + 1]
        breached += ["%s: epoch %d was %s, and begun: %s" % (token, c.epoch, c.end, c.begun) for c in past.claims
                     if c.end in ("requeued", "unbegun") and c.begun != (c.end == "requeued")]
        if past.status == INTERNAL_ERROR and len(losses) >= max_attempts and past.claims[-1].end == "concluded":
            v.poisoned += 1
            until = past.finished
            unexplained += ["%s by %s" % (token, c.worker.decode()) for c in losses if not explained(c, harmed, until)]
        elif past.terminals and past.status != COMPLETED:
            wrong.append("%s: status %d" % (token, past.status))
        elif past.terminals and job is not None and job.id.encode() not in past.result:
            wrong.append("%s: another job's output" % token)
    missing = [t for t in clients.jobs if t not in history.jobs and t not in history.flushed]
    v.lost += len(missing)
    missing = ["%s, told %.2f s before the nearest loss" % (t, before_loss(v, clients.jobs[t])) for t in missing
               if not in_losses(v, clients.jobs[t])]
    v.lost += len([t for t in lost if t.split()[0] in clients.jobs])
    v.duplicated += sum(p.terminals > 1 for p in history.jobs.values())
    if unbegun := sum(c.end == "unbegun" for p in history.jobs.values() for c in p.claims):
        v.notes.append("%d leases lost before the job was begun" % unbegun)
    v.some("never ended", lost)
    v.some("accepted, and not in Redis' file", missing)
    v.some("breaches of the order of states", breached)
    v.some("wrong results", wrong)
    v.some("ended as internal_error although nothing was done to their worker", unexplained)


def in_losses(v, job, before=0.0):
    """Redis took it at some time between its submission and its 202."""
    return any(a - before <= job.accepted and job.sent <= b for a, b in v.losses)


def before_loss(v, job):
    return min((b - job.accepted for _, b in v.losses), key=abs, default=float("nan"))


def rerun(v, job):
    """Its result itself may have been lost, and it was run again."""
    return in_losses(v, job, 10)


def check_answers(v, clients, receiver, history):
    """What clients and receivers were told is one thing, and always the same."""
    unseen = [t for t, j in clients.jobs.items() if not j.answers and t in history.jobs]
    v.some("lost, and answered with something else than 404",
           [t for t, j in clients.jobs.items() if t not in history.jobs and not j.missing and not j.answers])
    v.some("no client saw the end of", unseen)
    differ, wrong = [], []
    for token, job in clients.jobs.items():
        bodies = [json.dumps(a, sort_keys=True) for a in job.answers]
        hooks = [json.dumps(json.loads(b), sort_keys=True) for b in (receiver.seen.get(token, []) if receiver else [])]
        if len(set(bodies + hooks)) > 1 and not rerun(v, job):
            differ.append(token)
        for a in job.answers[:1]:
            if a["status"] == "completed" and a["stdout"].split("\n")[0] != job.id:
                wrong.append("%s: %s" % (token, a["stdout"][:80]))
    v.duplicated += len(differ)
    v.some("answers that differ", differ)
    v.some("answers with another job's output", wrong)


def check_webhooks(v, clients, receiver, history):
    wanted = {t for t, p in history.jobs.items() if p.hook and p.terminals}
    v.webhooks = sum(map(len, receiver.seen.values()))
    v.some("webhooks that never came", sorted(wanted - set(receiver.seen)))
    v.some("webhooks of no such job", sorted(set(receiver.seen) - wanted - history.flushed - set(clients.jobs)))


def measure_recovery(v, history, fleet):
    """From the death of a job's worker until it is queued again, first of its queue, and until it is run again, for which
    a worker must be there.  Where Redis itself was away it is another measure."""
    bound = fleet.lease_ms / 1000 + LEASE_SLACK_S
    killed = {}
    for at, kind, name, pid in fleet.faults:
        if kind in ("kill", "kill_jailer", "stop") and name.startswith("worker"):
            killed.setdefault(pid, []).append(at)
    away = [(a - 0.5, (b or a) + 0.5) for a, b in fleet.redis.down] + [
        (at - 0.5, at + 3) for at, kind, name, _ in fleet.faults if kind.startswith(("net_", "redis_"))]
    for past in history.jobs.values():
        for claim, following in zip(past.claims, past.claims[1:]):
            died = [at for at in killed.get(pid_of(claim.worker), []) if at > claim.started - 0.05]
            if claim.end not in ("requeued", "unbegun") or not died or died[0] > following.started:
                continue
            died = died[0]
            if any(a < following.started and died < b for a, b in away):
                continue
            v.recoveries.append(claim.ended - died)
            v.restarts.append(following.started - died)
    v.late = sum(r > bound for r in v.recoveries)
    if percentile(v.recoveries, 0.99) > bound + fleet.slack_s:
        v.breach("recovery took %.2f s (p99), lease + 1 s are %.2f s", percentile(v.recoveries, 0.99), bound)


# ---- what is left in Redis ------------------------------------------------------------------------


def check_rest(v, redis, base):
    """Nothing is queued, leased or due; and when the results' time is over, nothing is left but what was before."""
    with redis.client() as c:
        keys = c("KEYS", "*")
        v.some("left in Redis", [k.decode() for k in keys if LIVE_KEYS.search(k)])
        counts = c("HGETALL", "{execd}:count")
        counts = dict(zip(counts[::2], map(float, counts[1::2])))  # its pace is one with a point
        odd = {k.decode(): n for k, n in counts.items() if k.startswith((b"queued:", b"bytes", b"stale", b"pass:")) and n != 0}
        if odd:
            v.breach("counters that should be 0: %s", odd)
        dated = [k for k in keys if DATED_KEYS.search(k)]
        ttls = c.many([("PTTL", k) for k in dated])
        v.some("kept without a time to live", [k.decode() for k, t in zip(dated, ttls) if t == -1])
        # Their time is over: now.
        c.many([("PEXPIRE", k, 0) for k in dated])
        left = [k for k in c("KEYS", "*") if not any(part in k for part in BASE_KEYS)]
        v.some("left when results have expired", [k.decode() for k in left])
        grown = memory(c) - base
        if grown > MEMORY_SLACK:
            v.breach("Redis holds %d bytes more than before", grown)
        v.notes.append("Redis' memory %+d kB" % (grown // 1024))


def memory(client):
    """Of data, without the buffers of connections and of the append-only file."""
    try:
        client("MEMORY", "PURGE")
    except RedisError:
        pass
    stats = client("MEMORY", "STATS")
    stats = dict(zip(stats[::2], stats[1::2]))
    return int(stats[b"dataset.bytes"])


def check_all(fleet, clients, receiver, base_memory, v, foreign=(), max_attempts=3):
    """After the load's end, with everything up."""
    history = fleet.redis.history()
    harmed = workers_harmed(fleet.faults)
    v.faults, v.accepted, v.refused = len(fleet.faults), len(clients.jobs), clients.refused
    v.unsure = sum(map(len, clients.unsure_batches))
    v.slowest_refusal = max([s for s, status in clients.refusals if status == 503], default=0.0)
    if clients.refusals:
        v.notes.append("%d jobs refused, %d unsure, the slowest 503 after %.2f s" % (v.refused, v.unsure, v.slowest_refusal))
    for token in foreign:
        history.jobs.pop(token, None)
        clients.jobs.pop(token, None)
    check_jobs(v, clients, history, harmed, max_attempts)
    if not v.losses:
        check_batches(v, clients, history)
    check_answers(v, clients, receiver, history)
    if receiver is not None:
        check_webhooks(v, clients, receiver, history)
    measure_recovery(v, history, fleet)
    check_rest(v, fleet.redis, base_memory)
    v.some("processes that ended unasked", fleet.crashed)
    v.history = history
    return v
