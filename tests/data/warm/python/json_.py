import json, sys
print(json.dumps(json.load(sys.stdin), indent=1, sort_keys=True))
