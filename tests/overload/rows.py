"""What is done to execd, what is measured meanwhile, and what must hold."""

import contextlib
import json
import subprocess
import time

import crowd
from server import BUILD, Execd, end_with_us
from watch import PROGRAM, Askers, Processes, cpu_seconds, percentile

CLIENTS = 32  # who wait for their result, for the capacity: enough that no slot waits
QUEUE_S = 2  # the queue is to hold as many jobs as execd does in this time
QUEUE_MOST = 3000
TTL_MS = 10000  # of results: the shortest there is, so that a steady state comes soon
WAIT_S = 60
PROMPT_MS = 100  # /health and /metrics
GOODPUT = 0.9  # of the peak
FLAT, FLAT_MIB = 1.1, 4  # memory at the end beside that of the beginning; what is small may vary by so much
STEADY = 0.15  # of the capacity; a machine on which it changes by more says nothing about goodput
LATE_MS = 50  # the same of a machine that is late by more (`machine`), though execd's jobs keep it busy as well
KEPT = 0.03  # of the time; a machine that keeps execd from running for longer says nothing about how late execd is
IDLE = 10000
CONF = {"plugins": [{"file": "lang-python.so"}]}


class Row:
    """What came of one.  `breaches`: of what must hold; `late`: of time alone, on a machine that was too busy to tell."""

    def __init__(self, name, what):
        self.name, self.what, self.figures, self.notes = name, what, {}, []
        self.breaches, self.late, self.too_busy = [], [], False

    def must(self, holds, text):
        if not holds:
            self.breaches.append(text)

    def in_time(self, holds, text):
        if not holds:
            (self.late if self.too_busy else self.breaches).append(text)

    def as_json(self):
        return {"row": self.name, "what": self.what, "figures": self.figures, "breaches": self.breaches, "late": self.late,
                "notes": self.notes}


# ---- what others see ------------------------------------------------------------------------


def prompt(row, asked):
    """/health and /metrics answer in time, and each question is answered.  What is late with the whole machine (`machine`:
    what a server that does nothing took at the same time) is not execd's."""
    most = PROMPT_MS + asked["machine"]["p99_ms"]
    for name, f in asked.items():
        row.figures[name] = f
        answered = row.in_time if name == "job" else row.must  # a submission that is late is told so: 503 `unsure`
        answered(f["failed"] == 0, "%s: %d of %d not answered: %s" % (name, f["failed"], f["asked"], f["first_failure"]))
        if name != "job":
            row.in_time(f["p99_ms"] <= most, "%s: p99 %.0f ms, to be %.0f at most" % (name, f["p99_ms"], most))
            row.notes.append("%s p50 %.1f, p99 %.1f, most %.0f ms" % (name, f["p50_ms"], f["p99_ms"], f["max_ms"]))


def memory(row, watched, after):
    """Flat from `after` (a part of the time) on, for each name."""
    for name in watched.names():
        first, last = watched.between(name, after, after + 0.2), watched.between(name, 0.8, 1)
        row.figures.setdefault("memory_mib", {})[name] = {"then": round(first, 1), "at_the_end": round(last, 1),
                                                          "peak": round(watched.peak(name), 1)}
        row.must(last <= first * FLAT + FLAT_MIB, "memory of %s: %.1f MiB then, %.1f MiB at the end" % (name, first, last))
        if name in ("execd", "execd-jailer", "redis-server"):
            row.notes.append("%s %.1f then %.1f MiB" % (name, first, last))


# ---- more than it can do ----------------------------------------------------------------------


def bench_client(folder, execd, way, seconds, *options):
    bodies = folder / "bodies"
    bodies.write_bytes(PROGRAM + b"\n")
    command = [str(BUILD / "bench/bench-client"), way, "--port", execd.url.rsplit(":", 1)[1], "--bodies", str(bodies),
               "--path", "/v1/jobs?wait=%d" % WAIT_S, "--seconds", str(seconds), "--expect", '"status":"completed"',
               "--expect", '"stdout":"hello\\n"', *map(str, options)]
    done = subprocess.run(command, stdout=subprocess.PIPE, preexec_fn=end_with_us, timeout=seconds + 3 * WAIT_S)
    if done.returncode != 0:
        raise RuntimeError("`%s` failed" % " ".join(command))
    return json.loads(done.stdout)


def capacity(folder, execd, seconds):
    """Jobs a second; and for each second of cpu time that execd, its Redis and the jobs took, which a busy machine leaves as
    it is."""
    bench_client(folder, execd, "load", 2, "--clients", CLIENTS)  # its runtimes are warm then
    cpu = cpu_seconds(execd.pid)
    got = bench_client(folder, execd, "load", seconds, "--clients", CLIENTS)
    cpu = cpu_seconds(execd.pid) - cpu
    if got["wrong"]:
        raise RuntimeError("%d jobs had another result" % got["wrong"])
    return sum(at <= seconds * 1e9 for at in got["at"]) / seconds, len(got["at"]) / cpu


