import atexit, sys
atexit.register(print, "first registered")
atexit.register(lambda: print("last registered"))
print("main")
sys.exit(2)
