import collections, json, sys
print(list(sys.modules), list(sys.path_importer_cache))
