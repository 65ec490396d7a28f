import atexit
atexit.register(print, "runs")
atexit.register(lambda: 1/0)
print("main")
