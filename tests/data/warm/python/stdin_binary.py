import sys
data = sys.stdin.buffer.read()
print(len(data), data[:8], sum(data))
sys.stdin.seek(0)
print(repr(sys.stdin.read(4)))
