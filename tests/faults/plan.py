"""Which rows a command line means."""

import sys

from mutants import MUTANTS
from rows import ROWS
from soak import Soak


def rows_of(a):
    """(name, row, prelude) of each, in order."""
    soak = Soak(a.jobs, a.kills, a.minutes)
    if a.mutants:
        for name, (text, prelude) in MUTANTS.items():
            if not a.rows or name in a.rows:
                yield name, dict(soak.row(), text=text, red_wanted=True), prelude
        return
    known = dict(ROWS, soak=soak.row())
    unknown = [r for r in a.rows if r not in known]
    if unknown:
        sys.exit("faults: no such row: %s; there are %s" % (" ".join(unknown), " ".join(known)))
    for name, row in known.items():
        if not a.rows or name in a.rows:
            yield name, row, None
