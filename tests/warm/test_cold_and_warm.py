"""A job in a warm runtime cannot be told from a cold one: the same bytes, the same verdict.

Each program runs in a server that keeps warm runtimes and in one that does not, and the warm run counts only if the
counters say that it was one.  What may differ is in DIFFERENCES, each with its reason, and nowhere else."""

import difflib
import re

import pytest
from pair import COMPARED, real_programs, small_programs

SMALL, REAL = small_programs(), real_programs()

# Which programs, which field; what is taken out of both (^ and $ are ends of lines); why.
DIFFERENCES = [
    (r"python/.*", "std(out|err)", r"0x[0-9a-f]{8,}", "addresses: of two cold runs they differ too"),
    (r"python/threads", "stdout", r"started \d{9,}", "a thread's identity is an address"),
    (r"python/proc_list", "stdout", r"1 execd-init \['.'", "whether PID 1 runs at this moment is a matter of chance"),
    (r"python/proc_cmdline", "stdout", r", '(a|b)'", "/proc/self/cmdline is that of the start: without the arguments"),
    (r"java/proc_cmdline", "stdout", r", a, b(?=\]\n\[)", "likewise"),
    (r"node/proc_facts", "stdout", r"EXECD_BOOT_FD=.*?\\x00NODE_OPTIONS=.*?\\x00", "/proc/self/environ is that of the start"),
    (r"(node|java)/proc_facts", "stdout", r"Max cpu time .*", "the limit above the measured one, with what the boot took"),
    (r"python/mounts", "stdout", r"\('/proc', '[^']*'\), ", "a cell in a zygote's has its /proc above the zygote's"),
    (r"[a-z]*/output_limit|node/big_output", "stderr|signal|exit_code", r"(?s:.+)",
     "whether it hears of it before it is killed is a matter of chance"),
    (r"python/recursion_import", "stdout", r"^no import \d+\n", "what is ready needs no depth to be imported"),
    (r"node/.*", "stderr", r"(?s:(----- Native stack trace -----| 1: 0x).*)", "an abort's own stack is one of addresses"),
    (r"node/.*", "stderr", r"\(node:\d+\)|^\s*#?\d*\s*<---.*|\[\d+:0x.*|^\[\d+\].*", "the collector's last words: times"),
    (r"c/.*", "compile_output", r"/tmp/cc\w{6}", "names of the compiler's files: of two cold runs they differ too"),
    (r"java/.*", "std(out|err)", r"(?s:# A fatal error.*)", "a crash report: addresses, times"),
]


def comparable(name, result):
    result = {key: str(result[key]) for key in COMPARED}
    for programs, fields, pattern, _ in DIFFERENCES:
        for key in COMPARED:
            if re.fullmatch(programs, name) and re.fullmatch(fields, key):
                result[key] = re.sub(pattern, "", result[key], flags=re.M)
    return result


def differences(cold, warm):
    lines = []
    for key in COMPARED:
        if cold[key] != warm[key]:
            lines += difflib.unified_diff(cold[key].splitlines(), warm[key].splitlines(), "cold " + key, "warm " + key,
                                          lineterm="", n=1)
    return "\n".join(line[:2000] for line in lines[:100])


def same(runs, pair, name, program):
    cold, warm, ways = runs[name].result()[name]
    found = differences(comparable(name, cold), comparable(name, warm))
    assert not found, found
    assert ways == pair.expected(program, warm), "it ran cold"
    return warm


def test_small_programs(runs, pair, small):
    same(runs, pair, small, SMALL[small])


def test_real_programs(runs, pair, real):
    assert same(runs, pair, real, REAL[real])["status"] == "completed"


@pytest.mark.parametrize("language,least", [("python", 40), ("node", 40), ("java", 30), ("c", 15)])
def test_there_are_enough_programs(language, least):
    assert sum(name.startswith(language + "/") for name in SMALL) >= least
