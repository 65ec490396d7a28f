"""The figures as one SVG: three panels of bars, made here, so that nothing has to be installed to draw it."""

import math
from xml.sax.saxutils import escape

from programs import NAMES

WIDTH, LABEL, BAR, GAP, RIGHT = 860, 190, 20, 12, 150
INK, SOFT, OURS, THEIRS, MARK = "#1a1a1a", "#6b6b6b", "#2f6fab", "#b9c2cc", "#c0392b"


class Page:
    def __init__(self):
        self.parts, self.y = [], 0

    def text(self, x, y, text, size=13, fill=INK, anchor="start", weight="normal"):
        self.parts.append('<text x="%.1f" y="%.1f" font-size="%d" fill="%s" text-anchor="%s" font-weight="%s">%s</text>'
                          % (x, y, size, fill, anchor, weight, escape(text)))

    def bar(self, y, width, fill):
        self.parts.append('<rect x="%d" y="%.1f" width="%.1f" height="%d" rx="2" fill="%s"/>'
                          % (LABEL, y, max(width, 1), BAR, fill))

    def heading(self, title, note):
        self.y += 34
        self.text(16, self.y, title, 16, weight="bold")
        self.text(16, self.y + 18, note, 12, SOFT)
        self.y += 30

    def row(self, label, width, fill, value, mark=None, mark_text=""):
        self.bar(self.y, width, fill)
        self.text(LABEL - 10, self.y + 15, label, anchor="end")
        self.text(LABEL + max(width, mark or 0) + 8, self.y + 15, value, 12)
        if mark is not None:
            self.parts.append('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="2"><title>%s</title></line>'
                              % (LABEL + mark, LABEL + mark, self.y - 4, self.y + BAR + 4, MARK, escape(mark_text)))
        self.y += BAR + GAP

    def done(self):
        height = self.y + 16
        return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" '
                'font-family="system-ui, sans-serif">\n<rect width="100%%" height="100%%" fill="#ffffff"/>\n%s\n</svg>\n'
                % (WIDTH, height, WIDTH, height, "\n".join(self.parts)))


def of(lines, group):
    return [line for line in lines if line.key.startswith(group + ".") and line.key.split(".")[1] in NAMES]


def latency(page, lines):
    room = WIDTH - LABEL - RIGHT
    top = max([1.0] + [line.reached for line in lines])
    page.heading("From submission to result, as a share of doing it by hand",
                 "shorter is better; grey: by hand on the same machine; red: the target")
    for line in lines:
        page.bar(page.y, room / top, THEIRS)
        page.row(NAMES[line.key.split(".")[1]], room * line.reached / top, OURS, "", room * line.most / top, line.target)
        page.text(LABEL + room + 8, page.y - GAP - 5, "%.2f  (%s)" % (line.reached, line.detail.split(",")[0]), 11)


def throughput(page, lines):
    room = WIDTH - LABEL - RIGHT
    low, high = math.log2(0.125), math.log2(max([16] + [line.reached for line in lines]))

    def at(value):
        return room * (math.log2(max(value, 0.125)) - low) / (high - low)

    page.heading("Jobs a second with both cores busy, in times of two shells looping",
                 "longer is better; the scale doubles from 1/8 on; grey: the shells; red: the target")
    for line in lines:
        page.row(NAMES[line.key.split(".")[1]], at(line.reached), OURS, "", at(line.least), line.target)
        page.parts.append('<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke="%s" stroke-width="3"/>'
                          % (LABEL + at(1), LABEL + at(1), page.y - GAP - BAR - 2, page.y - GAP + 2, THEIRS))
        page.text(LABEL + room + 8, page.y - GAP - 5, "%.2f x" % line.reached, 12)


def sandbox(page, lines):
    room = WIDTH - LABEL - RIGHT
    top = max(line.reached for line in lines)
    names = {"execd": "execd's jailer", "bare": "no sandbox"}
    page.heading("A static C program in a sandbox of its own: cpu time", "shorter is better; kernel threads included")
    for line in lines:
        name = line.key.split(".")[1]
        page.row(names.get(name, name), room * line.reached / top, OURS if name == "execd" else THEIRS, "%.2f ms" % line.reached)


def draw(result, lines):
    page = Page()
    m = result["machine"]
    page.heading("execd beside the same work by hand",
                 "%s, %d cores, Linux %s, %s" % (m["cpu"], m["cores"], m["kernel"], result["date"]))
    for draw_panel, chosen in ((latency, of(lines, "latency")), (throughput, of(lines, "throughput")),
                               (sandbox, [line for line in lines if line.key in
                                          ("sandbox.execd", "sandbox.bare", "sandbox.bubblewrap", "sandbox.crun")])):
        if chosen:
            draw_panel(page, chosen)
    return page.done()
