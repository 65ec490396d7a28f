"""Which rows a command line means."""

import sys

import rows
from mutants import MUTANTS
from soak import Soak


def rows_of(a):
    """name -> (row, prelude), in order."""
    matrix, soak = rows.load(), Soak(a.jobs, a.kills, a.minutes)
    if a.mutants:
        known = {"no-" + name: (dict(matrix[row], text="%s: %s" % (row, text), red_wanted=noticed, settle_s=25), prelude)
                 for name, (text, row, noticed, prelude) in MUTANTS.items()}
    else:
        known = {name: (row, None) for name, row in dict(matrix, soak=soak.row()).items()}
    unknown = [r for r in a.rows if r not in known]
    if unknown:
        sys.exit("faults: no such row: %s; there are %s" % (" ".join(unknown), " ".join(known)))
    return {name: what for name, what in known.items() if not a.rows or name in a.rows}
