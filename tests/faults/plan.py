"""Which rows a command line means."""

import sys

import rows
from mutants import MUTANTS
from soak import Soak

SETTLE_MUTANT_S = 25  # what a mutant has lost never comes


def rows_of(a):
    """name -> (row, prelude), in order."""
    matrix, soak = rows.load(), Soak(a.jobs, a.kills, a.minutes)
    if a.mutants:
        known = {"no-" + name: without(matrix[MUTANTS[name][1]], MUTANTS[name][1], name) for name in MUTANTS}
    else:
        known = {name: (row, None) for name, row in dict(matrix, soak=soak.row()).items()}
    if a.without:
        if a.mutants or a.without not in MUTANTS:
            sys.exit("faults: --without one of %s, and not with --mutants" % ", ".join(MUTANTS))
        known = {name: without(row, name, a.without) for name, (row, _) in known.items()
                 if not {"cluster", "sentinels"} & set(row.get("fleet", {}))}  # the relay takes the guarantee away
    unknown = [r for r in a.rows if r not in known]
    if unknown:
        sys.exit("faults: no such row: %s; there are %s" % (" ".join(unknown), " ".join(known)))
    return {name: what for name, what in known.items() if not a.rows or name in a.rows}


def without(row, row_name, guarantee):
    """The row on a store that lacks that guarantee."""
    text, _, noticed, prelude = MUTANTS[guarantee]
    more = {"text": row_name, "without": guarantee, "lacks": text, "red_wanted": noticed, "settle_s": SETTLE_MUTANT_S}
    return dict(row, **more), prelude
