import sys
for n in ("usercustomize", "sitecustomize", "_execd_zygote"):
    try:
        print(n, __import__(n))
    except ImportError as e: print(e)
