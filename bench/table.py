"""The lines of the table: what each must reach, how it is told."""

import math
import statistics


def quantile(values, q):
    """The smallest value that q of all do not exceed."""
    return sorted(values)[max(math.ceil(q * len(values)) - 1, 0)]


def spread_of(values):
    return [min(values), max(values)] if len(values) > 1 else None


class Line:
    """`most` or `least` is the target; without either the line is a report.  `spread`: between rounds."""

    def __init__(self, key, title, reached, unit="", most=None, least=None, spread=None, detail="", target=None, ok=None):
        self.key, self.title, self.reached, self.unit = key, title, reached, unit
        self.most, self.least, self.spread, self.detail = most, least, spread, detail
        self.target = target or ("≤ %s" % tell(most, unit) if most is not None else
                                 "≥ %s" % tell(least, unit) if least is not None else "reported")
        if ok is None and most is not None:
            ok = reached <= most
        if ok is None and least is not None:
            ok = reached >= least
        self.ok = ok

    @classmethod
    def ratio(cls, key, title, pairs, **kw):
        """`pairs`: (ours, theirs) of each round; the median of the rounds' ratios."""
        ratios = [a / b for a, b in pairs]
        return cls(key, title, statistics.median(ratios), spread=spread_of(ratios), **kw)

    def as_json(self):
        return {k: v for k, v in vars(self).items() if v is not None}

    def cells(self):
        spread = "" if not self.spread else "%s..%s" % (tell(self.spread[0], self.unit), tell(self.spread[1], self.unit))
        return [self.title, self.target, tell(self.reached, self.unit), spread,
                "" if self.ok is None else "PASS" if self.ok else "miss", self.detail]


def tell(value, unit=""):
    if isinstance(value, str):
        return value
    if value == 0 or abs(value) >= 100:
        text = "{:,.0f}".format(value)
    else:
        text = "%.3g" % value if abs(value) < 1 else "%.2f" % value if unit == "" else "%.1f" % value
    return text + (" " + unit if unit else "")


HEAD = ["figure", "target", "reached", "rounds", "", "measured"]


def plain(lines):
    rows = [HEAD] + [line.cells() for line in lines]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    text = []
    for i, row in enumerate(rows):
        text.append("  ".join(cell.ljust(w) for cell, w in zip(row, widths)) + "  " + row[5])
        if i == 0:
            text.append("  ".join("-" * w for w in widths) + "  " + "-" * len(HEAD[5]))
    return "\n".join(line.rstrip() for line in text)


def markdown(lines):
    rows = [HEAD] + [line.cells() for line in lines]
    rows[0][4] = "met"
    return "\n".join(["| %s |" % " | ".join(rows[0]), "|" + "---|" * 6] +
                     ["| %s |" % " | ".join(row) for row in rows[1:]])
