"""Changes all that a later program of the same interpreter could see, if there were one."""
import builtins
import collections
import decimal
import gc
import json
import locale
import os
import random
import re
import resource
import signal
import sys
import threading
import typing
import warnings

for folder in ("/box", "/tmp", "/dev/shm"):
    with open(folder + "/left", "w") as f:
        f.write("left")
for module in (json, re, os, sys, collections, typing, decimal, builtins, random):
    module.left = "left"
sys.modules["left"] = json
json.dumps = lambda *a, **k: "left"
builtins.len = lambda x: 42
sys.path.append("/box/left")
sys.path_hooks.append(print)
sys.meta_path.clear()
os.environ["LEFT"] = "left"
os.putenv("LEFT", "left")
os.chdir("/tmp")
os.umask(0)
decimal.getcontext().prec = 3
decimal.DefaultContext.prec = 3
warnings.simplefilter("error")
sys.setrecursionlimit(200)
sys.setswitchinterval(1)
gc.set_threshold(1, 1, 1)
random.seed(1)
locale.setlocale(locale.LC_ALL, "C")
signal.signal(signal.SIGTERM, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))
threading.Thread(target=signal.pause, daemon=True).start()
typing.List.__class__.left = "left"
if os.fork() == 0:
    os.setsid()
    signal.pause()
print("defiled")
sys.stdout.flush()
os._exit(0)
