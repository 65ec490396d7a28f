import importlib, re, json
m = importlib.reload(json)
print(m is json, json.loads("[1]"))
import sys
del sys.modules["re"]
import re as again
print(again is re, again.match("a", "a"))