def start(folder, name, conf=None):
    directory = folder / name
    directory.mkdir()
    return Execd(directory, {**CONF, **(conf or {})})


def overload(a, folder):
    row = Row("overload", "%g times as many jobs as execd can do, for %g s" % (a.times, a.seconds))
    short = min(max(a.seconds / 10, 5), 20)
    with start(folder, "capacity") as execd:
        before = capacity(folder, execd.ready(), short)
    queue = min(int(before[0] * QUEUE_S), QUEUE_MOST)
    with start(folder, "overload", {"queue": {"max_jobs": queue, "result_ttl_ms": TTL_MS}}) as execd:
        capacity(folder, execd.ready(), 2)
        with Askers(execd.url, ("/health", "/metrics")) as askers, Processes(execd.pid) as watched:
            cpu = cpu_seconds(execd.pid)
            got = bench_client(folder, execd, "flood", a.seconds, "--clients", queue + 500, "--rate", before[0] * a.times)
            cpu = cpu_seconds(execd.pid) - cpu
        after = capacity(folder, execd, short)
    row.too_busy = (abs(before[0] - after[0]) > STEADY * max(before[0], after[0])
                    or askers.figures()["machine"]["p99_ms"] > LATE_MS)
    judge_jobs(row, got, (before[0] + after[0]) / 2, queue)
    judge_goodput(row, a, got, cpu, before, after)
    prompt(row, askers.figures())
    if a.seconds >= 60:
        memory(row, watched, 0.2)
    else:
        row.notes.append("memory is judged from 60 s on")
    return row


def judge_jobs(row, got, peak, queue):
    """Accepted jobs have their results, within the time that a full queue takes."""
    waited = [ns / 1e9 for ns in got["good"]]
    refused = [ns / 1e6 for ns in got["refused"]]
    bound = queue / (GOODPUT * peak) + 1
    row.figures.update({
        "queue_max_jobs": queue, "sent": got["sent"], "completed": len(waited), "refused": len(refused),
        "unsure": got["unsure"], "without_result": got["pending"], "not_answered": got["gone"], "wrong": got["wrong"],
        "not_sent": got["unsent"],
        "waited_s": {"p50": round(percentile(waited, 0.5), 2), "p99": round(percentile(waited, 0.99), 2),
                     "max": round(max(waited, default=0), 2), "bound": round(bound, 2)},
        "refused_ms": {"p50": round(percentile(refused, 0.5), 1), "p99": round(percentile(refused, 0.99), 1)}})
    row.must(got["wrong"] + got["gone"] + got["pending"] == 0, "of %d requests %d had another result, %d no answer, %d no result "
             "within %d s" % (got["sent"], got["wrong"], got["gone"], got["pending"], WAIT_S))
    row.in_time(percentile(waited, 0.99) <= bound, "accepted jobs: p99 %.2f s, to be %.2f at most" % (percentile(waited, 0.99), bound))
    row.in_time(got["unsent"] <= got["sent"] / 100, "%d requests could not be sent: no connection was free" % got["unsent"])
    row.notes.append("{:,} completed, p50 {:.2f}, p99 {:.2f} s (bound {:.2f}); {:,} refused, p50 {:.0f}, p99 {:.0f} ms; {} unsure".format(
        len(waited), percentile(waited, 0.5), percentile(waited, 0.99), bound, len(refused), percentile(refused, 0.5),
        percentile(refused, 0.99), got["unsure"]))


def judge_goodput(row, a, got, cpu, before, after):
    """As many jobs as without the others; and, whatever else the machine does, as many for its time of cpu."""
    peak, efficiency = (before[0] + after[0]) / 2, (before[1] + after[1]) / 2
    begin = a.seconds / 5  # the queue is full by then
    goodput = sum(begin <= at / 1e9 <= a.seconds for at in got["good_at"]) / (a.seconds - begin)
    per_cpu = len(got["good"]) / cpu
    row.figures.update({"capacity_before": round(before[0]), "capacity_after": round(after[0]),
                        "offered_a_second": round(before[0] * a.times), "goodput": round(goodput),
                        "of_peak": round(goodput / peak, 3), "per_cpu_second": round(per_cpu, 1),
                        "per_cpu_second_before": round(before[1], 1), "per_cpu_second_after": round(after[1], 1)})
    row.in_time(goodput >= GOODPUT * peak, "goodput %.0f a second, to be %.0f at least" % (goodput, GOODPUT * peak))
    row.in_time(per_cpu >= GOODPUT * efficiency, "%.1f jobs for a second of cpu, to be %.1f at least" % (per_cpu, GOODPUT * efficiency))
    row.notes.append("capacity %.0f a second before, %.0f after; %.0f offered; goodput %.0f, %.0f %% of the peak; jobs for a "
                     "second of cpu: %.1f, %.0f %% of those without overload"
                     % (before[0], after[0], before[0] * a.times, goodput, 100 * goodput / peak, per_cpu, 100 * per_cpu / efficiency))


