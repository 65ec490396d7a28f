"""All memory that this process can read, searched for what stdin has: words in hexadecimal, each byte of which is masked, so
that looking for them does not put them there."""
import ctypes
import os
import re
import sys

MASK = bytes(b ^ 0x5A for b in range(256))
PIECE, OVERLAP = 1 << 20, 256
own = "a word of this program's"  # which must be found
words = [bytes.fromhex(w) for w in sys.stdin.read().split()]
found = [0] * len(words)
shared = searched = 0
for line in open("/proc/self/maps"):
    start, end, mode, name = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line).groups()
    shared += mode[1] == "w" and mode[3] == "s"
    if mode[0] != "r" or name.startswith("[v"):
        continue
    start, end = int(start, 16), int(end, 16)
    for at in range(start, end, PIECE):
        masked = ctypes.string_at(at, min(PIECE + OVERLAP, end - at)).translate(MASK)
        searched += len(masked)
        for i, word in enumerate(words):
            found[i] += word in masked
print("found", *map(bool, found))
print("shared", shared, "searched", searched > 4 << 20)
print("environ", *sorted(v.split("=")[0] for v in open("/proc/self/environ").read().split("\0") if v))
print("environment", *sorted(os.environ))
print("descriptors", *sorted(os.listdir("/proc/self/fd"), key=int)[:-1])
print("zygote", sys.argv[1] not in open("/proc/self/cmdline").read())
