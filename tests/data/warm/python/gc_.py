import gc
class A:
    def __del__(self): print("collected")
a = A(); a.me = a
del a
print(gc.isenabled(), gc.get_threshold(), gc.get_debug(), gc.callbacks, gc.garbage)
print(gc.collect() >= 1)
