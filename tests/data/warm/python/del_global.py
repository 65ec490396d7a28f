class A:
    def __del__(self): print("deleted", self.n)
a = A(); a.n = 1
b = A(); b.n = 2
print("main")
