import sys
def f(n):
    try:
        f(n + 1)
    except RecursionError:
        if n < 960: raise
        try:
            import typing
        except RecursionError as e: print("no import", n)
        raise
try:
    f(0)
except RecursionError as e: print(e)
