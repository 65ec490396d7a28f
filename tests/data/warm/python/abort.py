import os
print("buffered and lost")
os.abort()
