import random
print(0 <= random.random() < 1)
random.seed(42)
print(random.random(), random.sample(range(100), 5), random.getrandbits(64))
import os
print(len(os.urandom(8)))
