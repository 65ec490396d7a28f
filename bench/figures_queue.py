"""The queue when it is full: submissions accepted, claims among a million, memory in Redis and of execd itself."""

import json
import statistics
import time

import machine
from programs import HELLO
from server import BUILD, Server, Tool, client
from table import Line, spread_of

BATCH = 100
SOURCE = HELLO["python"][1]


def fill(bench, server, jobs, cores):
    """So many jobs, BATCH a request, by four clients; jobs a second in each of ten parts."""
    file = bench.work / "batch"
    file.write_text(json.dumps({"submissions": [{"language_id": 71, "source_code": SOURCE}] * BATCH}) + "\n")
    got = client("load", "--port", server.port, "--path", "/submit/batch", "--bodies", file, "--expect", '"tokens"',
                 "--clients", 4, "--count", jobs // BATCH, cores=cores)
    if got["wrong"]:
        raise RuntimeError("%d batches were refused" % got["wrong"])
    at = sorted(got["at"])
    size = max(len(at) // 10, 1)
    return [size * BATCH / ((at[i + size - 1] - (at[i - 1] if i else 0)) / 1e9) for i in range(0, size * (len(at) // size), size)]


def settled(server):
    """Redis has rewritten its file, and knows its memory."""
    while True:
        info = server.redis("persistence")
        if info["aof_rewrite_in_progress"] == "0" and info.get("aof_rewrite_scheduled", "0") == "0":
            return int(server.redis("memory")["used_memory"])
        time.sleep(0.2)


def depth(bench, deep, flat):
    """Claims and results a second in both, in turn."""
    pairs = []
    urls = ["unix:%s/state/redis.sock" % s.directory for s in (deep, flat)]
    with Tool(BUILD / "bench/bench-queue", urls[0], 71) as a, Tool(BUILD / "bench/bench-queue", urls[1], 71) as b:
        count = 900  # of 1,000
        for _ in range(bench.rounds(9)):
            pair = [count / (tool.ask(str(count)) / 1e9) for tool in (a, b)]
            pairs.append(pair)
            fill(bench, flat, count, None)
    return pairs


def queue(bench):
    if not bench.wants("queue"):
        return
    jobs = 1000000 if not bench.quick else 100000
    bench.say("a queue of {:,} jobs".format(jobs))
    core = min(bench.cores)
    with Server(bench.work / "deep", roles="api") as deep, Server(bench.work / "flat", roles="api") as flat:
        others = deep.pin(core)
        fill(bench, deep, jobs // 10, others)
        first = machine.resident_kib(deep.pid)
        memory = settled(deep)
        cpu = [machine.cpu_ns(pid) for pid in (deep.pid, deep.child("redis-server"))]
        rates = fill(bench, deep, jobs - jobs // 10, others)
        cpu = [(machine.cpu_ns(pid) - ns) / (jobs - jobs // 10) / 1e3
               for pid, ns in zip((deep.pid, deep.child("redis-server")), cpu)]
        last = machine.resident_kib(deep.pid)
        each = (settled(deep) - memory) / (jobs - jobs // 10) - len(SOURCE)
        bench.add(Line("accept", "accepted jobs a second, batches of 100, one API process on one core",
                       statistics.median(rates), least=15000, spread=spread_of(rates),
                       detail="{:,} jobs, each on the disk before it is answered; cpu a job: execd {:.0f} µs, Redis {:.0f} µs"
                       .format(jobs, *cpu)))
        bench.add(Line("queue.memory", "memory in Redis for a queued job, beside its source", each, "bytes", most=1024,
                       detail="{:,} of them".format(jobs)))
        bench.add(Line("rss.api", "execd's resident memory, API: growth from {:,} to {:,} accepted".format(jobs // 10, jobs),
                       (last - first) / 1024, "MiB", most=1, detail="%.1f MiB then %.1f MiB" % (first / 1024, last / 1024)))
        fill(bench, flat, 1000, None)
        pairs = depth(bench, deep, flat)
        ours, theirs = (statistics.median(p[i] for p in pairs) for i in (0, 1))
        bench.add(Line.ratio("queue.depth", "claim and finish, {:,} queued / 1,000 queued".format(jobs), pairs, least=0.9,
                             detail="{:,.0f} / {:,.0f} a second".format(ours, theirs)))
