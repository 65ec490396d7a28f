"""programs/calls.c as a program and as a library: system calls made the moment that it is loaded, by whoever loads it."""

import base64
import functools

from hostile import elf
from rows import PROGRAMS

ANSWERS = {"getpid": "yes", "io_uring_setup": "ENOSYS"}  # of all others: EPERM


@functools.lru_cache(None)
def library():
    """The library as base64, for a program's standard input."""
    return base64.encodebytes(elf((PROGRAMS / "calls.c").read_bytes(), "-shared", "-fPIC", "-D_GNU_SOURCE"))


def as_program(attack, language):
    """What a C program under the profile of that language of plugin/lang_hostile.c reports."""
    binary = elf((PROGRAMS / "calls.c").read_bytes(), "-D_GNU_SOURCE", "-DPROGRAM")
    return attack.run(language, source=binary).expect("OK").text


def check(text):
    """Every line is what it must be; returns the names."""
    found = dict(line.split(" ") for line in text.splitlines())
    assert len(found) >= 32, text
    wrong = {k: v for k, v in found.items() if v != ANSWERS.get(k, "EPERM")}
    assert not wrong, wrong
    return set(found)
