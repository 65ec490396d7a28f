"""A Python interpreter becomes a zygote here, as the last step of its own start.

It was started as a job is, `python3 main.py` in /box with a job's environment; site looks for a module of this name
below $HOME, and no job has one.  The ImportError at the end is what site gets then.  What stays is a function in
sys.path_hooks, which forks into the jobs (zygote_module.c).

What makes a job faster is done before: what programs often import is loaded and hidden (zygote_import.c), what every
program does has been done a few times.  What a job could tell by is put back as it was.  It can tell by the garbage
collector's counts (and so by when a collection comes by itself), by object.__subclasses__(), by how little memory it
has written to; and hash('x') is the same in all jobs of one zygote.
"""

import sys

found = set(sys.modules)

import atexit  # noqa: E402
import gc  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402
import stat  # noqa: E402

import _execd_zygote as zygote  # noqa: E402

# Pure, loaded by many programs, and without an effect of their import that a program could see.  Not among them:
# random (seeds), threading (is asked at the end whether it is there), logging (remembers its start), hashlib (OpenSSL
# cleans up at the end of each process that has it).
OFTEN = ("typing", "collections", "re", "math", "functools", "itertools", "string", "heapq", "bisect", "copy", "json",
         "datetime", "dataclasses", "enum", "operator", "contextlib", "decimal", "fractions", "textwrap", "traceback",
         "array", "struct", "cmath", "_random", "pprint")
EXERCISE = """
import sys
class Shape:
    def __init__(self, sides): self.sides = sides
    def area(self): return sum(a * b for a, b in zip(self.sides, self.sides[1:]))
def say(*words, **more):
    print(*words, **more)
seen = {}
for n in range(3):
    seen[n] = [Shape([n, n + 1, 2.5]).area(), f"{n:>3}", "%d" % n, str(n).split(","), {n}]
    try:
        seen[5]
    except KeyError as e:
        say("none", repr(e), *seen, sep=", ")
say(sorted(seen), len(seen), max(seen), int("12") + 7, sys.argv)
"""
folder = os.path.dirname(__file__)  # ours, below $HOME
box = os.getcwd()
importlib = sys.modules["_frozen_importlib"]
PathFinder = sys.modules["_frozen_importlib_external"].PathFinder


def check_streams():
    """The interpreter has made sys.stdin and the others for what it was given, and keeps them."""
    kinds = [stat.S_IFMT(os.fstat(fd).st_mode) for fd in (0, 1, 2)]
    if kinds != [stat.S_IFREG, stat.S_IFIFO, stat.S_IFIFO]:
        os.write(2, b"the zygote's standard streams are not like a job's\n")
        os._exit(1)


def forget_modules():
    """What was loaded for us only; we are going to be forgotten by site."""
    for name in set(sys.modules) - found:
        del sys.modules[name]


def hide_folder():
    """As if $HOME had no such folder; and with what site finds out by searching for us in vain."""
    sys.path.remove(folder)
    sys.path_importer_cache.pop(folder, None)
    importlib._find_spec("usercustomize", None)


# ---- imports -----------------------------------------------------------------------------------------


class Loading:
    """Imports modules and remembers for each, in order, which others it asked for or put into sys.modules."""

    def __init__(self):
        self.others = {}  # name -> names
        self.stack = [[]]
        self.known = set(sys.modules)

    def look(self):
        """What is new in sys.modules without having been searched for was put there by the module now loading."""
        if len(sys.modules) != len(self.known):
            new = [name for name in sys.modules if name not in self.known]
            self.known.update(new)
            self.stack[-1] += [name for name in new if name not in self.others]

    def find_and_load(self, name, import_):
        self.look()
        self.others[name] = []
        self.stack[-1].append(name)
        self.stack.append(self.others[name])
        try:
            return self.search(name, import_)
        finally:
            self.look()
            self.stack.pop()

    def asked(self, name, globals=None, locals=None, fromlist=(), level=0):
        self.look()
        full = name
        if level > 0:
            package = globals["__package__"]
            full = importlib._resolve_name(name, package, level)
        self.stack[-1].append(full)
        module = self.import_(name, globals, locals, fromlist, level)
        self.look()
        self.stack[-1] += [n for n in ("%s.%s" % (full, part) for part in fromlist or ()) if n in sys.modules]
        return module

    def load(self, names):
        builtins = sys.modules["builtins"]
        before = list(sys.modules)
        self.search, self.import_ = importlib._find_and_load, builtins.__import__
        importlib._find_and_load, builtins.__import__ = self.find_and_load, self.asked
        try:
            for name in names:
                try:
                    __import__(name)
                except ImportError:
                    pass  # an interpreter without it
        finally:
            importlib._find_and_load, builtins.__import__ = self.search, self.import_
        return [(name, sys.modules.pop(name)) for name in list(sys.modules) if name not in before]


def ready_imports():
    known = {name: id(module) for name, module in sys.modules.items()}
    finders = set(sys.path_importer_cache)
    loading = Loading()
    loaded = dict(loading.load(OFTEN))
    folders = {path: sys.path_importer_cache.pop(path) for path in set(sys.path_importer_cache) - finders}
    ready = {}
    for name, module in loaded.items():
        spec = module.__spec__ if name in loading.others else None
        by_path = spec is not None and spec.origin not in ("built-in", "frozen")
        parent = loaded.get(name.rpartition(".")[0])
        its_folders = tuple((path, folders[path]) for path in getattr(parent, "__path__", ()) if path in folders)
        ready[name] = (module, tuple(loading.others.get(name, ())), by_path and parent is None, its_folders)
    lists = {"path": [box, *sys.path], "meta_path": list(sys.meta_path), "path_hooks": list(sys.path_hooks)}
    importlib._find_and_load = zygote.imports(importlib._find_and_load, PathFinder.find_spec, [box], lists, known, ready)


# ---- what every program does --------------------------------------------------------------------------


def exercise(times):
    name = os.path.join(folder, "exercise.py")
    with open(name, "w") as f:
        f.write(EXERCISE)
    real, nowhere = sys.stdout, os.open("/dev/null", os.O_WRONLY)
    for _ in range(times):
        with io.open_code(name) as f:
            code = compile(f.read(), name, "exec")
        sys.stdout = io.TextIOWrapper(io.open(nowhere, "wb", closefd=False), encoding="utf-8")
        exec(code, {"__name__": "__main__"})
        sys.stdout.close()
    sys.stdout = real
    os.close(nowhere)
    for hook in sys.path_hooks:  # of importers of main.py
        try:
            hook("main.py")
        except ImportError:
            pass


gc.disable()
check_streams()
hide_folder()
atexit.register(zygote.finish())
forget_modules()
ready_imports()
exercise(20)
sys.path_hooks.append(zygote.hook(os.path.join(box, "main.py"), os.environ._data, gc.freeze))
gc.enable()
raise ImportError("", name=__name__)  # as if there were no such module
