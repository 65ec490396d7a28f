class A:
    def __init__(self): self.me = self
    def __del__(self): print("deleted in a cycle")
A()
print("main")
