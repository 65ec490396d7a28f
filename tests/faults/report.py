"""Rows as lines, JSON and the table of docs/reliability.md."""

import json
import pathlib
import re
import subprocess
import sys

from check import percentile

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/reliability.md"
HEAD = ("| row | what is done | faults | accepted | lost | duplicated | recovery p50 / p99 (s) | outcome | core |\n"
        "|---|---|--:|--:|--:|--:|--:|---|---|\n")
HEAD_MUTANTS = ("| without, in row | so | red, because of | core |\n"
                "|---|---|---|---|\n")


def measured():
    """Which core/ this is, so that a line of the table says what it was measured on."""
    r = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short=7", "HEAD:core"], capture_output=True, text=True)
    return r.stdout.strip() or "?"


def entry(name, row, v, seconds):
    return {"row": name, "what": row["text"], "faults": v.faults, "accepted": v.accepted, "unsure": v.unsure,
            "refused": v.refused, "lost": v.lost, "duplicated": v.duplicated, "recoveries": len(v.recoveries),
            "recovery_p50": round(percentile(v.recoveries, 0.5), 2), "recovery_p99": round(percentile(v.recoveries, 0.99), 2),
            "recovery_late": v.late, "restart_p99": round(percentile(v.restarts, 0.99), 2), "poisoned": v.poisoned, "webhooks": v.webhooks,
            "slowest_refusal": round(v.slowest_refusal, 2), "seconds": round(seconds, 1), "breaches": v.breaches,
            "notes": v.notes, "red_wanted": row.get("red_wanted", ""), "without": row.get("without"), "lacks": row.get("lacks")}


def say(e):
    print("%-18s %4d faults, %5d accepted, %d lost, %d duplicated, %d recovered (p99 %.2f s, %d late, run again %.2f s), %.0f s: %s"
          % (e["row"], e["faults"], e["accepted"], e["lost"], e["duplicated"], e["recoveries"], e["recovery_p99"],
             e["recovery_late"], e["restart_p99"], e["seconds"], "RED" if e["breaches"] else "ok"), flush=True)
    for n in e["notes"]:
        print("    " + n)
    for b in e["breaches"]:
        print("    ! " + b[:600], flush=True)


def line(e):
    recovery = "%.2f / %.2f" % (e["recovery_p50"], e["recovery_p99"]) if e["recoveries"] else "-"
    outcome = "; ".join(["red" if e["breaches"] else "holds"] + e["notes"])
    return "| %s | %s | %d | %d | %d | %d | %s | %s | %s |" % (e["row"], e["what"], e["faults"], e["accepted"], e["lost"],
                                                              e["duplicated"], recovery, outcome, measured())


def said(e):
    """How a mutant was noticed, in the words that it is to be noticed by: how many there are, or the first of its kind."""
    for b in e["breaches"]:
        what, *instances = re.split(r"(?:, for instance |; )(?:[0-9a-f-]{36}: )?", b)
        if re.search(e["red_wanted"], b):
            return what if re.search(e["red_wanted"], what) else next(i for i in instances if re.search(e["red_wanted"], i))
    return None


def line_mutant(e):
    return "| %s, %s | %s | %s | %s |" % (e["without"], e["what"], e["lacks"], said(e), measured())


def key(t):
    """Of a line, the row; of a mutant's, that and what is missing."""
    return t.split("|")[1].strip()


def write(outcome, mutants):
    """Renews the lines of the rows that were run; the others stay as they are."""
    name, head, of = ("mutants", HEAD_MUTANTS, line_mutant) if mutants else ("faults", HEAD, line)
    begin, end = "<!-- %s: begin -->" % name, "<!-- %s: end -->" % name
    before, rest = DOCUMENT.read_text().split(begin)
    table, after = rest.split(end)
    lines = {key(t): t for t in table.splitlines() if t.startswith("| ") and t not in head}
    lines.update((key(t), t) for t in map(of, outcome))
    order = sorted(lines, key=lambda row: (row.startswith("soak"), row))
    DOCUMENT.write_text(before + begin + "\n" + head + "\n".join(lines[n] for n in order) + "\n" + end + after)


def as_it_should_be(e):
    """No breach; of a mutant the one that it is there for."""
    return said(e) is not None if e["red_wanted"] else not e["breaches"]


def conclude(a, outcome, seconds):
    """The exit status: 0 if every row is as it should be."""
    bad = [e["row"] for e in outcome if not as_it_should_be(e)]
    total = {k: sum(e[k] for e in outcome) for k in ("faults", "accepted", "lost", "duplicated")}
    print("%d rows, %d faults, %d accepted, %d lost, %d duplicated, in %.0f s; not as they should be: %s"
          % (len(outcome), total["faults"], total["accepted"], total["lost"], total["duplicated"], seconds,
             " ".join(bad) or "none"))
    if a.json:
        a.json.write_text(json.dumps({"seed": a.seed, "seconds": round(seconds, 1), "total": total, "rows": outcome}, indent=1))
    if a.write and not bad:
        write(outcome, a.mutants or a.without)
    sys.stdout.flush()
    return 1 if bad else 0
