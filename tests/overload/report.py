"""Rows as lines, as JSON and as the table of docs/reliability.md."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- overload: begin -->", "<!-- overload: end -->"
HEAD = "| row | what is done | outcome |\n|---|---|---|\n"


def word(e):
    return "red" if e["breaches"] else "late, on a machine too busy to tell" if e["late"] else "holds"


def say(e):
    print("%s: %s: %s" % (e["row"], e["what"], word(e)))
    for text in e["notes"]:
        print("    " + text)
    for text in e["breaches"] + e["late"]:
        print("    ! " + text)
    print(end="", flush=True)


def machine():
    """Which core/ on what, and how busy that was with other things."""
    core = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short=7", "HEAD:core"], capture_output=True, text=True)
    return {"core": core.stdout.strip() or "?", "cores": len(os.sched_getaffinity(0)), "kernel": os.uname().release,
            "load_1_minute": os.getloadavg()[0], "niceness": os.nice(0)}


def line(e):
    return "| %s | %s | %s |" % (e["row"], e["what"], "; ".join([word(e)] + e["breaches"] + e["late"] + e["notes"]))


def write(outcome):
    """Renews the lines of the rows that were run; the others stay as they are."""
    before, rest = DOCUMENT.read_text().split(BEGIN)
    table, after = rest.split(END)
    lines = {t.split("|")[1].strip(): t for t in table.splitlines() if t.startswith("| ") and not t.startswith("| row")}
    lines.update((e["row"], line(e)) for e in outcome)
    DOCUMENT.write_text(before + BEGIN + "\n" + HEAD + "\n".join(lines.values()) + "\n" + END + after)


def conclude(a, outcome, seconds):
    """The exit status: 0 if all hold."""
    bad = [e["row"] for e in outcome if e["breaches"] or e["late"]]
    result = {"machine": machine(), "seconds": round(seconds), "rows": outcome}
    folder = ROOT / "build/overload"
    folder.mkdir(parents=True, exist_ok=True)
    for file in [folder / "results.json"] + ([a.json] if a.json else []):
        file.write_text(json.dumps(result, indent=1) + "\n")
    if a.write:
        write(outcome)
    m = result["machine"]
    print("%d rows in %.0f s; %d cores, niceness %d, load %.1f at the end; not as they should be: %s"
          % (len(outcome), seconds, m["cores"], m["niceness"], m["load_1_minute"], ", ".join(bad) or "none"))
    return 1 if bad else 0
