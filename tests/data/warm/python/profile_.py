import sys
calls = []
sys.setprofile(lambda f, e, a: calls.append((e, f.f_code.co_name)))
def f(): return len("x")
f()
sys.setprofile(None)
print(calls)
