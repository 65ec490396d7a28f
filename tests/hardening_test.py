#!/usr/bin/env python3
"""What the linker and the compiler did for our safety, read from what was built (as checksec does, by readelf).

Usage: hardening_test.py [--no-fortify] [--compile-commands FILE] [--cc COMPILER] FILE...
Prints one line a file, and each thing that is missing; exit status 1 if anything is.

The sanitizers' builds replace these flags and are not looked at.  A debug build has no FORTIFY: the C library
offers it to optimised code alone.
"""

import argparse
import json
import pathlib
import platform
import re
import subprocess
import sys


def readelf(*args):
    return subprocess.run(["readelf", "--wide", *args], check=True, capture_output=True, text=True).stdout


class Elf:
    def __init__(self, path):
        self.header = readelf("--file-header", path)
        self.segments = readelf("--program-headers", path)
        self.dynamic = readelf("--dynamic", path)
        self.notes = readelf("--notes", path)
        self.undefined = {line.split()[-1].split("@")[0] if "(" not in line.split()[-1] else line.split()[-2].split("@")[0]
                          for line in readelf("--dyn-syms", path).splitlines() if " UND " in line}
        self.machine = re.search(r"Machine:\s+(.*)", self.header).group(1)

    def flags(self, kind):
        """The flags of the segments of that kind, e.g. {"RW"}."""
        return [re.sub(r"0x\S+", "", line)[len(kind) + 2:].replace(" ", "") for line in self.segments.splitlines()
                if line.strip().startswith(kind + " ")]

    def has_dynamic(self, pattern):
        return re.search(pattern, self.dynamic) is not None


def no_segment_is_written_and_run(e):
    return all(not ("W" in f and "E" in f) for f in e.flags("LOAD"))


def code_is_apart(e):
    """-z separate-code: the segment that is run holds no headers and no constants."""
    return len(e.flags("LOAD")) >= 4


CHECKS = [
    ("position-independent", lambda e: re.search(r"Type:\s+DYN", e.header) is not None),
    ("RELRO", lambda e: len(e.flags("GNU_RELRO")) == 1),
    ("BIND_NOW", lambda e: e.has_dynamic(r"BIND_NOW|FLAGS.*\bNOW\b")),
    ("stack not executable", lambda e: e.flags("GNU_STACK") != [] and all("E" not in f for f in e.flags("GNU_STACK"))),
    ("nothing written and run", no_segment_is_written_and_run),
    ("code apart from data", code_is_apart),
    ("no RPATH, no RUNPATH", lambda e: not e.has_dynamic(r"\((RPATH|RUNPATH)\)")),
    ("no TEXTREL", lambda e: not e.has_dynamic("TEXTREL")),
    ("stack canary", lambda e: "__stack_chk_fail" in e.undefined),
]
FORTIFY = ("FORTIFY", lambda e: any(re.fullmatch(r"__\w+_chk", s) for s in e.undefined - {"__stack_chk_fail"}))
X86 = [("CET return addresses (SHSTK)", lambda e: "SHSTK" in e.notes)]
X86_BRANCHES = [("CET indirect branches (IBT)", lambda e: "IBT" in e.notes)]
ARM = [("branch targets (BTI)", lambda e: "BTI" in e.notes)]
# Flags that leave no trace that every file must have.
UNSEEN = ["-fstack-protector-strong", "-fstack-clash-protection", "-ftrivial-auto-var-init=zero", "-Wformat=2"]


def landing_pads_of_system(cc):
    """Have the start files of this system the note?  Without it the linker gives it to nothing they are part of."""
    file = subprocess.run([cc, "-print-file-name=crti.o"], check=True, capture_output=True, text=True).stdout.strip()
    notes = readelf("--notes", file)
    return "IBT" in notes or "BTI" in notes


def checks_for(machine, fortify, pads):
    checks = CHECKS + ([FORTIFY] if fortify else [])
    if "X86-64" in machine:
        return checks + X86 + (X86_BRANCHES if pads else [])
    return checks + (ARM if "AArch64" in machine and pads else [])


def check_file(path, fortify, pads):
    e = Elf(path)
    checks = checks_for(e.machine, fortify, pads)
    missing = [name for name, holds in checks if not holds(e)]
    print("%-24s %s" % (path.name, "missing: " + ", ".join(missing) if missing else "all of %d" % len(checks)))
    return missing


def check_commands(path, fortify):
    """Each of our sources was compiled with the flags that cannot be seen afterwards."""
    missing, count = [], 0
    for entry in json.loads(path.read_text()):
        if not re.search(r"/(core|plugins)/", entry["file"]) or "/tests/" in entry["file"]:
            continue
        count += 1
        words = entry["command"].split()
        for flag in UNSEEN + (["-D_FORTIFY_SOURCE=3"] if fortify else []):
            if flag not in words:
                missing.append("%s: compiled without %s" % (entry["file"], flag))
        notes = readelf("--notes", str(path.parent / words[words.index("-o") + 1]))
        if "x86_64" in platform.machine() and not ("IBT" in notes and "SHSTK" in notes):
            missing.append("%s: compiled without landing pads (-fcf-protection)" % entry["file"])
    print("%-24s %s" % ("compile commands", "\n".join(missing) or "all of %d sources" % count))
    return missing or ([] if count else ["no sources"])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--no-fortify", action="store_true")
    p.add_argument("--compile-commands", type=pathlib.Path)
    p.add_argument("--cc", default="cc")
    p.add_argument("files", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    pads = landing_pads_of_system(a.cc)
    print("start files of this system %s the notes of landing pads: they are %s"
          % (("have", "looked for in each program too") if pads else ("lack", "looked for in each object file alone")))
    missing = [m for f in a.files for m in check_file(f, not a.no_fortify, pads)]
    if a.compile_commands:
        missing += check_commands(a.compile_commands, not a.no_fortify)
    return 1 if missing else 0


sys.exit(main())
