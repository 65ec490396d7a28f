import builtins, os
class A:
    def __init__(self, n): self.n = n
    def __del__(self): print("deleted", self.n)
builtins.held = A("by builtins")
os.held = A("by os")
print("main")
