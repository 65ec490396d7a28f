import atexit
atexit.register(print, "callback")
atexit._clear()
print("still here")
