import threading
class A:
    def __del__(self): print("deleted")
l = threading.local()
l.a = A()
print("main")
