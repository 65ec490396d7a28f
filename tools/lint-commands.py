#!/usr/bin/python3
"""lint-commands.py FROM TO: a compile_commands.json with one command for each file, the first.

Some sources are compiled several times, for programs that share them.  clang-tidy would look at them as often, and its
analyzer takes a va_list of the second look for one that was never begun.
"""
import json
import os
import sys

first = {}
for entry in json.load(open(sys.argv[1])):
    first.setdefault(entry["file"], entry)
os.makedirs(os.path.dirname(sys.argv[2]), exist_ok=True)
json.dump(list(first.values()), open(sys.argv[2], "w"))
