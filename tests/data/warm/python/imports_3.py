import re, collections.abc, enum, sys
print(list(sys.modules), list(sys.path_importer_cache))
