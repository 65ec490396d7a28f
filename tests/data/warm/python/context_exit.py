class C:
    def __enter__(self): print("in"); return self
    def __exit__(self, *a): print("out", a[0].__name__ if a[0] else None)
with C():
    raise SystemExit(3)
