import ctypes
import faulthandler
import sys

faulthandler.enable(sys.stdout, all_threads=True)
faulthandler.dump_traceback_later(1000, repeat=True)
print("going", flush=True)
ctypes.string_at(0)
