import sys
sys.modules["enum"] = None
try:
    import re
except ImportError as e:
    print(type(e).__name__, e)
print("re" in sys.modules)
