import collections, copy, dataclasses, datetime, decimal, enum, functools, json, math, re, string, sys, typing
for m in (collections, copy, dataclasses, datetime, decimal, enum, functools, json, math, re, string, typing):
    print(m.__name__, m.__package__, m.__loader__, m.__spec__.cached, sorted(vars(m)))
print(sys.modules["typing"] is typing, typing.List[int], re.compile("a").pattern, json.dumps({"a": [1]}), decimal.getcontext())
