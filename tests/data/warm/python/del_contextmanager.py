import contextlib
@contextlib.contextmanager
def c():
    try: yield 1
    finally: print("left")
x = c()
x.__enter__()
print("main")
