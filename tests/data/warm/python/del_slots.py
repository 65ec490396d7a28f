class A:
    __slots__ = ()
    def __del__(self): print("deleted without a dict")
a = A()
print("main")
