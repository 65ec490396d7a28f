"""Which rows a command line means."""

import sys

import rows
from mutants import MUTANTS
from soak import Soak


def rows_of(a):
    """(name, row, prelude) of each, in order."""
    matrix, soak = rows.load(), Soak(a.jobs, a.kills, a.minutes)
    if a.mutants:
        for name, (text, row, prelude) in MUTANTS.items():
            if not a.rows or name in a.rows:
                yield "no " + name, dict(matrix[row], text="%s: %s" % (row, text), red_wanted=True, settle_s=25), prelude
        return
    known = dict(matrix, soak=soak.row())
    unknown = [r for r in a.rows if r not in known]
    if unknown:
        sys.exit("faults: no such row: %s; there are %s" % (" ".join(unknown), " ".join(known)))
    for name, row in known.items():
        if not a.rows or name in a.rows:
            yield name, row, None
