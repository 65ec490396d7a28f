from math import *
from collections import *
from typing import *
print(sorted(n for n in globals() if not n.startswith("_")))
