"""What a program finds of the interpreter that it is run by, in one line each."""
import sys

print("modules", *sorted(sys.modules))
import builtins  # noqa: E402
import collections  # noqa: E402
import decimal  # noqa: E402
import gc  # noqa: E402
import json  # noqa: E402
import locale  # noqa: E402
import os  # noqa: E402
import random  # noqa: E402
import re  # noqa: E402
import resource  # noqa: E402
import signal  # noqa: E402
import threading  # noqa: E402
import typing  # noqa: E402
import warnings  # noqa: E402

for module in (builtins, json, re, os, sys, collections, typing, decimal, random):
    print(module.__name__, *sorted(k for k in vars(module) if not k.startswith("last_")))
print("path", sys.path, len(sys.path_hooks), sys.meta_path)
print("len", len([]), json.dumps({"a": 1}), type(typing.List).__name__, sorted(vars(type(typing.List))))
print("environment", sorted(os.environ.items()), os.getcwd(), oct(os.umask(0)))
print("decimal", decimal.getcontext().prec, decimal.DefaultContext.prec, warnings.filters)
print("sys", sys.getrecursionlimit(), sys.getswitchinterval(), sys.flags, gc.get_threshold(), gc.isenabled(), locale.setlocale(locale.LC_ALL))
print("signals", [(s, signal.getsignal(s)) for s in (2, 13, 14, 15, 17)], signal.pthread_sigmask(0, ()))
print("limits", [resource.getrlimit(n) for n in range(16)])
print("threads", threading.active_count(), len(os.listdir("/proc/self/task")), sorted(p for p in os.listdir("/proc") if p.isdigit()))
print("files", [sorted(os.listdir(d)) for d in ("/box", "/tmp", "/dev/shm")], sorted(os.listdir("/proc/self/fd")))
print("shared", [line for line in open("/proc/self/maps") if line.split()[1][1::2] == "ws"])
