from decimal import *
print(getcontext(), Decimal(1) / Decimal(7), Decimal("NaN"))
from fractions import Fraction
print(Fraction(3, 9), Fraction("0.125"))
