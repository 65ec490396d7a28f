import hashlib, sys
data = sys.stdin.read()
print(len(data), hashlib.sha256(data.encode()).hexdigest(), data[:10], data[-10:])
sys.stdin.seek(5)
print(sys.stdin.read(7))