# ---- slow clients -------------------------------------------------------------------------------


def slow(a, folder, name, what, crowd_of, conf=None, most_mib=320):
    """crowd_of(execd): a context.  most_mib: by which execd may grow; api.buffers_max_bytes and 16 kB a connection."""
    row = Row(name, what)
    with start(folder, name.replace(" ", "-"), conf) as execd, contextlib.ExitStack() as stack:
        capacity(folder, execd.ready(), 2)
        crowd_here = crowd_of(execd)
        with Askers(execd.url) as askers:
            time.sleep(a.slow_seconds / 2)
        alone = askers.figures()["job"]
        with Processes(execd.pid) as watched, Askers(execd.url) as askers:
            count = stack.enter_context(crowd_here)
            time.sleep(a.slow_seconds)
        row.figures["jobs_without_them"] = alone
        row.too_busy = watched.kept > KEPT
        row.figures["execd_kept_from_running"] = round(watched.kept, 3)
        row.notes.append("other processes kept execd from running for %.0f %% of the time" % (100 * watched.kept))
        prompt(row, askers.figures())
        job = askers.figures()["job"]
        most = 2 * alone["p99_ms"] + 50 + askers.figures()["machine"]["p99_ms"]
        row.in_time(job["p99_ms"] <= most, "job: p99 %.0f ms, to be %.0f at most (%.0f without them)"
                    % (job["p99_ms"], most, alone["p99_ms"]))
        row.notes.append("job p50 %.1f, p99 %.1f ms; without them %.1f, %.1f"
                         % (job["p50_ms"], job["p99_ms"], alone["p50_ms"], alone["p99_ms"]))
        grown = watched.peak("execd") - watched.samples[0][1].get("execd", 0)
        row.figures["execd_grew_mib"] = round(grown, 1)
        row.must(grown <= most_mib, "execd grew by %.0f MiB, to be %d at most" % (grown, most_mib))
        row.notes.append("execd grew by %.1f MiB" % grown)
        cut = execd.logged().count("connection_cut")
        row.figures["cut_lines"] = cut
        if isinstance(count, int):
            row.figures["connections"] = count
    return row


def slow_headers(a, folder):
    return slow(a, folder, "slow headers", "slowhttptest -H: %d clients, a header each 5 s" % crowd.CONNECTIONS,
                lambda execd: crowd.slow_headers(execd.url))


def slow_body(a, folder):
    return slow(a, folder, "slow body", "slowhttptest -B: %d clients, a few bytes each 5 s" % crowd.CONNECTIONS,
                lambda execd: crowd.slow_body(execd.url))


def slow_read(a, folder):
    def crowd_of(execd):
        token = execd.submit({"language_id": 71, "source_code": "print('x' * 1000000)"})[0]
        assert execd.result(token)["status"] == "completed"
        return crowd.slow_read(execd.url, token, rate=10)

    return slow(a, folder, "slow read", "slowhttptest -X: 10 more each second ask for a result of 1 MB, and read 32 bytes each 5 s", crowd_of)


def idle(a, folder):
    return slow(a, folder, "idle", "%d idle connections, each kept" % IDLE, lambda execd: crowd.idle(execd.url, IDLE),
                conf={"api": {"connections_max": IDLE + 1000}})


def idle_beyond(a, folder):
    return slow(a, folder, "idle beyond", "%d idle connections, with places for 4096" % IDLE,
                lambda execd: crowd.idle(execd.url, IDLE))


def vanished(a, folder):
    return slow(a, folder, "vanished", "3000 clients gone without a word, half of them in a request",
                lambda execd: crowd.vanished(execd.url, 3000))


def half_open(a, folder):
    return slow(a, folder, "half open", "2000 SYNs a second from where no answer ever comes",
                lambda execd: crowd.half_open(execd.url))


ROWS = {"overload": overload, "slow-headers": slow_headers, "slow-body": slow_body, "slow-read": slow_read, "idle": idle,
        "idle-beyond": idle_beyond, "vanished": vanished, "half-open": half_open}


def run(a, folder):
    import report

    outcome = []
    for name in a.rows or ROWS:
        outcome.append(ROWS[name](a, folder).as_json())
        report.say(outcome[-1])
    return outcome
