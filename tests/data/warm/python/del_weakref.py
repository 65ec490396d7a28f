import weakref
class A: pass
a = A()
r = weakref.ref(a, lambda r: print("gone"))
print("main")
