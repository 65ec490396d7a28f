"""What is written down: a table for a terminal, JSON, a chart, and the generated parts of docs/performance.md."""

import json
import re

import cells
import chart
import costs
import steps
from table import markdown, plain

PARTS = (("steps", steps), ("costs", costs), ("cells", cells))


def machine_lines(result):
    m = result["machine"]
    return ["%s, %d cores, %d MiB, Linux %s%s" % (m["cpu"], m["cores"], m["memory_mib"], m["kernel"],
                                                  "" if m["root"] else ", as an ordinary user"),
            "; ".join(m[k] for k in ("python", "node", "java", "gcc", "redis", "bubblewrap", "crun") if m[k]),
            "%s, %d s; the machine was %d %% busy before%s" %
            (result["date"], result["seconds"], round(100 * m["busy_before"]),
             "; niceness %d" % m["priority"] if m["priority"] else "")]


def text(result, lines):
    met = [line.ok for line in lines if line.ok is not None]
    parts = ["\n".join(machine_lines(result)), plain(lines), "%d of %d targets met" % (sum(met), len(met))]
    parts += [part.plain(result[name]) for name, part in PARTS if result[name]]
    return "\n\n".join(parts)


def write(directory, result, lines):
    (directory / "results.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    (directory / "results.txt").write_text(text(result, lines) + "\n")
    (directory / "results.svg").write_text(chart.draw(result, lines))


def replace_part(page, name, body):
    begin, end = "<!-- %s -->" % name, "<!-- end of %s -->" % name
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.S)
    if not pattern.search(page):
        raise SystemExit("docs/performance.md has no part `%s`" % name)
    return pattern.sub(lambda _: "%s\n%s\n%s" % (begin, body, end), page)


def keep(root, result, lines):
    directory = root / "bench/results"
    directory.mkdir(exist_ok=True)
    write(directory, result, lines)
    file = root / "docs/performance.md"
    page = replace_part(file.read_text(), "figures", "%s\n\n%s" % ("  \n".join(machine_lines(result)), markdown(lines)))
    for name, part in PARTS:
        if result[name]:
            page = replace_part(page, name, part.markdown(result[name]))
    file.write_text(page)
