print(hash(1), hash(2.5), hash((1, 2)), hash(None) == hash(None), hash("a") == hash("a"))
import sys
print(sys.flags.hash_randomization)
