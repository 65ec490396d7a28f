def fib(n): return n if n < 2 else fib(n - 1) + fib(n - 2)
print(fib(22), sum(i * i for i in range(10000)), 2 ** 1000, [p for p in range(2, 100) if all(p % d for d in range(2, p))])
