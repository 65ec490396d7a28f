import threading
def stack():
    for line in open("/proc/self/smaps"):
        pass
t = threading.Thread(target=lambda: None)
t.start(); t.join()
import ctypes
libc = ctypes.CDLL(None)
attr = ctypes.create_string_buffer(64)
size = ctypes.c_size_t()
print(libc.pthread_getattr_default_np(attr), libc.pthread_attr_getstacksize(attr, ctypes.byref(size)), size.value)
