import atexit
atexit.register(print, "callback")
atexit._run_exitfuncs()
print("still here")
