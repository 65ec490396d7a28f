import sys
print("x")
del __file__, __cached__
sys.exit(3)
