import sys
for n in ("json", "typing", "random"):
    open(n + ".py", "w").write("NAME = %r\n" % n)
import json, typing, random
print(json.NAME, typing.NAME, random.NAME, json.__file__)
