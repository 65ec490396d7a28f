import multiprocessing as m
def f(q): q.put(42)
if __name__ == "__main__":
    q = m.SimpleQueue()
    p = m.Process(target=f, args=(q,))
    p.start(); print(q.get()); p.join(); print(p.exitcode)
