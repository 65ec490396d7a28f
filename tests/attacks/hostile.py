"""Programs that no compiler of the product's sees: built here, run by the languages of plugin/lang_hostile.c."""

import functools
import pathlib
import subprocess
import tempfile


PROGRAMS = pathlib.Path(__file__).parent / "programs"


def source(id, name=None):
    """The row's C program after the lines that all of them begin with."""
    own = PROGRAMS / ("%s%s.c" % (id, "_" + name if name else ""))
    return (PROGRAMS / "attempt.h").read_bytes() + b"#line 1 \"%s\"\n" % own.name.encode() + own.read_bytes()


@functools.lru_cache(None)
def elf(source, *flags):
    """The bytes of a program built from C `source` by the machine's own compiler."""
    with tempfile.TemporaryDirectory() as directory:
        out = pathlib.Path(directory, "a.out")
        made = subprocess.run(["gcc", "-O1", "-w", *flags, "-o", str(out), "-x", "c", "-"], input=source, capture_output=True)
        assert made.returncode == 0, made.stderr.decode(errors="replace")
        return out.read_bytes()


def lines(result):
    """What a program reported: "name value" per line -> dict; each name once."""
    found = {}
    for line in result.text.splitlines():
        name, _, value = line.partition(" ")
        assert name not in found, "%s is reported twice" % name
        found[name] = value
    return found
