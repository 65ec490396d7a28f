import importlib, importlib.util
print(importlib.util.find_spec("json").origin, importlib.import_module("json.decoder").__name__, importlib.util.find_spec("nothing"))
