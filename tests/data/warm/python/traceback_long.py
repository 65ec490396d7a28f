def f(n):
    if n: f(n - 1)
    raise ValueError("x" * 100)
f(50)
