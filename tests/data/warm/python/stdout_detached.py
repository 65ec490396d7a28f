import sys
b = sys.stdout.detach()
b.write(b"raw\n")
