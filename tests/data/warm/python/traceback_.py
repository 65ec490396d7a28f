def a(n):
    return b(n - 1) if n else 1 / n
def b(n):
    return a(n)
class C:
    def m(self):
        return [a(x) for x in (3,)]
C().m()
