import sys
sys.stdout.reconfigure(encoding="latin-1", errors="replace", line_buffering=True)
print("ä€")
sys.stdout.reconfigure(encoding="utf-8")
print("ä€")
