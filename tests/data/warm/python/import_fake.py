import sys, types
fake = types.ModuleType("keyword")
fake.iskeyword = lambda s: False
fake.kwlist = []
sys.modules["keyword"] = fake
import collections
print(collections._iskeyword is fake.iskeyword)
