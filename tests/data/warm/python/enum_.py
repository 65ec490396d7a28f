from enum import Enum, Flag, auto
class C(Enum):
    A = auto()
    B = 2
class F(Flag):
    X = auto()
    Y = auto()
print(list(C), C.A, repr(C(2)), F.X | F.Y)
try:
    C(9)
except ValueError as e: print(e)
