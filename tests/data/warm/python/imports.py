import sys
for name in ['typing', 'collections', 're', 'math', 'functools', 'itertools', 'string', 'heapq', 'bisect', 'copy', 'json', 'datetime', 'dataclasses', 'enum', 'operator', 'contextlib', 'decimal', 'fractions', 'textwrap', 'traceback', 'array', 'struct', 'cmath', 'pprint', 'random', 'statistics', 'collections.abc', 'inspect', 'hashlib', 'threading', 'logging', 'unittest', 'asyncio', 'abc', 'ast', 'calendar', 'numbers', 'types', 'weakref', 'queue', 'subprocess', 'importlib.util', 'concurrent.futures', 'argparse', 'secrets', 'uuid', 'tempfile', 'shutil', 'pathlib', 'csv', 'io', 'os.path', 'xml.etree.ElementTree', 'urllib.parse', 'email.message', 'ctypes', 'multiprocessing', 'sqlite3', 'html', 'base64', 'zlib', 'timeit', 'cProfile', 'doctest', 'locale', 'gettext', 'platform', 'socket', 'select', 'selectors', 'signal', 'codecs', 'unicodedata', 'difflib', 'graphlib', 'zoneinfo', 'tomllib']:
    before = list(sys.modules)
    try:
        __import__(name)
        m = sys.modules[name]
        print(name, list(sys.modules)[len(before):], m.__name__, m.__spec__, getattr(m, "__file__", None), len(dir(m)))
    except Exception as e:
        print(name, type(e).__name__, e)
print(list(sys.path_importer_cache))
