"""Every row of catalogue.tsv is there, once, and those that every change must pass are marked."""

import csv
import pathlib

from rows import ROWS


def catalogue():
    with open(pathlib.Path(__file__).parent / "catalogue.tsv", newline="") as f:
        return {line["id"]: line["star"] == "*" for line in csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE)}


def test_every_row_is_there(request):
    if request.config.getoption("file_or_dir") and not any(
            a.rstrip("/").endswith("attacks") for a in request.config.getoption("file_or_dir")):
        return  # single files were asked for
    wanted = catalogue()
    assert not set(wanted) - set(ROWS), "missing: %s" % sorted(set(wanted) - set(ROWS))
    assert not set(ROWS) - set(wanted), "not in the catalogue: %s" % sorted(set(ROWS) - set(wanted))
    wrong = [i for i in wanted if wanted[i] != ROWS[i][0]]
    assert not wrong, "star wrong: %s" % wrong
