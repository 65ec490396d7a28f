import sys
del sys.path[0]
open("string.py", "w").write("X = 2\n")
import string
print(string.ascii_letters, sys.path[0])
