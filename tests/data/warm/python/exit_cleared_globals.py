import sys
e = sys.exit
globals().clear()
__import__("sys").exit(4)
