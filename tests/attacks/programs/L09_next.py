import os
import random
import sys

print(sorted(os.listdir("/box")), "sitecustomize" in sys.modules, random.__file__.startswith("/usr/"))
