import sys
print(repr(sys.stdin.read()))
try:
    input("asks: ")
except EOFError as e:
    print(type(e), e)
