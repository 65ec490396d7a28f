import atexit
@atexit.register
def f(): print("f")
atexit.register(print, 1, 2, sep="-")
print(atexit._ncallbacks() >= 2)
