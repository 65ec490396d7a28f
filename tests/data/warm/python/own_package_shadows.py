import os
os.mkdir("collections")
open("collections/__init__.py", "w").write("X = 1\n")
import collections
print(collections.X, collections.__path__)
import re
