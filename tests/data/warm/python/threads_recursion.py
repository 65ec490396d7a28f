import sys, threading
def f(n): return n if n == 0 else f(n - 1)
sys.setrecursionlimit(50000)
threading.Thread(target=lambda: print(f(20000))).start()
