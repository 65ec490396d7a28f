import builtins
old = builtins.__import__
def new(name, *a, **k):
    print("import", name)
    return old(name, *a, **k)
builtins.__import__ = new
import textwrap
