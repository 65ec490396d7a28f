import sys

sys.setrecursionlimit(10**9)


def deeper():
    return deeper() + 1


print("going", flush=True)
deeper()
