import os, sys
sys.stdout.write("a")
os.write(1, b"b")
sys.stdout.flush()
os.write(1, b"c")
print("d", end="")
sys.stderr.write("e")
os.write(2, b"f")
