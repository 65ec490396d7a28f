import sys
data = [int(x) for x in sys.stdin.read().split()]
data.sort(key=lambda x: (-x % 7, x))
print(*data)
