import multiprocessing as m, os
def f(n): print("child", __name__, n)
if __name__ == "__main__":
    m.set_start_method("spawn")
    p = m.Process(target=f, args=(3,))
    p.start(); p.join(); print(p.exitcode)
