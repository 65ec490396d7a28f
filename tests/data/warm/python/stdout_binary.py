import sys
sys.stdout.buffer.write("äöü€ — ünï".encode())
sys.stdout.write("after")
